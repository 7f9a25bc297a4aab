"""Moves households to another commune of their province, with all that is stored of them."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    String,
    Table,
    Text,
    and_,
    delete,
    exists,
    insert,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy import cast as as_type

from geo.account_tables import record_change
from geo.audit_tables import audit_decision, audit_item, audit_sample_item, photo, revisit
from geo.tables import (
    finding,
    household,
    household_status,
    import_conflict,
    site,
    site_stage,
    survey,
    verdict_history,
)


class Move(NamedTuple):
    """A household, and the commune that it belongs to from now on."""

    province_code: str
    commune_code: str
    household_code: str
    to_commune: str


def _temporary(name: str, *columns: str) -> Table:
    listed = (Column(column, Text) for column in columns)
    return Table(name, MetaData(), *listed, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


_MOVING = _temporary("moving", *Move._fields)
_SUBJECT = _temporary(
    "moving_subject", "province_code", "commune_code", "subject", "subject_id", "to_commune"
)
_SUBJECTS = (
    ("household", household, household.c.household_code),
    ("survey", survey, survey.c.survey_id),
    ("site", site, site.c.site_code),
)
_ABOUT_SUBJECTS = (
    *(finding, verdict_history, record_change),
    *(audit_item, audit_decision, audit_sample_item, photo),
)


def move(conn: Connection, moves: Collection[Move], placed_by: str | None) -> set[Move]:
    """Move households and return those that moved: recount their former and new communes.

    One stays where it is when the new commune has a household of its code already, or a survey
    or site with the identity of one of its own. placed_by: code, address, point, survey or fix;
    None where it goes back to being open.
    """
    if not moves:
        return set()
    for table in (_MOVING, _SUBJECT):
        table.create(conn)
    conn.execute(insert(_MOVING), [one._asdict() for one in sorted(set(moves))])
    conn.execute(delete(_MOVING).where(~exists().where(_of_household(household))))
    for _name, table, key in _SUBJECTS:
        conn.execute(delete(_MOVING).where(_of_household(table), _clashes(table, key)))
    _note_subjects(conn)
    # Foreign keys hold the keys: new rows first, then what hangs on them, then the old ones go.
    _copy(conn, household, placed_by=placed_by)
    for table in (household_status, survey, revisit):
        _carry(conn, table, _MOVING, _of_household(table))
    _copy(conn, site)
    for table in _ABOUT_SUBJECTS:
        _carry(conn, table, _SUBJECT, _about(table, None))
    _carry(conn, site_stage, _SUBJECT, _about(site_stage, "site"))
    _move_conflicts(conn)
    for table in (site, household):
        conn.execute(delete(table).where(_of_household(table)))
    moved = {Move(*row) for row in conn.execute(select(_MOVING))}
    for table in (_MOVING, _SUBJECT):
        table.drop(conn)
    return moved


def _of_household(table: Table) -> ColumnElement[bool]:
    """Whether a row, or the household that it belongs to, is one of those that move."""
    names = ("province_code", "commune_code", "household_code")
    return and_(*(table.c[name] == _MOVING.c[name] for name in names))


def _clashes(table: Table, key: Column) -> ColumnElement[bool]:
    there = table.alias("there")
    return exists().where(
        there.c.province_code == _MOVING.c.province_code,
        there.c.commune_code == _MOVING.c.to_commune,
        there.c[key.name] == key,
    )


def _note_subjects(conn: Connection) -> None:
    """Keep what moves by kind and identity, for the tables that know it by these."""
    for name, table, key in _SUBJECTS:
        found = select(
            table.c.province_code,
            table.c.commune_code,
            literal(name),
            as_type(key, String),
            _MOVING.c.to_commune,
        ).where(_of_household(table))
        conn.execute(insert(_SUBJECT).from_select([c.name for c in _SUBJECT.c], found))


def _copy(conn: Connection, table: Table, **changed: str | None) -> None:
    """The rows once more, in their new commune."""
    # As they are stored: geometries would be read as something else.
    values: dict[str, ColumnElement] = {
        c.name: literal_column(f"{table.name}.{c.name}") for c in table.c
    }
    values |= {name: literal(value) for name, value in changed.items()}
    values["commune_code"] = _MOVING.c.to_commune
    found = select(*values.values()).select_from(table.join(_MOVING, _of_household(table)))
    conn.execute(insert(table).from_select(list(values), found))


def _carry(conn: Connection, table: Table, by: Table, which: ColumnElement[bool]) -> None:
    """Give rows their new commune."""
    conn.execute(update(table).values(commune_code=by.c.to_commune).where(which))


def _about(table: Table, what: str | None) -> ColumnElement[bool]:
    """Whether a row is about something that moves: of the kind `what`, or as its subject says."""
    key = table.c.site_code if what else table.c.subject_id
    kind = literal(what) if what else table.c.subject
    return and_(
        table.c.province_code == _SUBJECT.c.province_code,
        table.c.commune_code == _SUBJECT.c.commune_code,
        _SUBJECT.c.subject == kind,
        _SUBJECT.c.subject_id == key,
    )


def _move_conflicts(conn: Connection) -> None:
    """Copies that were kept aside; one that the new commune has as well goes."""
    there = import_conflict.alias("there")
    about = and_(
        import_conflict.c.province_code == _SUBJECT.c.province_code,
        import_conflict.c.commune_code == _SUBJECT.c.commune_code,
        import_conflict.c.kind == _SUBJECT.c.subject + "s",
        import_conflict.c.key == _SUBJECT.c.subject_id,
    )
    same = [there.c[name] == import_conflict.c[name] for name in ("kind", "key", "content_hash")]
    known = exists().where(
        there.c.province_code == _SUBJECT.c.province_code,
        there.c.commune_code == _SUBJECT.c.to_commune,
        *same,
    )
    conn.execute(delete(import_conflict).where(about, known))
    _carry(conn, import_conflict, _SUBJECT, about)
