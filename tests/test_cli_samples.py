"""`ancu audit sample`: what was drawn, and that nobody chose."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner
from sqlalchemy import NullPool, create_engine, select, text

from api.cli import main
from geo import areas, config, schema, trail
from geo.account_tables import access_log
from geo.audit import samples
from geo.audit.actors import By
from geo.audit.sampling import Plan
from geo.db import engine
from geo.scope import OPERATOR, bind
from geo.trail import Entry
from tests import records_world as world
from tests.test_sample_pages import fill


@pytest.fixture
def served(make_database: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path) -> Callable:
    """served() opens a transaction on the database that the commands of this test use."""
    url = make_database()
    made = create_engine(url, poolclass=NullPool)
    with made.begin() as conn:
        schema.migrate(conn)
        bind(conn, OPERATOR)
        fill(conn)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("ANCU_HOME", str(tmp_path / "home"))
    config.settings.cache_clear()
    yield made.begin
    engine(None).dispose()
    engine.cache_clear()
    monkeypatch.undo()
    config.settings.cache_clear()


def test_the_command_proves_a_sample_against_the_log(served: Callable) -> None:
    with served() as conn:
        bind(conn, OPERATOR)
        made = samples.draw(conn, areas.get(conn, "00101"), Plan("random", 5), By(None, ""))
        number = str(made["sample_id"])
        trail.append(conn, Entry("session", "audit.decide", subject="sample", subject_id=number))
    run = CliRunner().invoke
    listed = run(main, ["audit", "sample", "list", "--area", "01"])
    assert f"{number}  00101 no. 1" in listed.output and "random  5 of 30" in listed.output
    answer = run(main, ["audit", "sample", "verify", number])
    assert answer.exit_code == 0, answer.output
    assert made["seed"] in answer.output
    assert "The area has the same surveys as then." in answer.output
    with served() as conn:
        bind(conn, OPERATOR)
        told = conn.execute(select(access_log.c.route, access_log.c.subject_id)).all()
        assert ("ancu audit sample verify", number) in told
        world.add_survey(conn, world.add_household(conn))
        conn.execute(
            text(
                "UPDATE audit_sample_item SET inclusion = 1 "
                "WHERE subject_id = (SELECT min(subject_id) FROM audit_sample_item)"
            )
        )
    answer = run(main, ["audit", "sample", "verify", number])
    assert answer.exit_code == 1
    assert "1 surveys more than then" in answer.output
    assert "does not come up when drawn again" in answer.output
    assert run(main, ["audit", "sample", "verify", "77"]).exit_code != 0
