"""Downloads commune boundaries unit by unit from a public repository, and checks each file."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import shapely
import urllib3
from sqlalchemy import Connection

from geo import areas
from geo.boundaries.files import COUNTRY_BOX, Polygons, polygons_only, usable
from geo.boundaries.store import Progress
from geo.errors import UnavailableError, UsageError
from geo.text import fold

LICENCE = "MIT"

_APOSTROPHES = str.maketrans("", "", "'’‘ʼ`")
_CODES_UPSTREAM = {"06970": "06978"}
"""Ba Chẽ stands under another code in the repository than in the gazetteer."""
_LIMIT_BYTES = 64 * 1024 * 1024
_POLYGON_TYPES = ("Polygon", "MultiPolygon")


@dataclass(frozen=True)
class Network:
    """How patient a download is; seconds, and attempts for each file."""

    connect_s: float = 6.0
    read_s: float = 30.0
    attempts: int = 4
    pause_s: float = 0.5
    at_once: int = 6


@dataclass(frozen=True)
class Unit:
    """One commune to fetch."""

    code: str
    name: str
    province_code: str
    province_name: str

    @property
    def upstream_code(self) -> str:
        return _CODES_UPSTREAM.get(self.code, self.code)

    @property
    def path(self) -> str:
        """Path of the unit's file below the repository's folder, derived from code and name."""
        province = f"{self.province_code}_{_slug(self.province_name)}"
        return f"{province}/wards/{self.upstream_code}_{_slug(self.name)}.geojson"


class _BadFileError(Exception):
    """A file arrived and is not what was asked for."""


class _MissingError(Exception):
    """The server says that there is no such file."""


def units(conn: Connection, provinces: Iterable[str]) -> list[Unit]:
    """The present communes of provinces; raises UsageError for a code that is no province's."""
    found: list[Unit] = []
    known = {a.code: a for a in areas.children(conn, areas.COUNTRY)}
    for code in dict.fromkeys(provinces):
        if code not in known:
            raise UsageError(f"No present province has the code {code}. Known: {', '.join(known)}.")
        found += [Unit(a.code, a.name, code, known[code].name) for a in areas.children(conn, code)]
    return found


def fetch(
    wanted: list[Unit],
    base_url: str,
    folder: Path,
    network: Network | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Fetch what `folder` does not hold yet, several at once; the path of every unit's file.

    A file gets its name only after it was checked, so that a stop loses at most those under way.
    Raises UnavailableError quickly when the server does not answer, and after all attempts for
    files that are missing or wrong.
    """
    network = network or Network()
    report = progress or (lambda *_: None)
    targets = [folder / unit.path for unit in wanted]
    todo = [
        (unit, target)
        for unit, target in zip(wanted, targets, strict=True)
        if not _finished(target, unit)
    ]
    done = len(wanted) - len(todo)
    report(done, len(wanted))
    if not todo:
        return targets
    with _http_pool(base_url, network) as pool:
        # The first alone: without a network, this says so at once instead of hundreds of times.
        _fetch_one(pool, base_url, *todo[0], network)
        done += 1
        report(done, len(wanted))
        failure = _fetch_rest(
            pool, base_url, todo[1:], network, lambda more: report(done + more, len(wanted))
        )
    if failure:
        raise UnavailableError(
            f"{failure} What arrived is kept in {folder}; the same command goes on from there."
        )
    return targets


def _fetch_rest(
    pool: urllib3.PoolManager,
    base_url: str,
    todo: list[tuple[Unit, Path]],
    network: Network,
    report: Callable[[int], None],
) -> str:
    """Fetch several at once; what went wrong first, after which no new transfer begins."""
    stop = threading.Event()

    def work(unit: Unit, target: Path) -> None:
        if not stop.is_set():
            _fetch_one(pool, base_url, unit, target, network)

    failure = ""
    with ThreadPoolExecutor(network.at_once) as workers:
        jobs = [workers.submit(work, unit, target) for unit, target in todo]
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                try:
                    job.result()
                except UnavailableError as error:
                    failure = failure or str(error)
                    stop.set()
                report(done)
        finally:
            # Also when the user stops: the workers must not go through the whole list first.
            stop.set()
    return failure


def polygons(wanted: list[Unit], paths: list[Path]) -> Polygons:
    """The fetched files as usable polygons, under the codes of the gazetteer."""
    shapes = [read_unit(path.read_bytes(), unit) for unit, path in zip(wanted, paths, strict=True)]
    return usable(
        Polygons(
            [unit.code for unit in wanted],
            [unit.name for unit in wanted],
            [unit.province_code for unit in wanted],
            np.array(shapes, dtype=object),
        )
    )


def read_unit(content: bytes, unit: Unit) -> shapely.MultiPolygon:
    """The polygon of one downloaded file, EPSG:4326.

    Raises an error that says what is wrong with the file: no JSON, no polygon, another unit,
    a place outside the country.
    """
    try:
        document = json.loads(content)
        features = document.get("features", [document])
        shapes = [shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features]
        labels = [{"id": f.get("id")} | (f.get("properties") or {}) for f in features]
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        shapely.GEOSException,
    ) as error:
        raise _BadFileError("it is no GeoJSON") from error
    if not shapes or any(s is None or s.geom_type not in _POLYGON_TYPES for s in shapes):
        raise _BadFileError("it holds no polygon")
    for label in labels:
        _check_label(label, unit)
    whole = polygons_only(shapely.GeometryCollection(shapes))
    west, south, east, north = COUNTRY_BOX
    x0, y0, x1, y1 = whole.bounds
    if not (west <= x0 and south <= y0 and x1 <= east and y1 <= north):
        raise _BadFileError("it lies outside Viet Nam")
    return whole


def _check_label(label: dict[str, object], unit: Unit) -> None:
    for code in (label.get("id"), label.get("code")):
        is_code = isinstance(code, str) and len(code) == 5 and code.isdecimal()
        if is_code and code not in (unit.code, unit.upstream_code):
            raise _BadFileError(f"it holds the unit {code}")
    name = label.get("name")
    if isinstance(name, str) and _slug(name) != _slug(unit.name):
        raise _BadFileError(f"it holds {name[:60]!r}")


def _finished(target: Path, unit: Unit) -> bool:
    try:
        read_unit(target.read_bytes(), unit)
    except (OSError, _BadFileError):
        return False
    return True


def _fetch_one(
    pool: urllib3.PoolManager, base_url: str, unit: Unit, target: Path, network: Network
) -> None:
    url = f"{base_url.rstrip('/')}/{unit.path}"
    problem = ""
    for attempt in range(network.attempts):
        if attempt:
            time.sleep(network.pause_s * 2 ** (attempt - 1))
        try:
            content = _get(pool, url)
            read_unit(content, unit)
            break
        except _MissingError:
            raise UnavailableError(
                f"{unit.name} ({unit.code}) is not at {url}. Is ANCU_DOWNLOAD_URL right?"
            ) from None
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
            # Nobody there: more attempts would only make the user wait.
            raise _no_network(base_url) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            problem = f"the transfer failed ({type(error).__name__})"
        except _BadFileError as error:
            problem = str(error)
    else:
        raise UnavailableError(
            f"{unit.name} ({unit.code}) could not be fetched from {url} in {network.attempts} "
            f"attempts: {problem}."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{threading.get_ident()}.part")
    partial.write_bytes(content)
    partial.replace(target)


def _get(pool: urllib3.PoolManager, url: str) -> bytes:
    answer = pool.request("GET", url, preload_content=False, retries=False)
    try:
        if answer.status in (403, 404, 410):
            raise _MissingError
        if answer.status != 200:
            raise urllib3.exceptions.HTTPError(f"status {answer.status}")
        content = answer.read(_LIMIT_BYTES + 1)
        if len(content) > _LIMIT_BYTES:
            raise _BadFileError("it is larger than any commune")
    except BaseException:
        # What is left in the connection belongs to this answer: it must not be used again.
        answer.close()
        raise
    answer.release_conn()
    return content


def _http_pool(base_url: str, network: Network) -> urllib3.PoolManager:
    """Connections straight or through the proxy that the environment names."""
    timeout = urllib3.Timeout(connect=network.connect_s, read=network.read_s)
    address = urlsplit(base_url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise UsageError(
            f"ANCU_DOWNLOAD_URL is {base_url!r}; it must begin with https:// or http://."
        )
    proxy = urllib.request.getproxies().get(address.scheme)
    if proxy and not urllib.request.proxy_bypass(address.hostname):
        return urllib3.ProxyManager(proxy, timeout=timeout, maxsize=network.at_once)
    return urllib3.PoolManager(timeout=timeout, maxsize=network.at_once)


def _no_network(base_url: str) -> UnavailableError:
    return UnavailableError(
        f"{urlsplit(base_url).hostname} does not answer. Without a network: name a boundary file "
        "in ANCU_BOUNDARIES or put it into data/boundaries/, or make an approximate map with "
        "`ancu boundaries sketch`."
    )


def _slug(name: str) -> str:
    """The repository's form of a name: `Cư M'gar` → `cu_mgar`."""
    return fold(name.translate(_APOSTROPHES)).replace(" ", "_")
