"""The private cluster: made where its user can reach it, started, stopped, back after a kill."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from geo import cluster as module
from geo.cluster import Cluster
from geo.errors import UnavailableError
from tests.conftest import FAST

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def home():
    """A directory that every user can enter, with a cluster's worth of rubbish removed after."""
    made = Path(tempfile.mkdtemp(prefix="ancu-cluster-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_start_makes_it_and_a_second_start_finds_it_running(home):
    cluster = Cluster(home, FAST)
    assert cluster.start() is True
    try:
        assert cluster.start() is False
        assert cluster.running()
    finally:
        cluster.stop()
    assert not cluster.running()


def test_rows_survive_stop_and_start(home):
    cluster = Cluster(home, FAST)
    cluster.start()
    try:
        _execute(cluster, "CREATE TABLE kept AS SELECT 42 AS answer")
        cluster.stop()
        cluster.start()
        assert _execute(cluster, "SELECT answer FROM kept") == 42
    finally:
        cluster.stop()


def test_listens_on_its_socket_only_and_nobody_else_can_enter(home):
    cluster = Cluster(home, FAST)
    cluster.start()
    try:
        assert _execute(cluster, "SHOW listen_addresses") == ""
        for directory in (cluster.base, cluster.socket, cluster.data):
            assert directory.stat().st_mode & 0o077 == 0, directory
    finally:
        cluster.stop()


def test_comes_back_after_its_server_was_killed(home):
    # Durability is what is tested, so the fast settings of the other tests are left out.
    cluster = Cluster(home)
    cluster.start()
    try:
        _execute(cluster, "CREATE TABLE kept AS SELECT 42 AS answer")
        first_line = (cluster.data / "postmaster.pid").read_text().splitlines()[0]
        os.kill(int(first_line), signal.SIGKILL)
        assert cluster.start() is True
        assert _execute(cluster, "SELECT answer FROM kept") == 42
    finally:
        cluster.stop()


def test_a_home_too_deep_for_a_socket_gets_a_short_socket_directory(home):
    deep = home / ("x" * 60) / ("y" * 60)
    cluster = Cluster(deep, FAST)
    assert len(os.fsencode(cluster.socket)) < 88
    cluster.start()
    try:
        assert _execute(cluster, "SELECT 1") == 1
    finally:
        cluster.stop()
        shutil.rmtree(cluster.socket, ignore_errors=True)


@pytest.mark.skipif(not AS_ROOT, reason="only root runs the server as another user")
def test_root_moves_it_out_of_a_home_that_its_user_cannot_enter(home):
    home.chmod(0o700)
    cluster = Cluster(home / "checkout" / ".ancu", FAST)
    assert home not in cluster.base.parents
    cluster.start()
    try:
        assert _execute(cluster, "SELECT 1") == 1
        owner = pwd.getpwuid(cluster.data.stat().st_uid).pw_name
        assert owner in {"postgres", "nobody"}
    finally:
        cluster.stop()
        shutil.rmtree(cluster.base)


@pytest.mark.skipif(not AS_ROOT, reason="changing the user needs root")
def test_an_ordinary_user_runs_it_as_himself(home):
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    done = _run_as_nobody(
        home, "print(cluster.start(), cluster.data.stat().st_uid, cluster.stop())"
    )
    assert done.stdout.split() == ["True", str(nobody.pw_uid), "None"], done.stderr


@pytest.mark.skipif(not AS_ROOT, reason="changing the user needs root")
def test_another_users_cluster_is_refused_in_words(home):
    (home / ".ancu" / "postgres").mkdir(parents=True, mode=0o700)
    done = _run_as_nobody(home, "cluster.running()")
    assert "belongs to another user" in done.stderr.splitlines()[-1]


def test_a_missing_postgis_is_asked_for_with_the_exact_command(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_find_binaries", lambda: None)
    monkeypatch.setattr("geo.system.shutil.which", lambda _name: None)
    with pytest.raises(UnavailableError, match=r"sudo apt-get install .*postgresql-postgis"):
        module.binaries()


def test_the_last_of_its_users_stops_it(home, monkeypatch):
    cluster = Cluster(home, FAST)
    monkeypatch.setattr(module, "private", lambda: cluster)
    first, second = module.available(), module.available()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert cluster.running()
    with pytest.raises(UnavailableError, match="stop that first"):
        module.stop_unused()
    second.__exit__(None, None, None)
    assert not cluster.running()


def test_a_cluster_started_to_stay_outlives_its_users(home, monkeypatch):
    cluster = Cluster(home, FAST)
    monkeypatch.setattr(module, "private", lambda: cluster)
    cluster.start()
    cluster.keep_marker.touch()
    with module.available():
        pass
    assert cluster.running()
    module.stop_unused()
    assert not cluster.running()
    assert not cluster.keep_marker.exists()


def test_a_start_that_broke_off_before_its_database_is_finished_by_the_next(home):
    cluster = Cluster(home, FAST)
    cluster.start()
    try:
        cluster._psql("postgres", "DROP DATABASE ancu")
        assert cluster.start() is False
        assert _execute(cluster, "SELECT 1") == 1
    finally:
        cluster.stop()


def test_an_interrupt_while_it_starts_leaves_nothing_running(home, monkeypatch):
    cluster = Cluster(home, FAST)
    monkeypatch.setattr(module, "private", lambda: cluster)

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Cluster, "_make_database", interrupted)
    with pytest.raises(KeyboardInterrupt), module.available():
        pytest.fail("the block must not begin")
    assert not cluster.running()


def _execute(cluster: Cluster, statement: str) -> object:
    engine = create_engine(cluster.url())
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def _run_as_nobody(home: Path, statement: str) -> subprocess.CompletedProcess[str]:
    nobody = pwd.getpwnam("nobody")
    program = (
        "import sys; from pathlib import Path; from geo.cluster import Cluster\n"
        f"cluster = Cluster(Path(sys.argv[1]))\n{statement}\n"
    )
    return subprocess.run(
        [_python_for_all(), "-c", program, str(home / ".ancu")],
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": _readable_copy(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def _python_for_all() -> str:
    """An interpreter of our version that an ordinary user may run; root's own may be closed."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    packages = [path for path in sys.path if path.endswith("site-packages")]
    for candidate in (sys.executable, f"/usr/bin/python{version}"):
        if all(map(_open_to_all, (candidate, Path(candidate).resolve(), *packages))):
            return candidate
    pytest.skip("root's Python and packages lie where an ordinary user may not go")


def _open_to_all(path: str | Path) -> bool:
    place = Path(path)
    return place.exists() and all(
        p.stat().st_mode & 0o005 == 0o005 for p in (place, *place.parents)
    )


def _readable_copy(home: Path) -> str:
    """The packages that the cluster needs, where every user can read them."""
    target = home / "packages"
    shutil.copytree(Path(module.__file__).parent, target / "geo")
    return os.pathsep.join([str(target), *(p for p in sys.path if p.endswith("site-packages"))])
