"""GeoJSON features one by one, whatever the file's size, with their values as they were written."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from geo.errors import RejectedError
from geo.intake.source import PROBLEM, Source

MAX_FEATURE = 8 << 20
_CHUNK = 1 << 18
_TWICE = "two properties have this name; keep one of them"
_SPACE = " \t\n\r"
_CRS84 = ("CRS84", "EPSG::4326", "EPSG:4326")


def read_geojson(path: Path) -> Source:
    """Open a FeatureCollection of points; `line` is the feature's number, from 1.

    Properties become columns, the point becomes lon and lat. An old-style `crs` member before
    the features is taken over as column `crs`. Raises RejectedError when the file is no
    FeatureCollection, at once or where it breaks off.
    """
    return Source(_rows(path))


def point_columns(geometry: object) -> dict[str, object]:
    """lon and lat of a GeoJSON point; nothing for null. Raises ValueError for other shapes."""
    if geometry is None:
        return {}
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        kind = geometry.get("type") if isinstance(geometry, dict) else type(geometry).__name__
        raise ValueError(f"the geometry is a {kind}, a Point is needed")
    position = geometry.get("coordinates")
    if position == []:
        return {}
    if not isinstance(position, list) or len(position) < 2:
        raise ValueError("the Point has no two coordinates")
    return {"lon": position[0], "lat": position[1]}


def feature_row(feature: object, crs: str | None = None) -> dict[str, object]:
    """One feature as column → value; what is wrong with it under PROBLEM."""
    if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
        return {PROBLEM: "this is not a GeoJSON Feature"}
    row: dict[str, object] = {}
    for written, value in (feature.get("properties") or {}).items():
        name = str(written).strip().lower()
        if name in row:
            return row | {PROBLEM: f"{name}: {_TWICE}"}
        if value is not None and value != "":
            row[name] = value
    try:
        row.update(point_columns(feature.get("geometry")))
    except ValueError as error:
        row[PROBLEM] = str(error)
    if crs and "crs" not in row and "lon" in row:
        row["crs"] = crs
    return row


def _rows(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    number = 0
    try:
        for feature, crs in _features(path):
            number += 1
            yield number, feature_row(feature, crs)
    except UnicodeDecodeError:
        raise RejectedError(f"{path.name} is not UTF-8, as GeoJSON must be.") from None
    except ValueError as error:
        raise RejectedError(
            f"{path.name} cannot be read behind feature {number}: {error}.",
            [(number + 1, str(error))],
        ) from None
    if number == 0:
        raise RejectedError(f"{path.name} holds no feature.")


def _features(path: Path) -> Iterator[tuple[object, str | None]]:
    """Each feature with the collection's CRS, read member by member."""
    crs: str | None = None
    with path.open(encoding="utf-8-sig") as file:
        text = _Text(file.read)
        text.expect("{")
        while not text.take("}"):
            name = text.value()
            text.expect(":")
            if name == "features":
                text.expect("[")
                while not text.take("]"):
                    yield text.value(), crs
                    text.take(",")
            elif name == "crs":
                crs = _crs_name(text.value())
            elif text.value() == "Feature":
                raise ValueError("a single Feature; put it into a FeatureCollection")
            text.take(",")


def _crs_name(member: object) -> str | None:
    properties = member.get("properties") if isinstance(member, dict) else None
    name = str(properties.get("name", "")) if isinstance(properties, dict) else ""
    if not name or name.endswith(_CRS84):
        return None
    return "EPSG:" + name.rpartition(":")[2] if "EPSG" in name else name


class _Text:
    """A buffer over a text file from which JSON values are taken one at a time."""

    def __init__(self, read: Callable[[int], str]) -> None:
        self._read = read
        self._buffer = ""
        self._at = 0
        self._decoder = json.JSONDecoder()

    def take(self, mark: str) -> bool:
        """Step over `mark` if it comes next."""
        self._skip_space()
        if self._buffer.startswith(mark, self._at):
            self._at += 1
            return True
        return False

    def expect(self, mark: str) -> None:
        if not self.take(mark):
            found = self._buffer[self._at : self._at + 10]
            raise ValueError(
                f"“{mark}” is expected and " + (f"“{found}” found" if found else "the file ends")
            )

    def value(self) -> object:
        """The next value; more text is read until it is whole."""
        self._skip_space()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                if len(self._buffer) - self._at > MAX_FEATURE:
                    raise ValueError("one feature is larger than 8 MB") from None
                if not self._fill():
                    raise ValueError(f"{error.msg}, the file is damaged or cut off") from None
            except ValueError:  # JSONDecodeError is one too, and comes first
                raise ValueError("a number has thousands of digits") from None
            except RecursionError:
                raise ValueError("brackets are nested too deeply") from None
            else:
                if end < len(self._buffer) or not self._fill():  # a number may go on
                    self._at = end
                    return value

    def _skip_space(self) -> None:
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._buffer) or not self._fill():
                return

    def _fill(self) -> bool:
        more = self._read(_CHUNK)
        self._buffer = self._buffer[self._at :] + more
        self._at = 0
        return bool(more)
