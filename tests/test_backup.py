"""The drill of docs/production.md: its own commands back up and restore to a moment."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, delete, select, text

from api.cli import main
from geo import db, schema, trail
from geo.cluster import Cluster, binaries
from geo.config import settings
from geo.households import national_id
from geo.scope import OPERATOR, bind
from geo.tables import household
from tests import intake_world
from tests.conftest import unpooled
from tests.standby import folder_of

DOC = (Path(__file__).parent.parent / "docs" / "production.md").read_text(encoding="utf-8")
NIGHTLY, FILES, RESTORE = re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL)
QUICK = (("fsync", "off"), ("full_page_writes", "off"))


def sh(commands: str, cluster: Cluster | None = None, **names: object) -> None:
    """Run commands of the documentation, as the user who runs the cluster where one is named."""
    switch = {}
    if cluster is not None and os.geteuid() == 0:
        owner = cluster.owner
        switch = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", commands],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": f"{binaries()}:{os.environ['PATH']}",
            **{name: str(value) for name, value in names.items()},
        },
        **switch,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="ancu-backup-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def stored(engine: Engine) -> tuple[object, ...]:
    """How many rows of each kind there are, and the full ID of one household."""
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        kinds = ("household", "survey", "access_log", "commune_counter", "area", "boundary")
        counts = [conn.scalar(text(f"SELECT count(*) FROM {kind}")) for kind in kinds]
        one = conn.execute(select(household.c.province_code, household.c.commune_code)).first()
        number = national_id(conn, one[0], "H1", one[1])[1] if one else None
        return (*counts, number)


def test_the_drill_brings_back_everything_as_it_was_at_the_moment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = folder / "primary"
    home.mkdir(mode=0o755)
    primary = Cluster(home, QUICK)
    backup = folder_of(primary, folder / "backup")
    archive = folder_of(primary, backup / "wal")
    archiving = (
        ("archive_mode", "on"),
        ("archive_command", f"test ! -f {archive}/%f && cp %p {archive}/%f"),
    )
    primary = Cluster(home, QUICK + archiving)
    primary.start()
    engine = unpooled(primary.url())
    try:
        fill(engine, "H1")
        pictures = folder / "home" / "photos" / "ab"
        pictures.mkdir(parents=True)
        (pictures / "one").write_bytes(b"sealed")
        url = primary.url().replace("+psycopg2", "")
        sh(NIGHTLY, primary, DATABASE_URL=url, BACKUP=backup)
        for name in ("files", "keys"):
            (folder / name).mkdir()
        sh(
            FILES,
            ANCU_HOME=folder / "home",
            BACKUP_FILES=folder / "files",
            ANCU_KEYS=os.environ["ANCU_KEYS"],
            BACKUP_KEYS=folder / "keys",
        )
        fill(engine, "H2")  # after the base backup: only the archived log has it
        before = stored(engine)
        with engine.begin() as conn:
            moment = conn.scalar(text("SELECT clock_timestamp()::text"))
        with engine.begin() as conn:  # the accident
            bind(conn, OPERATOR)
            conn.execute(delete(household))
        with engine.begin() as conn:
            conn.execute(text("SELECT pg_switch_wal()"))
        assert stored(engine)[0] == 0
    finally:
        engine.dispose()
        primary.stop()
    restored = Cluster(folder / "restored", QUICK)
    restored.home.mkdir(mode=0o755)
    folder_of(primary, restored.base)
    sh(RESTORE, primary, BACKUP=backup, RESTORED=restored.data, MOMENT=moment)
    restored.start()
    again = unpooled(restored.url())
    try:
        wait_for_promotion(again)
        monkeypatch.setenv("ANCU_KEYS", str(folder / "keys" / "keys.json"))
        monkeypatch.setenv("DATABASE_URL", restored.url())
        fresh()
        assert stored(again) == before
        assert before[0] == 2
        verified = CliRunner().invoke(main, ["log", "verify"])
        assert (verified.exit_code, "The log is whole." in verified.stdout) == (0, True)
        assert (folder / "files" / "photos" / "ab" / "one").read_bytes() == b"sealed"
    finally:
        again.dispose()
        restored.stop()
        monkeypatch.undo()
        fresh()


def fill(engine: Engine, code: str) -> None:
    """A household with an ID and an entry in the log; the world around it where it is missing."""
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        if schema.revision(conn) is None:
            schema.migrate(conn)
            intake_world.build(conn)
        number = f"001095{int(code[1:]):06}"
        intake_world.load(conn, "households", intake_world.household(code, national_id=number))
        trail.append(conn, trail.Entry(via="command", action="test"))


def wait_for_promotion(engine: Engine) -> None:
    deadline = time.monotonic() + 60
    while True:
        with engine.connect() as conn:
            if not conn.scalar(text("SELECT pg_is_in_recovery()")):
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def fresh() -> None:
    """Settings and engines are made anew."""
    settings.cache_clear()
    db.engine.cache_clear()
