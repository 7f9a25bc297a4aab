"""Distribution by province over Citus: which table goes where, in which order, and what forbids it.

Citus asks for: the distribution column in every primary, unique and foreign key; foreign keys only
to reference tables and to tables distributed alike; no triggers; identity columns of 64 bits.
`problems` reads the catalogue for that, so that no later change of the schema forgets it.
"""

from sqlalchemy import Connection, Table, text

from geo.all_tables import metadata
from geo.db import sql
from geo.errors import ConflictError, UsageError

COLUMN = "province_code"
FIRST = "household"
"""Every other distributed table stands beside its rows (colocate_with), so that it comes first;
its keys point to reference tables alone."""
REFERENCE = frozenset({"area", "area_successor", "boundary_version", "boundary", "area_shape"})
"""Whole on every server: areas and their polygons, which everything is joined with."""
LOCAL = {
    "account": "staff, not households",
    "account_role": "staff",
    "handover": "staff",
    "login_session": "staff",
    "token": "staff",
    "team": "staff",
    "team_member": "staff",
    "access_log": "one chain, which a trigger keeps",
    "audit_sample": "few; a trigger draws its seed from the access log",
    "import_job": "one row a file",
    "key_check": "three rows",
    "alembic_version": "the schema's revision",
}
"""On the coordinator alone, and why."""


def distributed() -> list[Table]:
    """The tables that are distributed by province, each after those that its keys point to.

    FIRST stands first, because all others are put beside its rows.
    """
    found = [one for one in metadata.sorted_tables if one.name not in REFERENCE | LOCAL.keys()]
    return sorted(found, key=lambda one: one.name != FIRST)


def statements(done: frozenset[str] = frozenset()) -> list[str]:
    """What distributes the database, in an order that works; without the tables that are `done`."""
    made = [
        # Foreign keys to reference tables: several connections would wait for each other.
        "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'",
        *(
            f"SELECT create_reference_table('{one.name}')"
            for one in metadata.sorted_tables
            if one.name in REFERENCE - done
        ),
    ]
    for one in distributed():
        if one.name not in done:
            beside = "none" if one.name == FIRST else FIRST
            made.append(
                f"SELECT create_distributed_table('{one.name}', '{COLUMN}', "
                f"colocate_with => '{beside}')"
            )
    return made


def problems(conn: Connection) -> list[str]:
    """What of the migrated database would not distribute, in words; nothing when all would."""
    names = [one.name for one in distributed()]
    found = conn.execute(
        sql("undistributable"),
        {"distributed": names, "reference": sorted(REFERENCE), "local": sorted(LOCAL)},
    )
    return list(found.scalars())


def distribute(conn: Connection) -> list[str]:
    """Distribute what is not yet; the statements that were run, in the caller's transaction.

    Raises UsageError without Citus, ConflictError where the schema would not distribute.
    """
    if not conn.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'citus'")):
        raise UsageError(
            "This database has no Citus. Install it on every server, add citus to "
            "shared_preload_libraries, restart, and run CREATE EXTENSION citus there and here; "
            "then add the workers with citus_add_node. docs/production.md has the steps."
        )
    wrong = problems(conn)
    if wrong:
        raise ConflictError(f"The schema would not distribute: {'; '.join(wrong)}.")
    done = conn.scalars(text("SELECT logicalrelid::text FROM pg_dist_partition"))
    wanted = statements(frozenset(done))
    for one in wanted:
        conn.execute(text(one))
    return wanted
