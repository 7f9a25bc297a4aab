"""Many photos at once: a folder or a ZIP, and which survey or site each file belongs to."""

import os
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, func, select

from geo.config import settings
from geo.errors import AncuError, NotFoundError, RejectedError, UnavailableError, UsageError
from geo.intake.csv_reader import read_csv
from geo.photos import files, reading, storing
from geo.photos.storing import Stored, Target
from geo.tables import survey

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif")
MOST_FILES = 200_000
_MAPPED = ("survey_id", "province_code", "site_code", "stage", "commune_code")

Begin = Callable[[], AbstractContextManager[Connection]]
Find = Callable[[Connection], Target]


@dataclass
class SetReport:
    """What became of the files: refused ones by name with the reason; left_out are no photos.

    unfound: what the mapping names and the folder or ZIP does not hold.
    """

    added: int = 0
    unchanged: int = 0
    left_out: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    unfound: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Opened:
    """A folder or ZIP: the paths of its photos inside, and how to read one."""

    names: list[str]
    left_out: int
    read: Callable[[str], bytes]


def add(
    begin: Begin,
    path: Path,
    mapping: Path | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> SetReport:
    """Store the photos of a folder or ZIP, each in a transaction of its own that `begin` opens.

    mapping: a CSV with the columns file and survey_id, or file, province_code, site_code and
    stage; commune_code where it is needed. Files that it does not name belong to the survey whose
    `photo` is their name. Raises UsageError, RejectedError for what cannot be read at all.
    """
    with opened(path) as found:
        report = SetReport(left_out=found.left_out)
        with begin() as conn:
            mapped = _mapped(mapping) if mapping else {}
            report.unfound = _without_file(mapped, found.names)
            targets = _targets(conn, found.names, mapped)
        for done, name in enumerate(found.names, 1):
            try:
                stored = _stored(begin, name, found.read, targets[_key(name)])
            except UnavailableError:
                raise
            except AncuError as error:
                report.refused.append((name, str(error)))
            else:
                report.added += stored.added
                report.unchanged += stored.unchanged
            if progress:
                progress(done, len(found.names))
    return report


def _stored(begin: Begin, name: str, read: Callable[[str], bytes], target: Find) -> Stored:
    with begin() as conn:
        found = target(conn)  # before the file is read: most that is refused is so for its name
    photo = reading.read(read(name))
    with files.gone_on_error() as written, begin() as conn:
        return storing.add(conn, found, [(name, photo)], written)


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """A folder or a ZIP as a set of photos; raises UsageError, RejectedError."""
    if path.is_dir():
        yield _folder(path)
        return
    try:
        with zipfile.ZipFile(path) as packed:
            yield _archive(packed)
    except FileNotFoundError:
        raise UsageError(f"There is no folder or file {path}.") from None
    except zipfile.BadZipFile:
        raise RejectedError(f"{path.name} is no folder and no ZIP, or it is damaged.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None


def _folder(path: Path) -> Opened:
    inside = [
        Path(folder, name).relative_to(path).as_posix()
        for folder, _folders, names in os.walk(path)
        for name in names
        if not Path(folder, name).is_symlink()
    ]
    return _set(inside, lambda name: _limited(path / name))


def _limited(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_most_bytes() + 1)
    except OSError as error:
        raise RejectedError(f"The file cannot be read: {error.strerror}.") from None


def _archive(packed: zipfile.ZipFile) -> Opened:
    """Entries are read into memory one by one, never written: their paths lead nowhere."""

    def read(name: str) -> bytes:
        try:
            with packed.open(name) as entry:
                return entry.read(_most_bytes() + 1)
        except (
            zipfile.BadZipFile,
            NotImplementedError,
            RuntimeError,
            OSError,
            EOFError,
            ValueError,
        ):
            raise RejectedError(
                "The file cannot be unpacked: it is damaged, encrypted or packed in a rare way."
            ) from None

    return _set([one.filename for one in packed.infolist() if not one.is_dir()], read)


def _most_bytes() -> int:
    return settings().max_photo_mb * 1024 * 1024


def _set(inside: list[str], read: Callable[[str], bytes]) -> Opened:
    if len(inside) > MOST_FILES:
        raise RejectedError(f"There are more than {MOST_FILES} files; send them in parts.")
    names = sorted({name for name in inside if _is_photo(name)})
    return Opened(names, len(inside) - len(names), read)


def _is_photo(name: str) -> bool:
    last = name.rsplit("/", 1)[-1].lower()
    return last.endswith(SUFFIXES) and not last.startswith(".") and "__MACOSX/" not in name


def _key(path: str) -> str:
    """A path as it is compared: separators, letters and accents in one form."""
    return unicodedata.normalize("NFC", path.replace("\\", "/")).strip("/").lower()


def _last(path: str) -> str:
    return _key(path).rsplit("/", 1)[-1]


def _targets(conn: Connection, names: list[str], mapped: Mapping[str, Find]) -> dict[str, Find]:
    """Path → how to find what the file is of; finding raises where it is of nothing."""
    often = Counter(map(_last, names))
    of_surveys = _by_name(conn, {_last(name) for name in names})

    def target(name: str) -> Find:
        last = _last(name)
        if found := mapped.get(_key(name)):
            return found
        if often[last] > 1:
            return _refusing(
                RejectedError("several files have this name; tell them apart in a mapping")
            )
        if found := mapped.get(last):
            return found
        surveys = of_surveys.get(last, [])
        if len(surveys) == 1:
            return lambda _conn: surveys[0]
        if surveys:
            return _refusing(
                RejectedError("several surveys name this photo; tell them apart in a mapping")
            )
        return _refusing(NotFoundError("no survey names this photo, and no mapping does"))

    return {_key(name): target(name) for name in names}


def _without_file(mapped: Iterable[str], names: Iterable[str]) -> list[str]:
    """Files that a mapping names and that are not there, neither by path nor by name."""
    there = {known for name in names for known in (_key(name), _last(name))}
    return sorted(file for file in mapped if file not in there)


def _refusing(error: AncuError) -> Find:
    def refuse(_conn: Connection) -> Target:
        raise error

    return refuse


def _by_name(conn: Connection, names: set[str]) -> dict[str, list[Target]]:
    """File name → the surveys whose column `photo` ends in it."""
    last = func.lower(func.regexp_replace(survey.c.photo, r"^.*[/\\]", ""))
    rows = conn.execute(
        select(
            survey.c.province_code,
            survey.c.commune_code,
            survey.c.survey_id,
            survey.c.household_code,
            survey.c.demo,
            survey.c.photo,
        ).where(survey.c.photo.is_not(None), ~survey.c.removed, last.in_(sorted(names)))
    )
    found: dict[str, list[Target]] = {}
    for province, commune, survey_id, household, demo, photo in rows:
        target = Target(province, commune, "survey", str(survey_id), household, demo)
        found.setdefault(_last(photo), []).append(target)
    return found


def _mapped(path: Path) -> dict[str, Find]:
    """The rows of a mapping: file → how to find its survey or stage. Raises RejectedError."""
    try:
        source = read_csv(path)
        rows = list(source.rows)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    mapped: dict[str, Find] = {}
    problems: list[tuple[int | None, str]] = []
    for line, row in rows:
        told = {name: str(row[name]).strip() for name in _MAPPED if name in row}
        file = _key(str(row.get("file", "")))
        if not file or bool(told.get("survey_id")) == bool(told.get("site_code")):
            problems.append((line, "name a file, and either a survey_id or a site_code"))
        elif file in mapped:
            problems.append((line, f"{file[:80]} is named twice"))
        else:
            mapped[file] = _finder(told)
    if problems:
        raise RejectedError(f"{path.name}: {len(problems)} rows cannot be used.", problems[:20])
    return mapped


def _finder(told: Mapping[str, str]) -> Find:
    commune = told.get("commune_code") or None
    if survey_id := told.get("survey_id"):
        return lambda conn: storing.of_survey(conn, survey_id, commune)
    province, code, stage = (told.get(name, "") for name in ("province_code", "site_code", "stage"))
    return lambda conn: storing.of_stage(conn, province, code, stage, commune)
