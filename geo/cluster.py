"""The private PostGIS cluster that serves when DATABASE_URL is not set.

It lives below the service's home (`.ancu/`) and listens on a unix socket only, in a directory
that nobody else can enter. PostgreSQL refuses to run as root: root's cluster belongs to the
`postgres` user, or to `nobody`, and moves to /var/lib when that user cannot reach the home.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from geo.config import settings
from geo.errors import UnavailableError
from geo.system import install

DATABASE = "ancu"
OWNER = "ancu"
_SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.5432.lock")
_TUNING = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "2GB",
    "max_wal_size": "4GB",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
}


@dataclass(frozen=True)
class Cluster:
    """One cluster: where its data and socket are and which user runs it."""

    home: Path
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def base(self) -> Path:
        """The directory of data, socket and log."""
        home = self.home.absolute()
        if os.geteuid() == 0 and not _can_enter(_owner(), home):
            return Path("/var/lib/ancu") / _digest(home)
        return home / "postgres"

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def socket(self) -> Path:
        """The socket's directory; a short one when the home's path is too long for a socket."""
        direct = self.base / "socket"
        if len(os.fsencode(direct)) <= _SOCKET_PATH_LIMIT:
            return direct
        return Path(tempfile.gettempdir()) / f"ancu-{self.owner.pw_uid}-{_digest(direct)}"

    @property
    def owner(self) -> pwd.struct_passwd:
        """Who runs the server: the owner of the data where there are any."""
        if self.data.exists():
            return pwd.getpwuid(self.data.stat().st_uid)
        return _owner()

    @property
    def keep_marker(self) -> Path:
        """Exists when somebody asked for the cluster to stay up (`ancu db start`)."""
        return self.base / "keep-running"

    def url(self, database: str = DATABASE, user: str = OWNER) -> str:
        host = quote(str(self.socket), safe="/")
        return f"postgresql+psycopg2://{user}@/{quote(database)}?host={host}"

    def running(self) -> bool:
        """Whether its server answers; a process id left by a killed one does not count."""
        if self.base.exists() and not os.access(self.base, os.X_OK):
            raise UnavailableError(
                f"{self.base} belongs to another user: run An Cư as that user, or set ANCU_HOME."
            )
        return (
            self.socket.exists() and self._run("pg_isready", "-h", str(self.socket)).returncode == 0
        )

    def start(self) -> bool:
        """Create it if needed and start it; True if this call started it.

        Raises UnavailableError with the end of the server's log when it does not come up.
        """
        if self.running():
            self._make_database()  # a start that was interrupted may have stopped before it
            return False
        # First, because installing PostgreSQL may bring the user who is to own the directories.
        binaries()
        self._prepare_directories()
        if not (self.data / "PG_VERSION").exists():
            self._create()
        options = dict(_TUNING) | {"unix_socket_directories": str(self.socket)} | dict(self.extra)
        flags = " ".join(f"-c {key}='{value}'" for key, value in options.items())
        for attempt in range(10):
            done = self._pg_ctl("start", "-w", "-t", "60", "-o", flags)
            if done.returncode == 0:
                break
            # After a kill the old backends hold the shared memory for a few seconds, and a server
            # that recovers answers by itself a little later.
            if self.running():
                break
            time.sleep(0.5 * (attempt + 1))
        else:
            raise UnavailableError(
                f"The database does not start: {done.stderr.strip()}\n{self._log_tail()}"
            )
        self._make_database()
        return True

    def stop(self) -> None:
        """Stop it, ending open connections; nothing happens when it does not run."""
        if (self.data / "postmaster.pid").exists():
            self._pg_ctl("stop", "-w", "-m", "fast")
        self.keep_marker.unlink(missing_ok=True)

    def _prepare_directories(self) -> None:
        owner = self.owner
        self.home.mkdir(parents=True, exist_ok=True)
        for directory in (self.base, self.socket):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.geteuid() == 0:
                os.chown(directory, owner.pw_uid, owner.pw_gid)
            elif directory.stat().st_uid != owner.pw_uid:
                raise UnavailableError(f"{directory} belongs to another user. Remove it first.")
            directory.chmod(0o700)

    def _create(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        done = self._run(
            "initdb",
            "-D",
            str(self.data),
            "-U",
            "ancu",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
        )
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise UnavailableError(f"The database cannot be created:\n{done.stderr.strip()}")

    def _make_database(self) -> None:
        names = self._psql("postgres", "SELECT datname FROM pg_database")
        if DATABASE in names.stdout.split():
            return
        made = self._psql("postgres", f'CREATE DATABASE "{DATABASE}"')
        if made.returncode != 0:
            raise UnavailableError(f"The database cannot be created:\n{made.stderr.strip()}")

    def _psql(self, database: str, statement: str) -> subprocess.CompletedProcess[str]:
        return self._run(
            "psql",
            "-X",
            "-A",
            "-t",
            "-U",
            "ancu",
            "-h",
            str(self.socket),
            "-d",
            database,
            "-c",
            statement,
        )

    def _pg_ctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        log = ["-l", str(self.base / "server.log")] if arguments[0] == "start" else []
        return self._run("pg_ctl", "-D", str(self.data), *log, *arguments)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        owner = self.owner
        switch = (
            {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            if os.geteuid() == 0
            else {}
        )
        # The server must not hold our pipes open, so its output goes to files.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            code = subprocess.run(
                [str(binaries() / program), *arguments],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
                check=False,
                **switch,  # type: ignore[call-overload]
            ).returncode
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess([program], code, out.read(), err.read())

    def _log_tail(self) -> str:
        log = self.base / "server.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return "\n".join(lines[-8:])


def private() -> Cluster:
    """The cluster of this installation."""
    return Cluster(settings().home)


def private_url() -> str:
    return private().url()


@contextmanager
def available() -> Iterator[None]:
    """The database is up inside the block; the last of all that use it stops the private cluster.

    Who uses it holds a shared lock on a file, which the system takes back from a killed process.
    """
    if settings().database_url:
        yield
        return
    cluster = private()
    with _users(cluster) as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            with (cluster.home / "starting.lock").open("w") as starting:
                fcntl.flock(starting, fcntl.LOCK_EX)
                cluster.start()
            yield
        finally:
            if not cluster.keep_marker.exists() and _is_last(users):
                cluster.stop()


def stop_unused() -> None:
    """Stop the private cluster; UnavailableError while a server or a command uses it."""
    cluster = private()
    with _users(cluster) as users:
        if not _is_last(users):
            raise UnavailableError(
                "A running `ancu serve` or another command uses the database: stop that first."
            )
        cluster.stop()


def _users(cluster: Cluster) -> IO[str]:
    cluster.home.mkdir(parents=True, exist_ok=True)
    return (cluster.home / "users.lock").open("w")


def _is_last(users: IO[str]) -> bool:
    """Whether nobody else uses the cluster; then nobody can begin to until `users` is closed."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def binaries() -> Path:
    """The directory of a PostgreSQL server that has PostGIS; installs it where that is allowed."""
    found = _find_binaries()
    if found is None:
        install(["postgresql-postgis", "postgresql-postgis-scripts"], "PostgreSQL with PostGIS")
        found = _find_binaries()
    if found is None:
        raise UnavailableError("PostgreSQL with PostGIS was installed but cannot be found.")
    return found


def _find_binaries() -> Path | None:
    candidates = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True
    )
    for directory in candidates:
        extension = Path("/usr/share/postgresql") / directory.parent.name / "extension"
        if (directory / "initdb").exists() and (extension / "postgis.control").exists():
            return directory
    config = shutil.which("pg_config")
    if config:
        asked = subprocess.run(
            [config, "--bindir", "--sharedir"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        control = Path(asked[1]) / "extension" / "postgis.control"
        if control.exists() and (Path(asked[0]) / "initdb").exists():
            return Path(asked[0])
    return None


def _owner() -> pwd.struct_passwd:
    """Who runs the server: ourselves, or for root an unprivileged user that exists."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise UnavailableError("Neither the user postgres nor nobody exists to run the database.")


def _can_enter(user: pwd.struct_passwd, directory: Path) -> bool:
    """Whether `user` can pass through every directory down to the nearest one that exists."""
    while not directory.exists():
        directory = directory.parent
    asked = subprocess.run(
        ["/usr/bin/test", "-x", str(directory)],
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        check=False,
    )
    return asked.returncode == 0


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
