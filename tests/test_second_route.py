"""The second net by itself: SQL of our own over a connection of the role that the server works as.

None of the service's queries is used, so none of its conditions helps.
"""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, exc, text
from sqlalchemy.pool import StaticPool

from geo.account_tables import metadata
from geo.cluster import Cluster
from geo.scope import NOBODY, OPERATOR, Scope, bind
from tests import matrix_doubts, matrix_drawn, matrix_world
from tests.conftest import unpooled
from tests.forbidden_sql import FORBIDDEN, REFUSED
from tests.matrix_world import SPOTS
from tests.test_catalogue import CLOSED, PROTECTED, PUBLIC

OF_AREAS = sorted(
    name
    for name in PROTECTED
    if {"province_code", "commune_code"} <= {c.name for c in metadata.tables[name].c}
)
RECORDS = sorted(
    set(OF_AREAS)
    - {"account", "account_role", "handover", "team", "access_log", "removed_household"}
)
EVERYTHING = Scope(everything=True, write=True, action="accounts.manage", figures_elsewhere=True)


@pytest.fixture(scope="module")
def url(make_database: Callable[..., str], template_url: str) -> str:
    """A database with the world of the matrix."""
    made = make_database(template_url)
    owner = unpooled(made)
    with owner.begin() as conn:
        bind(conn, OPERATOR)
        matrix_world.build(conn)
        for spot in SPOTS.values():
            matrix_drawn.add(conn, spot)
            matrix_doubts.add(conn, spot)
        conn.execute(text("ANALYZE"))
    return made


@pytest.fixture(scope="module")
def owner(url: str) -> Iterator[Engine]:
    made = unpooled(url)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def engine(url: str, cluster: Cluster) -> Iterator[Engine]:
    """One connection of the runtime role for all, as a pool would hand it on."""
    name = url.split("?")[0].split("/")[-1]
    made = create_engine(cluster.url(name, user="ancu_runtime"), poolclass=StaticPool)
    yield made
    made.dispose()


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    """A transaction of the runtime role without any setting; undone afterwards."""
    with engine.connect() as connection:
        outer = connection.begin()
        yield connection
        if outer.is_active:
            outer.rollback()


def count(conn: Connection, table: str) -> int:
    return conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def code_of(conn: Connection, statement: str, **values: object) -> str:
    """The SQLSTATE with which a statement is refused."""
    with pytest.raises(exc.DBAPIError) as refused, conn.begin_nested():
        conn.execute(text(statement), values)
    return str(refused.value.orig.pgcode)


def row_of(owner: Engine, table: str) -> str:
    with owner.connect() as conn:
        found = conn.execute(text(f"SELECT to_jsonb(one)::text FROM {table} AS one LIMIT 1"))
        return str(found.scalar_one_or_none() or "{}")


# ---- what the role is


def test_the_connection_is_the_runtime_role_s(conn: Connection) -> None:
    found = conn.execute(text("SELECT session_user, current_user")).one()
    assert tuple(found) == ("ancu_runtime", "ancu_runtime")


def test_it_has_no_power_of_its_own(conn: Connection) -> None:
    found = conn.execute(
        text(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication "
            "FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    assert tuple(found) == (False,) * 5
    member_of = "SELECT count(*) FROM pg_auth_members WHERE member = current_user::regrole"
    assert conn.execute(text(member_of)).scalar_one() == 0


@pytest.mark.parametrize(
    ("catalogue", "column"),
    [
        ("pg_class", "relowner"),
        ("pg_proc", "proowner"),
        ("pg_namespace", "nspowner"),
        ("pg_type", "typowner"),
        ("pg_database", "datdba"),
        ("pg_extension", "extowner"),
    ],
)
def test_it_owns_nothing(conn: Connection, catalogue: str, column: str) -> None:
    owned = f"SELECT count(*) FROM {catalogue} WHERE {column} = current_user::regrole"
    assert conn.execute(text(owned)).scalar_one() == 0


# ---- without a scope


def test_the_world_holds_rows_of_every_table(owner: Engine) -> None:
    with owner.connect() as conn:
        empty = {table for table in PROTECTED if not count(conn, table)}
    assert empty == {"removed_household"}


@pytest.mark.parametrize("table", sorted(PROTECTED))
def test_nothing_is_seen_without_a_scope(conn: Connection, table: str) -> None:
    assert count(conn, table) == 0
    raw = conn.connection.cursor()
    raw.execute(f"SELECT * FROM {table}")
    assert raw.fetchall() == []


@pytest.mark.parametrize("table", sorted(PROTECTED))
def test_nothing_is_copied_out_without_a_scope(conn: Connection, table: str) -> None:
    class Kept:
        text = b""

        def write(self, part: bytes) -> None:
            self.text += part if isinstance(part, bytes) else part.encode()

    kept = Kept()
    conn.connection.cursor().copy_expert(f"COPY {table} TO STDOUT", kept)
    assert kept.text == b""


@pytest.mark.parametrize("table", sorted(set(PROTECTED) - {"access_log", "removed_household"}))
@pytest.mark.parametrize(
    "scope", [None, NOBODY, Scope(everything=True), Scope(write=True)], ids=str
)
def test_nothing_is_added_without_a_scope_that_may_write(
    conn: Connection, owner: Engine, table: str, scope: Scope | None
) -> None:
    if scope is not None:
        bind(conn, scope)
    statement = f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, :row)"
    assert code_of(conn, statement, row=row_of(owner, table)) == REFUSED


@pytest.mark.parametrize("table", sorted(PROTECTED))
@pytest.mark.parametrize(
    "scope", [None, NOBODY, Scope(everything=True), Scope(write=True)], ids=str
)
def test_nothing_is_changed_or_removed_without_a_scope_that_may_write(
    conn: Connection, table: str, scope: Scope | None
) -> None:
    if scope is not None:
        bind(conn, scope)
    column = "old_value" if table == "record_change" else list(metadata.tables[table].c)[-1].name
    for right, statement in (
        ("UPDATE", f"UPDATE {table} SET {column} = {column}"),
        ("DELETE", f"DELETE FROM {table}"),
    ):
        granted = right in PROTECTED[table] or (table, right) == ("record_change", "UPDATE")
        if granted:
            assert conn.execute(text(statement)).rowcount == 0
        else:
            assert code_of(conn, statement) == REFUSED


@pytest.mark.parametrize("table", sorted(PUBLIC))
def test_what_is_public_is_read_and_never_changed(conn: Connection, table: str) -> None:
    count(conn, table)
    bind(conn, EVERYTHING)
    column = next(iter(metadata.tables[table].c)).name
    assert code_of(conn, f"UPDATE {table} SET {column} = {column}") == REFUSED
    assert code_of(conn, f"DELETE FROM {table}") == REFUSED


# ---- whatever the settings say


@pytest.mark.parametrize(("statement", "expected"), FORBIDDEN.items(), ids=list(FORBIDDEN))
def test_what_would_lead_around_the_rules_is_refused(
    conn: Connection, statement: str, expected: str
) -> None:
    bind(conn, EVERYTHING)
    assert code_of(conn, statement) == expected


def test_turning_the_rules_off_gives_an_error_instead_of_rows(conn: Connection) -> None:
    conn.execute(text("SET LOCAL row_security = off"))
    assert code_of(conn, "SELECT * FROM household") == REFUSED


def test_statistics_of_protected_tables_are_not_shown(conn: Connection) -> None:
    bind(conn, EVERYTHING)
    seen = conn.execute(text("SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'"))
    assert not set(PROTECTED) & set(seen.scalars())


@pytest.mark.parametrize("table", sorted(CLOSED))
def test_what_is_closed_is_not_read(conn: Connection, table: str) -> None:
    assert code_of(conn, f"SELECT * FROM {table}") == REFUSED


# ---- the log


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_log SET login = 'nobody'",
        "DELETE FROM access_log",
        "TRUNCATE access_log",
        "ALTER TABLE access_log DISABLE TRIGGER ALL",
    ],
)
def test_the_log_is_only_added_to_with_all_settings(conn: Connection, statement: str) -> None:
    bind(conn, EVERYTHING)
    assert count(conn, "access_log") == 2 * len(SPOTS)
    assert code_of(conn, statement) == REFUSED


def test_an_entry_is_added_unseen_and_numbered_by_the_database(conn: Connection) -> None:
    added = """
        INSERT INTO access_log (entry_id, at, via, action, outcome, previous_hash, hash)
        VALUES (1, '2001-01-01', 'page', 'x', 'allowed', '', '')
    """
    conn.execute(text(added))
    assert count(conn, "access_log") == 0
    bind(conn, EVERYTHING)
    last = conn.execute(
        text("SELECT entry_id, extract(year FROM at) > 2020, length(hash) FROM access_log "
             "ORDER BY entry_id DESC LIMIT 1")
    ).one()  # fmt: skip
    assert tuple(last) == (2 * len(SPOTS) + 1, True, 32)


# ---- with a scope


A1 = SPOTS["A1"]
SCOPES = {
    "a commune": (Scope(communes=frozenset({"00101"})), {("01", "00101")}),
    "two of two provinces": (
        Scope(communes=frozenset({"00101", "00202"})), {("01", "00101"), ("02", "00202")},
    ),
    "a province": (
        Scope(provinces=frozenset({"01"})), {("01", ""), ("01", "00101"), ("01", "00102")},
    ),
    "a commune that is none": (Scope(communes=frozenset({"00999", "%", "001"})), set()),
    "nothing": (NOBODY, set()),
}  # fmt: skip


def places(conn: Connection, table: str) -> dict[tuple[str, str], int]:
    found = conn.execute(
        text(f"SELECT province_code, commune_code, count(*) FROM {table} GROUP BY 1, 2")
    )
    return {(row[0], row[1]): row[2] for row in found}


@pytest.mark.parametrize("name", SCOPES)
@pytest.mark.parametrize("table", RECORDS)
def test_a_scope_sees_exactly_its_own_rows(
    conn: Connection, owner: Engine, table: str, name: str
) -> None:
    scope, seen = SCOPES[name]
    bind(conn, scope)
    with owner.connect() as all_of:
        stored = places(all_of, table)
    expected = {place: n for place, n in stored.items() if place in seen}
    assert places(conn, table) == expected
    assert bool(expected) == bool(seen)


@pytest.mark.parametrize("name", SCOPES)
@pytest.mark.parametrize("table", ["account", "account_role", "team", "handover", "access_log"])
def test_people_are_seen_for_managing_them_only(
    conn: Connection, owner: Engine, table: str, name: str
) -> None:
    scope, seen = SCOPES[name]
    bind(conn, scope)
    assert places(conn, table) == {}
    with owner.connect() as all_of:
        stored = places(all_of, table)
    for action in ("accounts.manage", "log.read"):
        bind(conn, Scope(**{**vars(scope), "action": action}))
        own = {place: n for place, n in stored.items() if place in seen}
        if table == "account_role":
            # The roles of an account that is seen are seen wherever they are.
            assert own.items() <= places(conn, table).items()
        else:
            assert places(conn, table) == own


@pytest.mark.parametrize("table", RECORDS)
def test_a_row_is_not_moved_out_of_the_scope_nor_added_beyond_it(
    conn: Connection, owner: Engine, table: str
) -> None:
    bind(conn, Scope(communes=frozenset({"00101"}), write=True))
    assert code_of(conn, f"UPDATE {table} SET commune_code = '00102'") == REFUSED
    with owner.connect() as all_of:
        found = all_of.execute(
            text(f"SELECT to_jsonb(t)::text FROM {table} AS t WHERE commune_code = '00201' LIMIT 1")
        ).scalar_one()
    statement = f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, :row)"
    assert code_of(conn, statement, row=found) == REFUSED


def test_a_condition_that_fails_on_hidden_rows_never_meets_them(conn: Connection) -> None:
    bind(conn, Scope(communes=frozenset({"00101"})))
    division = "1 / (CASE WHEN head_name LIKE '%{mark}%' THEN 0 ELSE 1 END) = 1"
    for spot in ("A2", "B1"):
        asked = division.format(mark=SPOTS[spot].mark("R"))
        found = conn.execute(text(f"SELECT count(*) FROM household WHERE {asked}")).scalar_one()
        assert found == 3
    assert code_of(conn, f"SELECT * FROM household WHERE {division.format(mark=A1.mark('R'))}") == (
        "22012"
    )


def test_figures_elsewhere_open_the_counters_and_nothing_else(conn: Connection) -> None:
    bind(conn, Scope(communes=frozenset({"00101"}), figures_elsewhere=True))
    for name in ("commune_counter", "commune_revision", "site_due"):
        assert count(conn, name) == len(SPOTS)
    assert places(conn, "household") == {("01", "00101"): 3}
    assert conn.execute(text("UPDATE commune_counter SET households = 1")).rowcount == 0


def test_own_rows_of_an_account_are_the_account_s_alone(conn: Connection, owner: Engine) -> None:
    with owner.connect() as all_of:
        ids = dict(all_of.execute(text("SELECT login, account_id FROM account")).all())
    bind(conn, Scope(write=True, account_id=ids[A1.login]))
    for table in ("account", "login_session", "token", "account_role"):
        found = conn.execute(text(f"SELECT DISTINCT account_id FROM {table}")).scalars().all()
        assert found == [ids[A1.login]]
    raised = """
        INSERT INTO account_role (account_id, role, area_code) VALUES (:own, 'administrator', 'VN')
    """
    assert code_of(conn, raised, own=ids[A1.login]) == REFUSED
    assert conn.execute(text("DELETE FROM account_role")).rowcount == 0


def test_nobody_gives_rights_to_the_own_account(conn: Connection, owner: Engine) -> None:
    with owner.connect() as all_of:
        ids = dict(all_of.execute(text("SELECT login, account_id FROM account")).all())
    own = ids[A1.login]
    bind(conn, Scope(everything=True, write=True, action="accounts.manage", account_id=own))
    raised = """
        INSERT INTO account_role (account_id, role, area_code) VALUES (:own, 'administrator', 'VN')
    """
    assert code_of(conn, raised, own=own) == REFUSED
    changed = "UPDATE account_role SET role = 'administrator' WHERE account_id = :own"
    assert conn.execute(text(changed), {"own": own}).rowcount == 0


# ---- one transaction after the other


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_settings_end_with_their_transaction(engine: Engine, end: str) -> None:
    with engine.connect() as connection:
        first = connection.begin()
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        bind(connection, EVERYTHING)
        assert count(connection, "household") == 3 * len(SPOTS)
        getattr(first, end)()
    with engine.connect() as connection, connection.begin():
        assert connection.scalar(text("SELECT pg_backend_pid()")) == pid
        assert {table for table in PROTECTED if count(connection, table)} == set()


def test_settings_of_a_savepoint_that_is_undone_are_undone(conn: Connection) -> None:
    bind(conn, Scope(communes=frozenset({"00101"})))
    inner = conn.begin_nested()
    bind(conn, EVERYTHING)
    inner.rollback()
    assert places(conn, "household") == {("01", "00101"): 3}
