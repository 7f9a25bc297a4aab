"""What the map draws around one survey or site: its evidence, as JSON with texts in words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import Connection

from geo import boundaries, rules
from geo.audit import queue, repairs, surroundings
from geo.audit.repairs import Key
from web import formats, labels, maps
from web.language import language

Row = Mapping[str, Any]


def drawn(conn: Connection, key: Key, found: Row) -> dict[str, Any]:
    """All that the map draws for a survey or site; positions are [lat, lon] in EPSG:4326.

    found: what geo.surveys.get or geo.sites.get answers. outlines: addresses of the recorded
    area's border. nearest: the border's nearest point where the verdict is doubtful, else null.
    layers: name → marks with at, text and what tells them apart.
    """
    row = row_of(key, found)
    mark = maps.VERDICT_MARKS[found["verdict"]]
    shown = found["candidates"] or [found["recorded_code"] or found["commune_code"]]
    return {
        "key": ":".join(key),
        "verdict": found["verdict"],
        "label": f"{mark.sign} {labels.VERDICTS[found['verdict']]}",
        "summary": rules.explain(found, language()),
        "point": _at(found),
        "accuracy_m": found["accuracy_used_m"] or found["accuracy_m"],
        "nearest": _nearest_border(conn, found) if found["verdict"] != "inside" else None,
        "outlines": [maps.outline_url(code) for code in shown if code],
        "page": page_of(key),
        "layers": {
            "neighbours": [_neighbour(one) for one in surroundings.neighbours(conn, row)],
            "own": [_own(one) for one in surroundings.own_points(conn, row)],
            "route": _marks(surroundings.route_of_day(conn, row), _stop),
            "members": _marks(others_of_case(conn, key), _member),
            "repaired": _proposed(found),
            "sent": _as_sent(found),
        },
    }


def row_of(key: Key, found: Row) -> dict[str, Any]:
    """A survey or site as geo.audit.surroundings takes it."""
    return {
        **key._asdict(),
        "household_code": found["household_code"],
        "enumerator": found.get("enumerator"),
        "happened_at": found.get("surveyed_at"),
        "lon": found["lon"],
        "lat": found["lat"],
    }


def others_of_case(conn: Connection, key: Key) -> Sequence[Row]:
    """The other rows of the case that a survey or site is in."""
    item = queue.item(conn, key.subject, key[1:])
    if item is None:
        return []
    members = queue.members(conn, key.province_code, item["case_key"])
    return [one for one in members if _key(one) != key]


def page_of(key: Key) -> str:
    """The address of a survey's or site's own page."""
    commune = key.commune_code or None
    if key.subject == "survey":
        return url_for("records.survey", survey_id=key.subject_id, commune=commune)
    return url_for(
        "records.site",
        province_code=key.province_code,
        site_code=key.subject_id,
        commune=commune,
    )


def address(key: Key) -> str:
    """Where the map gets the evidence of a survey or site."""
    commune = key.commune_code or None
    if key.subject == "survey":
        return url_for("records.survey_evidence", survey_id=key.subject_id, commune=commune)
    return url_for(
        "records.site_evidence",
        province_code=key.province_code,
        site_code=key.subject_id,
        commune=commune,
    )


def _key(row: Row) -> Key:
    return Key(*(row[name] for name in Key._fields))


def _at(row: Row) -> list[float] | None:
    return None if row["lon"] is None else [row["lat"], row["lon"]]


def _marks(rows: Iterable[Row], told: Callable[[int, Row], dict[str, Any]]) -> list[dict[str, Any]]:
    """The marks of rows with a point, numbered as they stand in the list."""
    return [told(n, one) | {"at": _at(one)} for n, one in enumerate(rows, 1) if one["lon"]]


def _named(row: Row, *more: str | None) -> str:
    return " · ".join(filter(None, (row["head_name"] or row["household_code"], *more)))


def _apart(row: Row) -> str | None:
    apart = row.get("apart_m")
    return None if apart is None else _("cách %(d)s", d=formats.distance(apart))


def _neighbour(row: Row) -> dict[str, Any]:
    hamlet = _("cùng thôn") if row["hamlet"] else None
    return {
        "at": _at(row),
        "verdict": row["verdict"],
        "text": _named(row, str(labels.VERDICTS[row["verdict"]]), hamlet, _apart(row)),
    }


def _own(row: Row) -> dict[str, Any]:
    names = {
        "household": _("điểm của hộ"),
        "survey": _("phiếu khác của hộ"),
        "site": _("nhà của hộ"),
    }
    when = formats.moment(row["happened_at"]) if row["kind"] == "survey" else None
    told = " · ".join(filter(None, (names[row["kind"]], when, _apart(row))))
    return {"at": _at(row), "kind": row["kind"], "text": told}


def _stop(number: int, row: Row) -> dict[str, Any]:
    return {"number": number, "text": _named(row, formats.moment(row["happened_at"]))}


def _member(_number: int, row: Row) -> dict[str, Any]:
    return {
        "verdict": row["verdict"],
        "text": _named(row, _("cùng trường hợp"), row["enumerator"]),
    }


def _proposed(found: Row) -> list[dict[str, Any]]:
    point = repairs.proposed(found["findings"])
    if point is None:
        return []
    return [{"at": [point.lat, point.lon], "text": _("điểm được đề xuất")}]


def _as_sent(found: Row) -> list[dict[str, Any]]:
    """The point that the device sent, where an auditor corrected it."""
    sent = found.get("as_sent")
    if not sent or sent.get("lon") is None:
        return []
    return [{"at": [sent["lat"], sent["lon"]], "text": _("điểm gốc máy gửi")}]


def _nearest_border(conn: Connection, record: Row) -> list[float] | None:
    if record["lon"] is None or not record["recorded_code"]:
        return None
    shapes = boundaries.shapes(conn, [record["recorded_code"]])
    nearest = shapes.nearest_border(record["recorded_code"], record["lon"], record["lat"])
    return nearest and [nearest[1], nearest[0]]
