"""The service as `ancu serve` runs it, in a home of its own, with people who send surveys to it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import Connection, Engine, func, select, update

from geo import areas
from geo.accounts import keys, sessions, store, tokens
from geo.cluster import Cluster
from geo.scope import OPERATOR, bind
from geo.tables import area as area_table
from geo.tables import boundary, boundary_version, survey
from tests import intake_world, people
from tests.conftest import unpooled

Row = dict[str, object]
_UP_S = 180


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Served:
    """`ancu serve` over a private cluster in `home`; `more` are settings, `before` a wrapper."""

    def __init__(
        self, home: Path, more: dict[str, str] | None = None, before: Sequence[str] = ()
    ) -> None:
        self.home, self.port, self.before = home, free_port(), list(before)
        self.cluster = Cluster(home / ".ancu")
        self.log = home / "serve.log"
        taken = ("DATABASE_URL", "ANCU_BOUNDARIES")
        self.environment = {k: v for k, v in os.environ.items() if k not in taken} | {
            "ANCU_HOME": str(home / ".ancu"),
            "ANCU_KEYS": str(home / ".ancu" / "keys.json"),
            "ANCU_PORT": str(self.port),
            "ANCU_DEMO": "0",
            # Nothing answers there, so the first run falls back to the sketch.
            "ANCU_DOWNLOAD_URL": "http://127.0.0.1:9",
            "ANCU_RATE_PER_MINUTE": "10000000",
            **(more or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._engine: Engine | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ancu(self, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
        """One command of the service beside it, such as an import."""
        return subprocess.Popen(
            [sys.executable, "-m", "api.cli", *arguments],
            env=self.environment,
            start_new_session=True,
            **options,  # type: ignore[call-overload]
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        keys_file = Path(self.environment["ANCU_KEYS"])
        if not keys_file.exists():
            keys_file.parent.mkdir(parents=True, exist_ok=True)
            keys.make(keys_file)
        # A job in a shell's background ignores Ctrl-C, and hands that on to what it starts.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with self.log.open("a") as out:
            self.process = subprocess.Popen(
                [*self.before, sys.executable, "-m", "api.cli", "serve"],
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.wait_until_up()

    def wait_until_up(self, within_s: float = _UP_S) -> float:
        """Seconds until the service answers and reaches its database; fails when it ended."""
        began = time.monotonic()
        while time.monotonic() - began < within_s:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=10):
                    return time.monotonic() - began
            except OSError:
                self._rest()
        raise AssertionError(f"no answer in {within_s} s:\n{self.said()}")

    def _rest(self) -> None:
        assert self.process is not None
        try:
            self.process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(f"the server ended:\n{self.said()}")

    def said(self) -> str:
        """The end of what the server said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def children(self, of: int | None = None) -> list[int]:
        """The processes that the server, or another process, started."""
        assert self.process is not None
        parent = self.process.pid if of is None else of
        try:
            told = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            return []
        return [int(one) for one in told.split()]

    def workers(self) -> list[int]:
        """The web server's processes that answer requests."""
        for child in self.children():
            try:
                command = Path(f"/proc/{child}/cmdline").read_text()
            except OSError:
                continue
            if "gunicorn" in command:
                return self.children(child)
        return []

    def stop(self) -> None:
        """End it as Ctrl-C does, whatever state it is in, and remove its home."""
        if self._engine is not None:
            self._engine.dispose()
        if self.process is not None and self.process.poll() is None:
            # A wrapper such as faketime hands no signal on: who serves is in its group.
            serving = self.children() if self.before else []
            os.killpg(self.process.pid, signal.SIGINT)
            try:
                while any(Path(f"/proc/{one}").exists() for one in serving):
                    time.sleep(0.2)
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.cluster.stop()
        shutil.rmtree(self.cluster.base, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction of the operator's on the service's own database."""
        self._engine = self._engine or unpooled(self.cluster.url())
        with self._engine.begin() as conn:
            bind(conn, OPERATOR)
            yield conn


@contextmanager
def served(more: dict[str, str] | None = None, before: Sequence[str] = ()) -> Iterator[Served]:
    """A new service that answers, gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="ancu-served-"))
    home.chmod(0o755)
    service = Served(home, more, before)
    try:
        service.start()
        yield service
    finally:
        service.stop()


@dataclass(frozen=True)
class Enumerator:
    """Who sends surveys of one commune: by a token, about its households, at its middle."""

    commune: str
    token: str
    households: tuple[str, ...]
    lon: float
    lat: float

    def survey(self, number: int, **changed: object) -> Row:
        """A new survey of the household that stands at `number`, counted around."""
        row: Row = {
            "survey_id": str(uuid4()),
            "household_code": self.households[number % len(self.households)],
            "surveyed_at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat(),
            "enumerator": f"Điều tra viên {self.commune}",
            "lon": round(self.lon + number % 97 * 1e-5, 6),
            "lat": round(self.lat + number % 89 * 1e-5, 6),
            "accuracy_m": 8.0,
        }
        return row | changed


def settle(
    service: Served, communes: int, households: int, province: str = "19"
) -> list[Enumerator]:
    """Households in some communes of a province, and an enumerator with a token in each."""
    with service.begin() as conn:
        # Beside the borders of a sketch, kilometres unsure, no survey would be beyond doubt.
        conn.execute(update(boundary_version).values(accuracy_m=10))
        chosen = areas.children(conn, province)[:communes]
        made = []
        for area in chosen:
            lon, lat = _middle(conn, area.code)
            codes = tuple(f"L{area.code}-{i:05d}" for i in range(households))
            intake_world.load(
                conn,
                "households",
                *(_household(code, area.code, area.full_name) for code in codes),
            )
            account_id = people.add(conn, f"enumerator@{area.code}", login=f"e{area.code}")
            user = store.as_user(store.get(conn, account_id))
            _, token = tokens.make(conn, user, "máy", ["surveys.send"], 30)
            made.append(Enumerator(area.code, token, codes, lon, lat))
    return made


def _middle(conn: Connection, code: str) -> tuple[float, float]:
    """A point well inside a commune: its longitude and latitude."""
    point = func.ST_PointOnSurface(boundary.c.geom)
    found = conn.execute(
        select(func.ST_X(point), func.ST_Y(point))
        .join(area_table, area_table.c.area_id == boundary.c.area_id)
        .where(area_table.c.code == code)
    ).one()
    return float(found[0]), float(found[1])


def _household(code: str, commune: str, name: str) -> Row:
    return {
        "household_code": code,
        "head_name": "Lò Văn Sơn",
        "recorded_address": name,
        "commune_code": commune,
        "status": "poor",
        "status_year": 2025,
    }


def send(
    url: str, token: str, row: Row, timeout: float = 30, path: str = "/api/v1/surveys"
) -> tuple[int, Row]:
    """Send one survey, or what else the path takes: the answer's status and content.

    Raises OSError when no answer came.
    """
    asked = urllib.request.Request(
        url + path,
        data=json.dumps(row).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"{}")


def stored(conn: Connection, ids: Sequence[str]) -> dict[str, int]:
    """How often each of the surveys is stored."""
    found = dict.fromkeys(ids, 0)
    for (one,) in conn.execute(select(survey.c.survey_id)):
        if str(one) in found:
            found[str(one)] += 1
    return found


def token(service: Served, held: str, *actions: str) -> str:
    """The token of a new account with this role for some of its actions."""
    with service.begin() as conn:
        user = store.as_user(store.get(conn, people.add(conn, held)))
        return tokens.make(conn, user, "máy", actions, 30)[1]


def session_cookie(service: Served, *held: str) -> str:
    """The cookie of a new account with these roles that has just signed in."""
    app = Flask("signs")
    app.secret_key = keys.read(Path(service.environment["ANCU_KEYS"])).session
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    with service.begin() as conn:
        account_id = people.add(conn, *held)
        secret = sessions.start(conn, account_id, "127.0.0.1", "load")
    return "ancu=" + str(serializer.dumps({"_user_id": secret, "_fresh": True}))
