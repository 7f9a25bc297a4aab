"""Answers that endpoints share: JSON, pages of records, whole files."""

import hashlib
import re
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, cast

import orjson
from flask import Response, request, send_file
from sqlalchemy import Connection

from api import downloads
from api.access import asked, begin, note, query_text
from api.params import Listing
from geo import areas, exports
from geo.paging import Page
from geo.writing import MEDIA_TYPES, WRITERS
from geo.writing.extract import Extract, of_rows, unheard
from geo.writing.geojson import feature

_UNSAFE = re.compile(r"[^0-9A-Za-z_-]")


def json(value: object, content_type: str = "application/json") -> Response:
    """`value` as JSON."""
    body = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, content_type=content_type)


def tagged(body: bytes, content_type: str) -> Response:
    """A body with a weak ETag: a client asks again each time and gets 304 while it is the same."""
    answer = Response(body, content_type=content_type)
    answer.set_etag(hashlib.blake2b(body, digest_size=12).hexdigest(), weak=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    return cast(Response, answer.make_conditional(request))


def record(found: dict[str, Any]) -> Response:
    """One record as JSON; the access log learns where it stands."""
    note(province_code=found["province_code"], commune_code=found["commune_code"], rows=1)
    return json(found)


def listing(kind: str, query: Listing, read: Callable[..., Page], **more: Any) -> Response:
    """One page of a noun's listing as JSON or GeoJSON, or all that matches as a file."""
    action = query.action()
    note(action=action, subject=kind, query=query_text())
    with begin(action) as conn:
        area = asked(conn, query.area, action)
        if action == "records.read":
            page = read(
                conn, area, cursor=query.cursor, limit=query.limit, **query.filters(), **more
            )
    if action == "records.export":
        return downloads.send(kind, area, query.format, query.filters(), query.ticket or "")
    note(rows=len(page.items))
    if query.format == "json":
        return json({"items": page.items, "next_cursor": page.next_cursor})
    collection = {
        "type": "FeatureCollection",
        "features": [_feature(item) for item in page.items],
        "next_cursor": page.next_cursor,
    }
    return json(collection, "application/geo+json")


def _feature(item: dict[str, Any]) -> dict[str, Any]:
    return feature(item, list(item))


def figures(conn: Connection, area: areas.Area, format: str) -> Response:
    """The figures of an area and of its children as a file to keep."""
    return whole(exports.progress_extract(conn, area), f"progress-{area.code}", format)


def table(name: str, format: str, columns: Sequence[str], rows: list[dict[str, Any]]) -> Response:
    """Rows at hand as a file to keep."""
    note(rows=len(rows), durable=True)
    return whole(of_rows(name, columns, rows), name, format)


def whole(extract: Extract, name: str, format: str) -> Response:
    """An extract as a file to keep, made before the answer begins."""

    def write(out: BinaryIO) -> None:
        note(rows=WRITERS[format](extract, out, True, unheard), durable=True)

    return _attach(name, format, write)


def items(extract: Extract) -> Response:
    """All rows of an extract as JSON; flags are true or false."""
    flags = {column.name for column in extract.columns if column.kind == "flag"}
    # Encoded one by one: the country's rows as objects would be many times their JSON.
    rows = [
        orjson.dumps(
            {
                name: bool(cell) if name in flags and cell is not None else cell
                for name, cell in zip(extract.names, cells, strict=True)
            }
        )
        for cells in extract.cells()
    ]
    note(rows=len(rows))
    body = b'{"items":[' + b",".join(rows) + b"]}"
    return Response(body, content_type="application/json")


def _attach(name: str, format: str, write: Callable[[BinaryIO], object]) -> Response:
    # On disk beyond a few MB, and whole before the first byte is sent.
    file = tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024)  # noqa: SIM115
    try:
        write(cast(BinaryIO, file))
    except BaseException:
        file.close()
        raise
    file.seek(0)
    answer = send_file(
        cast(BinaryIO, file),
        mimetype=MEDIA_TYPES[format],
        as_attachment=True,
        download_name=f"ancu-{_UNSAFE.sub('', name)}.{format}",
    )
    answer.call_on_close(file.close)
    return answer
