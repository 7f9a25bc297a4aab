"""What docs/production.md says of several web servers: tickets in a shared folder, all anchors."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from api.tickets import Ticket
from geo import trail_proof
from geo.config import settings
from tests import test_trail_proof

WORD = "abcdefgh12345678"


@pytest.fixture
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """on(name) → the home of one machine, where the next lines work."""

    def work(name: str) -> Path:
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        monkeypatch.setenv("ANCU_HOME", str(home))
        settings.cache_clear()
        return home

    yield work
    monkeypatch.undo()
    settings.cache_clear()


def test_an_export_s_progress_is_seen_everywhere_where_the_folder_is_shared(
    on: Callable[[str], Path], tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    for name in ("one", "two"):
        (on(name) / "exports").symlink_to(shared)
    on("one")
    Ticket.of(7, WORD).tell("read", 10, 20)
    on("two")
    assert Ticket.of(7, WORD).read() == {"state": "read", "done": 10, "total": 20}
    assert Ticket.of(8, WORD).read() is None
    on("three")
    assert Ticket.of(7, WORD).read() is None


def test_the_log_is_held_against_the_anchors_of_all_machines_in_any_order(
    conn: Connection, on: Callable[[str], Path], tmp_path: Path
) -> None:
    lines = []
    for name, entries in (("one", 2), ("two", 3)):
        on(name)
        test_trail_proof.fill(conn, entries)
        trail_proof.anchor(conn, trail_proof.anchors_file(), settled_s=0)
        lines.append(trail_proof.anchors_file().read_text())
    together = tmp_path / "all-anchors.jsonl"
    together.write_text("".join(reversed(lines)))
    anchors = trail_proof.read_anchors(together)
    assert [one.entry_id for one in anchors] == [5, 2]
    assert trail_proof.verify(conn, anchors).whole
    with test_trail_proof.unguarded(conn):
        conn.execute(text("DELETE FROM access_log WHERE entry_id > 4"))
    (problem,) = trail_proof.verify(conn, anchors).problems
    assert problem.startswith("entries 5 to 5 are missing")
