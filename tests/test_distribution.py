"""The migrated database would distribute by province; what would not is found and named."""

import re

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, text

from api.cli import main
from geo import db, distribution
from geo.config import settings
from geo.errors import UsageError
from geo.scope import OPERATOR, Scope, bind


def test_the_schema_would_distribute(conn: Connection) -> None:
    assert distribution.problems(conn) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("CREATE TABLE novelty (a int)", "the table novelty is in no list of geo/distribution.py"),
        ("DROP TABLE tile_square", "tile_square is listed, and there is no such table"),
        (
            "ALTER TABLE photo ADD CONSTRAINT photo_name UNIQUE (photo_id)",
            "the unique index photo_name of photo lacks province_code",
        ),
        (
            "ALTER TABLE tile_square DROP CONSTRAINT tile_square_pk",
            "tile_square has no primary key",
        ),
        (
            "ALTER TABLE revisit ADD CONSTRAINT of_team FOREIGN KEY (sample_id) "
            "REFERENCES team (team_id)",
            "the foreign key of_team leads from revisit (distributed) to team (local)",
        ),
        (
            "CREATE TRIGGER noted BEFORE INSERT ON survey FOR EACH ROW "
            "EXECUTE FUNCTION access_log_keep()",
            "survey has the trigger noted",
        ),
        (
            "ALTER TABLE known_place ALTER place_id TYPE int",
            "the numbers of known_place.place_id have fewer than 64 bits",
        ),
        (
            "ALTER TABLE finding DROP CONSTRAINT finding_pk, ALTER province_code DROP NOT NULL, "
            "ADD PRIMARY KEY (subject_id)",
            "finding has no province_code, or one that may be missing or is no plain text",
        ),
        (
            "CREATE UNIQUE INDEX codes ON household (commune_code, household_code); "
            "ALTER TABLE revisit ADD CONSTRAINT of_house FOREIGN KEY (commune_code, household_code)"
            " REFERENCES household (commune_code, household_code)",
            "the foreign key of_house of revisit lacks province_code",
        ),
    ],
)
def test_what_would_not_distribute_is_named(conn: Connection, change: str, said: str) -> None:
    conn.execute(text(change))
    assert said in distribution.problems(conn)


def test_a_table_is_distributed_after_those_that_it_points_to() -> None:
    places: dict[str, int] = {}
    for place, one in enumerate(distribution.statements()[1:]):
        found = re.fullmatch(
            r"SELECT create_(reference|distributed)_table\('(\w+)'"
            r"(, 'province_code', colocate_with => '(none|household)')?\)",
            one,
        )
        assert found, one
        assert (found[4] == "none") == (found[2] == "household")
        if found[4] not in (None, "none"):
            assert found[4] in places, (
                f"{found[2]} is put beside {found[4]}, which is not yet there"
            )
        places[found[2]] = place
    assert set(places) == {one.name for one in distribution.distributed()} | distribution.REFERENCE
    for name, place in places.items():
        for key in distribution.metadata.tables[name].foreign_keys:
            assert places[key.column.table.name] <= place


def test_what_is_distributed_already_is_left_alone() -> None:
    left = distribution.statements(frozenset({"area", "household"}))
    assert [one for one in left if "'area'" in one or "table('household'" in one] == []
    assert "SELECT create_distributed_table('survey', 'province_code', " in "".join(left)


def test_without_citus_it_is_refused_with_what_to_do(conn: Connection) -> None:
    with pytest.raises(UsageError, match="add citus to shared_preload_libraries"):
        distribution.distribute(conn)


def test_the_command_shows_the_statements_and_refuses_to_run_them(
    monkeypatch: pytest.MonkeyPatch, empty_url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_url)
    settings.cache_clear()
    db.engine.cache_clear()
    try:
        shown = CliRunner().invoke(main, ["db", "distribute", "--dry-run"])
        assert shown.exit_code == 0, shown.output
        assert shown.stdout.splitlines() == [f"{one};" for one in distribution.statements()]
        run = CliRunner().invoke(main, ["db", "distribute"])
        assert run.exit_code == 2
        assert "This database has no Citus." in run.stderr
    finally:
        db.engine().dispose()
        monkeypatch.undo()
        settings.cache_clear()
        db.engine.cache_clear()


def test_a_distributed_scope_is_bound_the_same(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SET LOCAL, which Citus passes on to the workers; it does not pass on set_config().
    scope = Scope(provinces=frozenset({"01", "o'1"}), write=True, action="x", account_id=7)

    def told() -> list[object]:
        asked = "SELECT current_user, " + ", ".join(
            f"current_setting('ancu.{name}')"
            for name in ("all", "provinces", "communes", "write", "action", "account", "figures")
        )
        return list(conn.execute(text(asked)).one())

    bind(conn, scope, db.RUNTIME_ROLE)
    usual = told()
    bind(conn, OPERATOR, "ancu")
    monkeypatch.setenv("ANCU_DISTRIBUTED", "1")
    settings.cache_clear()
    try:
        bind(conn, scope, db.RUNTIME_ROLE)
        assert told() == usual == [db.RUNTIME_ROLE, "", "01,o'1", "", "on", "x", "7", ""]
    finally:
        monkeypatch.undo()
        settings.cache_clear()
