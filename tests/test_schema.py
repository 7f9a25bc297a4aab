"""The migrations and geo.tables describe the same database."""

from geo import schema
from geo.all_tables import metadata

REFERENCE = {
    "area",
    "area_shape",
    "area_successor",
    "boundary",
    "boundary_version",
    "import_job",
}
# Grow with people who work, not with households.
STAFF = {
    "account",
    "account_role",
    "handover",
    "login_session",
    "token",
    "team",
    "team_member",
    "access_log",
    "key_check",
}


def test_migrated_database_matches_the_tables(conn):
    assert schema.differences(conn) == []
    assert schema.revision(conn) == schema.head()


def test_migrating_again_changes_nothing(conn):
    schema.migrate(conn)
    assert schema.revision(conn) == schema.head()


def test_every_table_that_grows_with_households_has_the_province_in_its_keys():
    for table in metadata.sorted_tables:
        if table.name not in REFERENCE | STAFF:
            assert "province_code" in table.primary_key.columns, table.name
