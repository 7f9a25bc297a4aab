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
from geo import db, schema, trail, trail_proof
from geo.cluster import Cluster, binaries
from geo.config import settings
from geo.households import national_id
from geo.scope import OPERATOR, bind
from geo.tables import household
from tests import intake_world
from tests.conftest import unpooled
from tests.standby import folder_of

DOC = (Path(__file__).parent.parent / "docs" / "production.md").read_text(encoding="utf-8")
NIGHTLY, FILES, RESTORE, RETURN = re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL)
(ROLE,) = re.findall(r"```sql\n(.*?)```", DOC, re.DOTALL)
(ARCHIVING,) = re.findall(r"archive_command = '(.*)'", DOC)
QUICK = (("fsync", "off"), ("full_page_writes", "off"))


def sh(commands: str, cluster: Cluster | None = None, **names: object) -> None:
    """Run commands of the documentation, as the user who runs the cluster where one is named."""
    switch = {}
    if cluster is not None and os.geteuid() == 0:
        owner = cluster.owner
        switch = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    done = subprocess.run(
        ["/bin/sh", "-c", commands],
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
    backup = folder_of(Cluster(home, QUICK), folder / "backup")
    primary = Cluster(home, QUICK + archiving(folder_of(Cluster(home, QUICK), backup / "wal")))
    primary.start()
    engine = unpooled(primary.url())
    names = {"ANCU_HOME": folder / "home", "ANCU_KEYS": os.environ["ANCU_KEYS"]}
    copies = {"BACKUP_FILES": folder / "files", "BACKUP_KEYS": folder / "keys"}
    for one in copies.values():
        one.mkdir()
    try:
        fill(engine, "H1")
        with engine.begin() as conn:
            conn.execute(text(ROLE))
        for night in ("one", "two", "three"):
            picture = folder / "home" / "photos" / "ab" / night
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(b"sealed")
            anchor(engine, folder / "home" / "log-anchors.jsonl")
            a_night(primary, backup)
            sh(FILES, **names, **copies)
            fill(engine, f"{night}-after")
        before = stored(engine)  # the last household is in the archived log alone
        with engine.begin() as conn:
            moment = conn.scalar(text("SELECT clock_timestamp()::text"))
        with engine.begin() as conn:  # the accident
            bind(conn, OPERATOR)
            conn.execute(delete(household))
            trail.append(conn, trail.Entry(via="command", action="test"))
        anchor(engine, folder / "later.jsonl")
        with engine.begin() as conn:
            conn.execute(text("SELECT pg_switch_wal()"))
        assert stored(engine)[0] == 0
    finally:
        engine.dispose()
        primary.stop()
    restored = Cluster(folder / "restored", QUICK)
    restored.home.mkdir(mode=0o755)
    folder_of(primary, restored.base)
    newest = kept(backup)[-1]
    sh(RESTORE, primary, BACKUP=backup, BASE=newest, RESTORED=restored.data, MOMENT=moment)
    returned = {"ANCU_HOME": folder / "again", "ANCU_KEYS": folder / "again" / "keys.json"}
    sh(RETURN, **returned, **copies)
    restored.start()
    again = unpooled(restored.url())
    try:
        wait_for_promotion(again)
        for name, value in {**returned, "DATABASE_URL": restored.url()}.items():
            monkeypatch.setenv(name, str(value))
        fresh()
        assert stored(again) == before
        assert before[0] == 4
        verified = CliRunner().invoke(main, ["log", "verify"])
        assert verified.exit_code == 0, verified.output
        assert "Anchors: 3\n" in verified.stdout
        assert "The log is whole." in verified.stdout
        later = CliRunner().invoke(
            main, ["log", "verify", "--anchors", str(folder / "later.jsonl")]
        )
        assert later.exit_code == 1
        assert "is not the one that was there at" in later.stderr
        photos = folder / "again" / "photos"
        found = {str(one.relative_to(photos)) for one in photos.rglob("*") if one.is_file()}
        assert found == {"ab/one", "ab/two", "ab/three"}
    finally:
        again.dispose()
        restored.stop()
        monkeypatch.undo()
        fresh()


def test_files_are_copied_where_the_settings_have_their_defaults(folder: Path) -> None:
    """Nothing is set, no anchor was noted yet, and the keys lie in the home."""
    home, files, kept_keys = folder / ".ancu", folder / "files", folder / "keys"
    for one in (home, files, kept_keys):
        one.mkdir()
    (home / "keys.json").write_text("{}")
    copies = {"BACKUP_FILES": files, "BACKUP_KEYS": kept_keys}
    sh(f"cd {folder}\n{FILES}", **copies)
    assert (kept_keys / "keys.json").read_text() == "{}"
    assert sorted(one.name for one in files.iterdir()) == ["photos"]
    again = folder / "again"
    (again / ".ancu").mkdir(parents=True)
    sh(f"cd {again}\n{RETURN}", **copies)
    assert sorted(one.name for one in (again / ".ancu").iterdir()) == ["keys.json", "photos"]


def test_a_segment_is_archived_whole_and_once(folder: Path) -> None:
    archive, segment = folder / "wal", folder / "0001"
    archive.mkdir()
    segment.write_bytes(b"first")
    (archive / "0001.part").write_bytes(b"fi")  # a crash amid the copy
    command = dict(archiving(archive))["archive_command"]
    command = command.replace("%p", str(segment)).replace("%f", "0001")
    for _time in range(2):
        sh(command)
        assert [(one.name, one.read_bytes()) for one in archive.iterdir()] == [("0001", b"first")]
    segment.write_bytes(b"another")
    with pytest.raises(AssertionError):
        sh(command)
    assert (archive / "0001").read_bytes() == b"first"


def archiving(archive: Path) -> tuple[tuple[str, str], ...]:
    """The settings of the documentation with a folder of the test's."""
    command = ARCHIVING.replace("/backup/wal", str(archive))
    return (("archive_mode", "on"), ("archive_command", command))


def a_night(primary: Cluster, backup: Path) -> None:
    """One more verified base backup, of which two stay, and the log that they need."""
    earlier = kept(backup)
    url = f"postgresql://replicator@/postgres?host={primary.socket}"
    sh(NIGHTLY, primary, BACKUP_URL=url, BACKUP=backup, KEEP=2)
    assert kept(backup)[:-1] == earlier[-1:]
    label = (backup / "base" / kept(backup)[0] / "backup_label").read_text(encoding="utf-8")
    needed = re.findall(r"\(file (\w+)\)", label)[0]
    segments = [one.name for one in (backup / "wal").iterdir() if len(one.name) == len(needed)]
    assert min(segments, default=needed) >= needed


def kept(backup: Path) -> list[str]:
    """The base backups that are there, the oldest first."""
    return sorted(one.name for one in (backup / "base").glob("*"))


def anchor(engine: Engine, file: Path) -> None:
    """What `ancu serve` notes of the log every hour."""
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        assert trail_proof.anchor(conn, file, settled_s=0)


def fill(engine: Engine, code: str) -> None:
    """A household with an ID and an entry in the log; the world around it where it is missing."""
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        if schema.revision(conn) is None:
            schema.migrate(conn)
            intake_world.build(conn)
        number = f"001095{len(code):06}"
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
