"""Whatever is in the database is listed here, and protected or public for a reason.

A new table, view, function, sequence or type fails until it has its line.
"""

from collections.abc import Callable, Iterable

import pytest
from sqlalchemy import Connection, create_engine, text

from geo import schema
from geo.cluster import Cluster
from geo.scope import OPERATOR, Scope, bind
from tests.conftest import unpooled

READ, ADD, CHANGE, REMOVE = "SELECT", "INSERT", "UPDATE", "DELETE"
_ALL = {READ, ADD, CHANGE, REMOVE}
PROTECTED: dict[str, set[str]] = {
    **dict.fromkeys(
        (
            "household", "household_status", "survey", "site", "site_stage", "finding",
            "verdict_history", "import_conflict", "commune_counter", "site_due", "account_role",
            "login_session", "token", "team", "team_member",
            "audit_item", "revisit", "audit_sample_item", "known_place", "photo", "tile_square",
            "tile_day", "tile_choice",
        ),
        _ALL,
    ),
    "commune_revision": {READ, ADD, CHANGE},  # never taken back
    "account": {READ, ADD, CHANGE},  # disabled, never removed
    "import_job": {READ, ADD, CHANGE},
    "record_change": {READ, ADD},  # and some columns may be emptied or moved, see SOME_COLUMNS
    "removed_household": {READ, ADD},
    "handover": {READ, ADD},
    "access_log": {READ, ADD},
    "audit_due": {READ, ADD},
    "audit_sample": {READ, ADD},
    "audit_decision": {READ, ADD},
    "address_fix": {READ, ADD, CHANGE},  # undone, never removed
}  # fmt: skip
"""Table → what the runtime role may do there at all; row-level security decides on which rows."""
SOME_COLUMNS = {
    "audit_decision": {"commune_code", "subject_id", "reason", "details"},
    "record_change": {"commune_code", "subject_id", "old_value", "new_value", "reason"},
}
"""Table → the columns that it may change where it may not change the others."""
BY_OPERATOR = {"audit_due", "audit_sample", "audit_decision", "removed_household"}
"""Tables from which the operator's commands remove rows, by a policy, and the runtime role none."""
PUBLIC = {
    "area": "names of areas, from public lists",
    "area_successor": "which areas followed which",
    "boundary": "borders of areas, from public files",
    "area_shape": "the same simplified, for maps",
    "boundary_version": "where the borders come from",
    "key_check": "keyed hashes of constants, to recognise the keys by",
}
"""Tables without row-level security, which the runtime role only reads, and why."""
CLOSED = {"alembic_version": "the schema's revision; only migrations read it"}
"""Tables that the runtime role cannot even read."""
OF_POSTGIS = {
    "spatial_ref_sys": "reference systems",
    "geometry_columns": "which columns hold geometries; no data",
    "geography_columns": "the same",
    "geometry_dump": "a type of answers",
    "valid_detail": "a type of answers",
}
GROUNDS = "account_grounds(text,text,bigint,text,interval,timestamp with time zone)"
FUNCTIONS = {
    "access_log_chain()": "numbers, dates and chains the log's entries",
    "access_log_keep()": "refuses to change them",
    "audit_sample_seed()": "numbers, dates and seeds draws of verification samples",
    GROUNDS: "tells what a session's or token's rights rest on",
}
CALLED = {
    GROUNDS: "with the caller's own rights: row-level security holds inside it",
}
"""Functions that the runtime role calls by itself."""
DEFINERS = {
    "access_log_chain()": "reads the last entry, which the role that adds one cannot see",
    "audit_sample_seed()": "reads the last entry's hash, which the role that draws cannot see",
}
SEQUENCES = {
    "area_area_id_seq", "boundary_version_version_seq", "account_account_id_seq",
    "record_change_change_id_seq", "team_team_id_seq", "handover_handover_id_seq",
    "token_token_id_seq", "audit_due_due_id_seq", "audit_decision_decision_id_seq",
    "revisit_revisit_id_seq", "audit_sample_sample_id_seq", "known_place_place_id_seq",
    "address_fix_fix_id_seq",
}  # fmt: skip
"""They belong to identity columns, which need no grant."""

_OURS = """
    n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_EXTENSION = """
    EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = o.oid AND d.deptype = 'e')
"""


def asked(conn: Connection, statement: str, **values: object) -> list[tuple]:
    return [tuple(row) for row in conn.execute(text(statement), values)]


def relations(conn: Connection, kinds: str, of_extensions: bool = False) -> set[str]:
    """Names of tables (rp), views (v), materialised views (m), sequences (S), others (fc)."""
    wanted = "" if of_extensions else "NOT"
    return {
        name
        for (name,) in asked(
            conn,
            f"SELECT o.relname FROM pg_class AS o JOIN pg_namespace AS n ON n.oid = relnamespace "
            f"WHERE {_OURS} AND o.relkind = ANY (string_to_array(:kinds, NULL)) "
            f"AND {wanted} {_EXTENSION}",
            kinds=kinds,
        )
    }


def rights(conn: Connection, table: str, names: Iterable[str]) -> set[str]:
    return {
        name
        for name in names
        if conn.scalar(
            text("SELECT has_table_privilege('ancu_runtime', :table, :right)"),
            {"table": table, "right": name},
        )
    }


EVERY_RIGHT = (READ, ADD, CHANGE, REMOVE, "TRUNCATE", "REFERENCES", "TRIGGER")


def test_every_table_is_protected_public_or_closed(conn: Connection) -> None:
    assert relations(conn, "rpf") == {*PROTECTED, *PUBLIC, *CLOSED}


@pytest.mark.parametrize("table", PROTECTED)
def test_a_protected_table_has_forced_security_and_a_policy_for_each_right(
    conn: Connection, table: str
) -> None:
    ((enabled, forced),) = asked(
        conn,
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = to_regclass(:t)",
        t=table,
    )
    assert (enabled, forced) == (True, True)
    policies = asked(
        conn,
        "SELECT cmd, permissive, roles::text[], qual, with_check FROM pg_policies "
        "WHERE tablename = :t",
        t=table,
    )
    assert rights(conn, table, EVERY_RIGHT) == PROTECTED[table]
    some = {CHANGE} if table in SOME_COLUMNS else set()
    some |= {REMOVE} if table in BY_OPERATOR else set()
    assert {cmd for cmd, *_ in policies} == PROTECTED[table] | some
    for cmd, _permissive, roles, qual, check in policies:
        assert roles == ["public"]
        # A rule that lets everything through is none; entries of the log may always be added.
        written = {"qual": qual, "check": check}
        open_rules = [name for name, rule in written.items() if rule == "true"]
        assert open_rules == (["check"] if (table, cmd) == ("access_log", ADD) else [])
        assert (qual is None) == (cmd == ADD)
        assert (check is not None) == (cmd in (ADD, CHANGE))


@pytest.mark.parametrize("table", [*PROTECTED, *PUBLIC, *CLOSED])
def test_columns_are_granted_with_their_table_or_by_name(conn: Connection, table: str) -> None:
    granted = asked(
        conn,
        "SELECT a.attname, a.attacl::text FROM pg_attribute AS a "
        "WHERE a.attrelid = to_regclass(:t) AND a.attacl IS NOT NULL",
        t=table,
    )
    assert {name for name, _ in granted} == SOME_COLUMNS.get(table, set())
    assert all(acl.startswith("{ancu_runtime=w/") for _, acl in granted)


@pytest.mark.parametrize("table", PUBLIC)
def test_a_public_table_is_only_read(conn: Connection, table: str) -> None:
    assert rights(conn, table, EVERY_RIGHT) == {READ}


@pytest.mark.parametrize("table", CLOSED)
def test_a_closed_table_is_not_even_read(conn: Connection, table: str) -> None:
    assert rights(conn, table, EVERY_RIGHT) == set()


def test_there_are_no_views_materialised_views_rules_or_event_triggers(conn: Connection) -> None:
    # One that comes must be security_invoker; a materialised view has no policies at all.
    assert relations(conn, "vm") == set()
    assert asked(conn, "SELECT evtname FROM pg_event_trigger") == []
    assert asked(conn, f"""
        SELECT r.rulename FROM pg_rewrite AS r JOIN pg_class AS o ON o.oid = r.ev_class
        JOIN pg_namespace AS n ON n.oid = o.relnamespace
        WHERE {_OURS} AND NOT {_EXTENSION}
    """) == []  # fmt: skip


def test_every_sequence_belongs_to_a_column_and_is_granted_to_nobody(conn: Connection) -> None:
    assert relations(conn, "S") == SEQUENCES
    owned = asked(conn, """
        SELECT o.relname, o.relacl IS NULL FROM pg_class AS o
        JOIN pg_depend AS d ON d.objid = o.oid AND d.deptype = 'i' AND d.refobjsubid > 0
        WHERE o.relkind = 'S'
    """)  # fmt: skip
    assert set(owned) == {(name, True) for name in SEQUENCES}


def test_every_function_is_listed_pinned_and_not_for_the_public(conn: Connection) -> None:
    found = asked(conn, f"""
        SELECT o.oid::regprocedure::text, o.prosecdef, o.proconfig::text[],
            has_function_privilege('public', o.oid, 'EXECUTE'),
            has_function_privilege('ancu_runtime', o.oid, 'EXECUTE')
        FROM pg_proc AS o JOIN pg_namespace AS n ON n.oid = o.pronamespace
        WHERE {_OURS} AND NOT {_EXTENSION}
    """)  # fmt: skip
    assert {name for name, *_ in found} == set(FUNCTIONS)
    assert {name for name, definer, *_ in found if definer} == set(DEFINERS)
    for name, _definer, settings, public, runtime in found:
        assert [one for one in settings if one.startswith("search_path=pg_catalog, ")] != []
        assert (public, runtime) == (False, name in CALLED)
    assert not set(CALLED) & set(DEFINERS)


def test_no_function_of_an_extension_runs_with_its_owners_rights(conn: Connection) -> None:
    # PostGIS's ST_EstimatedExtent would tell where all households stand, of whatever area.
    assert asked(conn, f"""
        SELECT o.oid::regprocedure::text FROM pg_proc AS o
        JOIN pg_namespace AS n ON n.oid = o.pronamespace
        WHERE {_OURS} AND {_EXTENSION} AND o.prosecdef
            AND has_function_privilege('ancu_runtime', o.oid, 'EXECUTE')
    """) == []  # fmt: skip


def test_what_extensions_brought_is_known(conn: Connection) -> None:
    assert {name for (name,) in asked(conn, "SELECT extname FROM pg_extension")} == {
        "plpgsql", "postgis", "pg_trgm",
    }  # fmt: skip
    assert relations(conn, "rpvmfc", of_extensions=True) | relations(conn, "c") == set(OF_POSTGIS)


def test_there_are_no_types_but_those_of_tables_and_extensions(conn: Connection) -> None:
    assert asked(conn, f"""
        SELECT o.typname FROM pg_type AS o JOIN pg_namespace AS n ON n.oid = o.typnamespace
        LEFT JOIN pg_class AS c ON c.oid = o.typrelid
        WHERE {_OURS} AND NOT {_EXTENSION} AND o.typelem = 0
            AND (c.oid IS NULL OR c.relkind NOT IN ('r', 'S', 'v', 'c'))
    """) == []  # fmt: skip


def test_there_is_one_schema_in_which_the_runtime_role_makes_nothing(conn: Connection) -> None:
    found = asked(conn, f"""
        SELECT n.nspname, has_schema_privilege('ancu_runtime', n.oid, 'USAGE'),
            has_schema_privilege('ancu_runtime', n.oid, 'CREATE')
        FROM pg_namespace AS n WHERE {_OURS}
    """)  # fmt: skip
    assert found == [("public", True, False)]
    assert asked(conn, "SELECT defaclrole FROM pg_default_acl") == []


def test_the_triggers_of_log_and_samples_stand_and_no_others(conn: Connection) -> None:
    assert set(asked(conn, """
        SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal
    """)) == {
        ("access_log", "access_log_chain", "A"),
        ("access_log", "access_log_keep", "A"),
        ("audit_sample", "audit_sample_seed", "A"),
    }  # fmt: skip


def test_an_owner_who_is_no_superuser_can_migrate_and_do_the_operator_s_work(
    cluster: Cluster, make_database: Callable[..., str], empty_url: str
) -> None:
    url = make_database()
    name = url.split("?")[0].split("/")[-1]
    admin = create_engine(cluster.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text("CREATE ROLE plain LOGIN"))
        conn.execute(text("GRANT ancu_runtime TO plain"))
        conn.execute(text(f"ALTER DATABASE {name} OWNER TO plain"))
    admin.dispose()
    superuser = unpooled(url)
    with superuser.begin() as conn:
        conn.execute(text("CREATE EXTENSION postgis"))
        conn.execute(text("CREATE EXTENSION pg_trgm"))
    owner = unpooled(cluster.url(name, user="plain"))
    with owner.begin() as conn:
        schema.migrate(conn)
    with owner.connect() as conn:
        # FORCE holds the owner as well.
        assert conn.scalar(text("SELECT row_security_active('household')")) is True
        assert conn.scalar(text("SELECT current_setting('is_superuser')")) == "off"
    with owner.begin() as conn:
        bind(conn, OPERATOR)
        for table, columns, values in TAKEN_AWAY:
            conn.execute(
                text(f"INSERT INTO {table} (province_code, {columns}) VALUES ('01', {values})")
            )
            assert conn.execute(text(f"DELETE FROM {table}")).rowcount == 1, table
        # Nobody else, whatever they may write.
        conn.execute(text("INSERT INTO audit_due (province_code) VALUES ('01')"))
        bind(conn, Scope(provinces=frozenset({"01"}), write=True))
        assert conn.execute(text("DELETE FROM audit_due")).rowcount == 0


TAKEN_AWAY = (
    ("audit_due", "commune_code", "''"),
    ("audit_sample", "area_code, method, size, frame_size, frame_sha256, frame",
     "'01', 'random', 1, 1, '', ''"),
    ("audit_decision", "subject, subject_id, decision", "'survey', 'x', 'confirmed'"),
    ("removed_household", "commune_code, code_print", "'00101', 'x'"),
)  # fmt: skip
"""What the pass and the removal of demo data take away, and the columns that a row needs."""
