"""One case as the desk shows it: its rows, what is doubted in words, and what was decided."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from api.access import current
from geo import areas, rules, sites, surveys
from geo.accounts import roles
from geo.areas import COUNTRY, Area
from geo.audit import decisions, lately, queue, repairs, revisits, surroundings
from geo.audit.repairs import Key
from geo.config import settings
from geo.errors import ConflictError, NotFoundError
from geo.photos import alike
from web import audit_labels, desk, desk_evidence, formats, photos
from web.language import language
from web.shell import area_names, area_or_none

Row = Mapping[str, Any]

DECIDE = "audit.decide"
MOST_MEMBERS = 200


def chosen(conn: Connection, asked: desk.Desk, wanted: queue.Asked | None = None) -> Key | None:
    """The survey or site that a desk's address names, by itself or as the worst of its case.

    Of a case it is the row that stands in the list of what is wanted, if one does.
    """
    if key := desk.read_key(asked.get("item")):
        return key
    if case := desk.read_case(asked.get("case")):
        if wanted and (row := queue.worst(conn, wanted, *case)):
            return lately.key_of(row)
        rows = queue.members(conn, *case, limit=1)
        return lately.key_of(rows[0]) if rows else None
    if survey_id := asked.get("survey"):
        try:
            found = surveys.get(conn, survey_id, asked.get("commune") or None)
        except (NotFoundError, ConflictError):
            return None
        return Key("survey", found["province_code"], found["commune_code"], survey_id)
    return None


def record(conn: Connection, key: Key) -> dict[str, Any]:
    """The survey or site with findings and former verdicts; raises NotFoundError."""
    if key.subject == "survey":
        found = surveys.get(conn, key.subject_id, key.commune_code)
        found["happened_at"] = found["surveyed_at"]
    else:
        found = sites.get(conn, key.province_code, key.subject_id, key.commune_code)
        found["happened_at"] = None
    if found["province_code"] != key.province_code:
        raise NotFoundError(f"There is no {key.subject} {key.subject_id}.")
    return found


def shown(conn: Connection, key: Key, typed: Row | None = None) -> dict[str, Any]:
    """What templates/audit_case.html is filled with; raises NotFoundError.

    typed: what a refused form held, to be shown again.
    """
    found = record(conn, key)
    item = queue.item(conn, key.subject, key[1:])
    members = _members(conn, item)
    row = desk_evidence.row_of(key, found)
    keys = [lately.key_of(one) for one in members]
    mine = {one for one in keys if may_decide(one)}
    return {
        "key": key,
        "item": item,
        "found": found,
        "page": desk_evidence.page_of(key),
        "evidence": desk_evidence.address(key),
        "plain": formats.unbroken(rules.explain(found, language())),
        "findings": told(found["findings"]),
        "proposed": repairs.proposed(found["findings"]),
        "members": [
            {**one, "key": of_it, "mine": of_it in mine}
            for one, of_it in zip(members, keys, strict=True)
        ],
        "size": _size(conn, item, len(members)),
        "elsewhere": len(keys) - len(mine),
        "may_decide": item is not None and key in mine,
        "seen": lately.seen(conn, keys),
        "photos": photos.shown(conn, key.subject, found),
        "alike": _alike(conn, key, found["findings"], keys),
        "revisits": revisits.of_household(conn, *key[1:3], found["household_code"]),
        "route": surroundings.route_of_day(conn, row),
        "near": near(conn, row),
        "own": surroundings.own_points(conn, row),
        "decisions": decisions.history(conn, key.subject, key[1:]),
        "names": area_names(conn, [found, *found["history"]], area_of(conn, key)),
        "area": area_of(conn, key),
        "typed": typed or {},
    }


def told(findings: Sequence[Row]) -> list[dict[str, Any]]:
    """Findings in words: title, the sentence with its numbers, what it means, how grave."""
    made = []
    for finding in findings:
        rule = rules.RULES.get(finding["rule"])
        severity = finding["severity"]
        made.append(
            {
                "rule": finding["rule"],
                "title": getattr(rule, language()) if rule else finding["rule"],
                "says": formats.unbroken(rules.say(rule, finding["evidence"], language()))
                if rule
                else "",
                "means": getattr(rule, f"means_{language()}") if rule else "",
                "sign": audit_labels.SEVERITY_SIGNS[severity],
                "severity": audit_labels.SEVERITIES[severity],
                "blameless": finding.get("blameless", False),
            }
        )
    return made


def near(conn: Connection, row: Row) -> dict[str, Any]:
    """How many surveys of other households lie around, and how many of these are inside."""
    around = surroundings.neighbours(conn, dict(row))
    close = [
        one for one in around
        if one["apart_m"] is not None and one["apart_m"] <= settings().near_m
    ]  # fmt: skip
    hamlet = [one for one in around if one["hamlet"]]
    apart = sorted(one["apart_m"] for one in hamlet if one["apart_m"] is not None)
    return {
        "at_least": len(close) >= surroundings.MOST,
        "hamlet_at_least": len(hamlet) >= surroundings.MOST,
        "close": len(close),
        "inside": sum(one["verdict"] == "inside" for one in close),
        "hamlet": len(hamlet),
        "hamlet_m": apart[len(apart) // 2] if apart else None,
        "metres": settings().near_m,
    }


def _size(conn: Connection, item: Row | None, listed: int) -> int:
    """How many rows the case has; only a case that fills the list need be counted."""
    if item is None or listed < MOST_MEMBERS:
        return listed
    return queue.size(conn, item["province_code"], item["case_key"])


def _alike(
    conn: Connection, key: Key, findings: Sequence[Row], members: Sequence[Key]
) -> list[dict[str, Any]]:
    """Photos that rows of the case share, side by side, with the page of the other row."""
    if not any(finding["rule"] == "photo_reused" for finding in findings):
        return []
    return [
        {**one, "key": (other := Key(*(one[name] for name in Key._fields))), "same": other == key}
        for one in alike.pairs(conn, tuple(key), [tuple(member) for member in members])
    ]


def may_decide(key: Key) -> bool:
    """Whether the user may decide about this very survey or site."""
    return roles.reach(current(), DECIDE).covers(key.province_code, key.commune_code)


def area_of(conn: Connection, key: Key) -> Area:
    """The commune of a survey or site, else its province, else the country."""
    for code in (key.commune_code, key.province_code):
        if code and (found := area_or_none(conn, code)):
            return found
    return areas.get(conn, COUNTRY)


def _members(conn: Connection, item: Row | None) -> list[dict[str, Any]]:
    if item is None:
        return []
    return queue.members(conn, item["province_code"], item["case_key"], MOST_MEMBERS)
