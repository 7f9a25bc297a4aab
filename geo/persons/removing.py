"""Removal of a household at the person's request: nobody's any more, and every figure as before."""

from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    String,
    Table,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from geo import metrics, personal_ids
from geo.account_tables import record_change, removed_household
from geo.accounts import sealing
from geo.audit_tables import audit_decision, audit_item, audit_sample_item, photo, revisit
from geo.counter_tables import commune_counter
from geo.errors import RejectedError
from geo.intake.session import Key
from geo.persons import history, holding
from geo.tables import (
    finding,
    household,
    household_status,
    import_conflict,
    site,
    survey,
    verdict_history,
)

_ZONE = "Asia/Ho_Chi_Minh"
_REASONS_OF_VERDICT = (
    *("probability", "distance_m", "accuracy_used_m", "boundary_accuracy_m"),
    *("recorded_code", "located_code", "boundary_version", "judged_at"),
)
_PLACE = ("geom", "accuracy_m", "cell")
_KEPT = {
    household.name: ("status", "status_year", "demo"),
    site.name: (
        *("kind", "stage", "stage_on", "approved_on", "due_on", "cost_planned", "cost_paid"),
        *("verdict", "demo"),
    ),
}
_HOME = ("province_code", "commune_code")


def remove(conn: Connection, key: tuple[str, str, str | None], reason: str, confirmed: str) -> Key:
    """Take all that is personal out of a household, its surveys and sites; its new, random key.

    key: province, household code, commune (None where the code stands for one). confirmed: the
    household's code once more. Commune, status, class of the verdict, stage, days and costs stay,
    so that no figure changes. The code cannot be imported again.
    Raises RejectedError, NotFoundError, ConflictError.
    """
    history.checked(reason)  # kept by the access log, with the code that was removed
    row = holding.locked(conn, *key)
    was = holding.key_of(row)
    if confirmed.strip() != was[2]:
        raise RejectedError("This is not the household's code; nothing was removed.")
    new = (was[0], was[1], f"removed-{uuid4().hex}")
    _forget_about(conn, was, new[2])
    _copy_bare(conn, household, holding.is_(was), household_code=literal(new[2]))
    _strip_statuses(conn, was, new[2])
    _strip_surveys(conn, was, new[2])
    _strip_sites(conn, was, new[2])
    conn.execute(delete(household).where(holding.is_(was)))
    _bar(conn, row)
    metrics.recount(conn, {was[:2]})
    return new


def _forget_about(conn: Connection, was: Key, new_code: str) -> None:
    """Delete findings, former verdicts and copies kept aside; empty the history of corrections."""
    subjects = [("household", was[2])]
    for name, table, column in (
        ("survey", survey, cast(survey.c.survey_id, String)),
        ("site", site, site.c.site_code),
    ):
        found = conn.execute(select(column).where(holding.is_(was, table))).scalars()
        subjects += [(name, identity) for identity in found]
    conn.execute(delete(revisit).where(holding.is_(was, revisit)))
    for table in (finding, verdict_history, audit_item, photo):
        conn.execute(delete(table).where(_about(table, was, "subject", "subject_id", subjects)))
    # That something was decided stays, without what it was about.
    conn.execute(
        update(audit_decision)
        .where(_about(audit_decision, was, "subject", "subject_id", subjects))
        .values(subject_id=new_code, reason="", details={})
    )
    # A sample's estimate rests on the outcome, not on whose house it was.
    conn.execute(
        update(audit_sample_item)
        .where(_about(audit_sample_item, was, "subject", "subject_id", subjects))
        .values(
            subject_id=literal("removed-").concat(cast(func.gen_random_uuid(), String)),
            household_code=new_code,
            note="",
        )
    )
    kinds = [(f"{name}s", identity) for name, identity in subjects]
    copies = _about(import_conflict, was, "kind", "key", kinds)
    conn.execute(delete(import_conflict).where(copies))
    conn.execute(
        update(record_change)
        .where(_about(record_change, was, "subject", "subject_id", subjects))
        .values(old_value=null(), new_value=null(), reason="", subject_id=new_code)
    )


def _about(
    table: Table, was: Key, kind: str, identity: str, subjects: list[tuple[str, str]]
) -> ColumnElement[bool]:
    return and_(
        table.c.province_code == was[0],
        table.c.commune_code == was[1],
        tuple_(table.c[kind], table.c[identity]).in_(subjects),
    )


def _copy_bare(
    conn: Connection, table: Table, which: ColumnElement[bool], **changed: ColumnElement
) -> None:
    """The rows once more under another key, with only what is counted."""
    values: dict[str, ColumnElement] = {name: table.c[name] for name in _HOME}
    values |= {name: table.c[name] for name in _KEPT[table.name]}
    values |= {
        name: literal("")
        for name in ("head_name", "recorded_address", "search_key")
        if name in table.c and not table.c[name].nullable
    }
    values |= {"content_hash": literal(""), "removed": literal(True)}
    values |= {"received_at": _day(table.c.received_at), **changed}
    conn.execute(insert(table).from_select(list(values), select(*values.values()).where(which)))


def _strip_statuses(conn: Connection, was: Key, new_code: str) -> None:
    conn.execute(
        update(household_status)
        .where(holding.is_(was, household_status))
        .values(household_code=new_code, recorded_at=_day(household_status.c.recorded_at))
    )


def _strip_surveys(conn: Connection, was: Key, new_code: str) -> None:
    """Leave the verdict's class and the day; the moment only where it is a published figure."""
    latest = (
        select(commune_counter.c.last_activity)
        .where(commune_counter.c.province_code == was[0], commune_counter.c.commune_code == was[1])
        .scalar_subquery()
    )
    moment = survey.c.surveyed_at
    gone = (
        "recorded_address",
        "mock_location",
        "device_id",
        "altitude_m",
        "satellites",
        "photo",
        "sent_at",
        "as_sent",
    )
    conn.execute(
        update(survey)
        .where(holding.is_(was, survey))
        .values(
            survey_id=func.gen_random_uuid(),
            household_code=new_code,
            surveyed_at=case((moment == latest, moment), else_=_day(moment)),
            enumerator="",
            candidates=[],
            crs="EPSG:4326",
            attributes={},
            content_hash="",
            import_id=None,
            received_at=_day(survey.c.received_at),
            removed=True,
            **dict.fromkeys((*gone, *_PLACE, *_REASONS_OF_VERDICT)),
        )
    )


def _strip_sites(conn: Connection, was: Key, new_code: str) -> None:
    """Leave kind, stage, days, costs and the verdict's class; the report of each stage goes."""
    renamed = literal("removed-").concat(
        func.replace(cast(func.gen_random_uuid(), String), "-", "")
    )
    of_it = holding.is_(was, site)
    _copy_bare(conn, site, of_it, household_code=literal(new_code), site_code=renamed)
    conn.execute(delete(site).where(of_it))


def _bar(conn: Connection, row: RowMapping) -> None:
    """Remember the code by its keyed fingerprint, so that no file brings the household back."""
    conn.execute(
        upsert(removed_household)
        .values(
            province_code=row["province_code"],
            commune_code=row["commune_code"],
            code_print=sealing.fingerprint(personal_ids.code_text(row["household_code"])),
            demo=row["demo"],
        )
        .on_conflict_do_nothing()
    )


def _day(moment: ColumnElement) -> ColumnElement:
    """The beginning of the moment's day in Viet Nam."""
    return func.date_trunc("day", moment, _ZONE)
