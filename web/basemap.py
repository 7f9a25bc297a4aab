"""The background of maps, where one is set: tiles of another host, or a PMTiles file."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, send_file, url_for
from flask_babel import gettext as _

from api.access import signed_in
from geo.config import settings
from geo.errors import NotFoundError, UnavailableError

pages = Blueprint("basemap", __name__)

_HEADER = 127
_MAGIC = b"PMTiles\x03"
_MVT, _RASTER = 1, (2, 3, 4, 5)
_KIND_AT, _MIN_ZOOM_AT, _MAX_ZOOM_AT = 99, 100, 101
_SCRIPTS = {
    "raster": (("pmtiles", "vendor/pmtiles.js"),),
    "vector": (("protomaps", "vendor/protomaps-leaflet.js"),),
}


@dataclass(frozen=True)
class Archive:
    """A PMTiles file (version 3): whether its tiles are vectors, and its zooms."""

    vector: bool
    min_zoom: int
    max_zoom: int


def layer() -> dict[str, Any] | None:
    """What a map's script needs to draw the background; None without one.

    kind: xyz, raster, vector; missing where the file cannot be read, which the map then says.
    """
    known = settings()
    credit = known.basemap_attribution or _("Bản đồ nền")
    if known.basemap_file:
        try:
            archive = read(known.basemap_file)
        except UnavailableError:
            return {"kind": "missing", "credit": _("Không đọc được tệp bản đồ nền.")}
        version = int(known.basemap_file.stat().st_mtime)
        return {
            "kind": "vector" if archive.vector else "raster",
            "url": url_for("basemap.file", v=version),
            "credit": credit,
            "minZoom": archive.min_zoom,
            "maxZoom": archive.max_zoom,
        }
    if known.basemap_url:
        return {"kind": "xyz", "url": known.basemap_url, "credit": credit}
    return None


def scripts() -> tuple[tuple[str, str], ...]:
    """The browser libraries that the background needs: name and path below static."""
    found = layer()
    return _SCRIPTS.get(found["kind"], ()) if found else ()


def read(path: Path) -> Archive:
    """The header of a PMTiles file; raises UnavailableError."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER)
    except OSError:
        raise UnavailableError(
            f"ANCU_BASEMAP_FILE: the file {path.name} cannot be read. Correct the setting."
        ) from None
    known = len(head) == _HEADER and head.startswith(_MAGIC)
    if not known or head[_KIND_AT] not in (_MVT, *_RASTER):
        raise UnavailableError(
            f"ANCU_BASEMAP_FILE: {path.name} is no PMTiles file of version 3. Correct the setting."
        )
    return Archive(head[_KIND_AT] == _MVT, head[_MIN_ZOOM_AT], head[_MAX_ZOOM_AT])


def origin() -> str:
    """`scheme://host` of background tiles for the page's policy; `{s}` becomes a wildcard."""
    url = settings().basemap_url
    if not url or settings().basemap_file:
        return ""
    parts = urlsplit(url)
    host = parts.netloc.replace("{s}", "*")
    # Anything else in the place of the host would be read as more of the policy.
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"(\*\.)?[\w.-]+(:\d+)?", host):
        return ""
    return f"{parts.scheme}://{host}"


@pages.get("/basemap.pmtiles")
@signed_in
def file() -> Response:
    """The PMTiles file, in the ranges of bytes that the browser asks for."""
    path = settings().basemap_file
    if path is None:
        raise NotFoundError("No background map is set.")
    read(path)
    answer = send_file(path.resolve(), mimetype="application/vnd.pmtiles", conditional=True)
    # A background tells nothing of anybody; it stays in the browser until the file changes.
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer
