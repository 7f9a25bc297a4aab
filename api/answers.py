"""Answers that endpoints share: JSON, pages of records, whole files."""

import hashlib
import re
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, cast

import orjson
from flask import Response, request, send_file
from sqlalchemy import Connection

from api.access import asked, begin, note, query_text
from api.params import Listing
from geo import areas, exports
from geo.paging import Page
from geo.writers import feature

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
        if action == "records.export":
            return download(conn, kind, area, query.format, **query.filters())
        page = read(conn, area, cursor=query.cursor, limit=query.limit, **query.filters(), **more)
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


def download(
    conn: Connection, kind: str, area: areas.Area, format: str, **filters: Any
) -> Response:
    """All records of a kind that match as a file to keep; CSV is marked as UTF-8 for Excel."""

    def write(out: BinaryIO) -> None:
        rows = exports.export(conn, kind, area, format, out, bom=True, **filters)
        note(rows=rows, durable=True)

    return _attach(f"{kind}-{area.code}", format, write)


def table(name: str, format: str, columns: Sequence[str], rows: list[dict[str, Any]]) -> Response:
    """Rows at hand as a file to keep."""
    note(rows=len(rows), durable=True)
    taken = exports.Extract(name, tuple(columns), rows, False, False, frozenset())
    return _attach(name, format, lambda out: exports.WRITERS[format](taken, out, True))


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
        mimetype=exports.MEDIA_TYPES[format],
        as_attachment=True,
        download_name=f"ancu-{_UNSAFE.sub('', name)}.{format}",
    )
    answer.call_on_close(file.close)
    return answer
