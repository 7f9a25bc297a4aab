"""What chaos is made of: senders that never give up, kills, a line that is cut, a full disk."""

import os
import random
import signal
import socket
import subprocess
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path

from sqlalchemy import Connection, func, select

from geo import metrics, trail_proof
from geo.audit import due
from geo.counter_tables import commune_counter, site_due
from geo.tables import survey
from geo.tile_tables import tile_choice, tile_day, tile_square
from tests.served import Enumerator, Row, Served, send

CLOCKS = (timedelta(0), timedelta(days=1, minutes=-30), timedelta(days=-1))
"""How far the devices' clocks are off."""
_KEEPS = (200, 201)
_AGAIN_S = 0.3
_MOCKED = 5
"""Every fifth survey comes with a doubt, so that an auditor has something to decide about."""
_FUTURE = "lies in the future"


class Senders:
    """Devices that send surveys without a pause, each again until it is acknowledged."""

    def __init__(self, service: Served, people: Iterable[Enumerator]) -> None:
        self._service, self._stop = service, threading.Event()
        self.acknowledged: dict[str, Row] = {}
        """What was sent, by the survey's id."""
        self.refused: list[str] = []
        self.again = 0
        self.ahead = 0
        """Surveys refused because their device's clock is ahead of the server's."""
        self.died: list[str] = []
        """Of each device that ended by a fault of its own, which: nothing it said counts."""
        self._threads = [
            threading.Thread(target=self._send_or_tell, args=(one, CLOCKS[i % len(CLOCKS)]))
            for i, one in enumerate(people)
        ]

    def __enter__(self) -> "Senders":
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for one in self._threads:
            one.join()

    def wait_for_more(self, number: int = 3, within_s: float = 120) -> None:
        """Wait until so many more surveys are acknowledged; fails when the time is over."""
        wanted = len(self.acknowledged) + number
        self._wait(lambda: len(self.acknowledged) >= wanted, "acknowledged", within_s)

    def wait_for_refusals(self, number: int, within_s: float = 120) -> None:
        """Wait until so many more surveys have to be sent again; fails when the time is over."""
        wanted = self.again + number
        self._wait(lambda: self.again >= wanted, "refused", within_s)

    def _wait(self, come: Callable[[], bool], what: str, within_s: float) -> None:
        until = time.monotonic() + within_s
        while not come():
            # A device that died sends nothing any more: not the service is to blame.
            assert not self.died, "\n".join(self.died)
            assert time.monotonic() < until, (
                f"too few were {what} in {within_s} s:\n{self._service.said()}"
            )
            threading.Event().wait(0.2)

    def _send_or_tell(self, who: Enumerator, off: timedelta) -> None:
        try:
            self._send_on(who, off)
        except Exception:  # noqa: BLE001 - told to whoever waits, and judged with the run
            self.died.append(f"the device of {who.commune} died:\n{traceback.format_exc()}")

    def _send_on(self, who: Enumerator, off: timedelta) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            at = (datetime.now(UTC) + off).isoformat()
            row = who.survey(number, surveyed_at=at, sent_at=at, device_id=f"máy {who.commune}")
            row["mock_location"] = number % _MOCKED == 0
            while not self._sent(who, row):
                self.again += 1
                # A stop waits for what is on its way: it may be stored already.
                self._stop.wait(_AGAIN_S)
            self._stop.wait(0.05)

    def _sent(self, who: Enumerator, row: Row) -> bool:
        """Whether the device may forget the survey: acknowledged, or refused for good."""
        try:
            status, told = send(self._service.url, who.token, row)
        except (OSError, HTTPException, ValueError):
            return False  # an answer that broke off is none
        if status in _KEEPS:
            self.acknowledged[str(row["survey_id"])] = row
        elif status == 422 and _FUTURE in str(told):
            self.ahead += 1
        elif status < 500:
            self.refused.append(f"{status}: {told}")
        return status < 500


def kill_database(service: Served) -> None:
    """Kill PostgreSQL's first process and all that it started."""
    pid_file = service.cluster.data / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        first = int(pid_file.read_text().split("\n")[0])
        _kill([*service.children(first), first])


def kill_worker(service: Served, chance: random.Random) -> None:
    """Kill one of the web server's workers."""
    workers = service.workers()
    if workers:
        _kill([chance.choice(workers)])


def kill_workers(service: Served) -> None:
    """Kill all workers of the web server, whichever of them holds a request."""
    _kill(service.workers())


def kill_master(service: Served) -> None:
    """Kill gunicorn's first process: `ancu serve` ends, and whoever runs it starts it again."""
    workers = service.workers()
    _kill(one for one in service.children() if set(service.children(one)) & set(workers))
    _start_again(service, workers)


def kill_keeper(service: Served) -> None:
    """Kill `ancu serve`, which looks after the rest, and gunicorn, as a service manager would."""
    assert service.process is not None
    workers, children = service.workers(), service.children()
    service.process.kill()
    _kill([*children, *workers])
    _start_again(service, workers)


def _start_again(service: Served, workers: Iterable[int]) -> None:
    assert service.process is not None
    service.process.wait(timeout=120)
    until = time.monotonic() + 60
    while any(Path(f"/proc/{one}").exists() for one in workers):
        assert time.monotonic() < until, "a worker outlives its server"
        threading.Event().wait(0.2)
    service.start()


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class CutLine:
    """A way to the service that takes a request and is cut before the answer comes back."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "CutLine":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        # Shut down first: closing alone does not wake who waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, socket.create_connection(("127.0.0.1", self._port)) as server:
                client.settimeout(0.2)
                with suppress(TimeoutError):
                    while piece := client.recv(65536):
                        server.sendall(piece)
                server.recv(1)  # the answer has begun: whatever was stored is stored


@contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[None]:
    """A file system of that size at a directory; raises OSError where that is not allowed."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "none", str(at)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise OSError(done.stderr.strip() or "mount failed")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


@contextmanager
def filled(at: Path) -> Iterator[None]:
    """No room is left on the file system inside the block."""
    filler = at / "filler"
    try:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * 65536)
        yield
    finally:
        filler.unlink()


def problems(service: Served, senders: Senders) -> list[str]:
    """What is wrong after all of it: each line one thing that should not be."""
    found = [f"refused: {one}" for one in sorted(set(senders.refused))]
    with service.begin() as conn:
        found += _surveys_missing(conn, senders.acknowledged)
        anchors = trail_proof.read_anchors(service.home / ".ancu" / "log-anchors.jsonl")
        found += [f"the log: {one}" for one in trail_proof.verify(conn, anchors).problems]
    with service.begin() as conn:
        found += _counted_anew(conn)
    return found


def _surveys_missing(conn: Connection, acknowledged: dict[str, Row]) -> list[str]:
    """Acknowledged surveys that are not stored once, with the content that was sent."""
    counted, of = Counter[str](), survey.c
    found = []
    sent = [of.household_code, of.enumerator, of.device_id, of.mock_location, of.accuracy_m]
    place = [func.ST_X(of.geom).label("lon"), func.ST_Y(of.geom).label("lat")]
    for row in conn.execute(select(of.survey_id, of.surveyed_at, *sent, *place)).mappings():
        told = acknowledged.get(str(row["survey_id"]))
        if told is None:
            continue
        counted[str(row["survey_id"])] += 1
        names = [*(one.name for one in sent), "lon", "lat"]
        other = [name for name in names if row[name] != told[name]]
        if row["surveyed_at"] != datetime.fromisoformat(str(told["surveyed_at"])):
            other.append("surveyed_at")
        if other:
            found.append(f"{row['survey_id']} is stored with another {', '.join(other)}")
    return found + [
        f"{one} was acknowledged and is stored {counted[one]} times"
        for one in acknowledged
        if counted[one] != 1
    ]


def _counted_anew(conn: Connection) -> list[str]:
    """Counters and squares that are other than a fresh count makes them."""
    before = {name: look(conn) for name, look in _COUNTED.items()}
    inner = conn.begin_nested()
    pairs = select(commune_counter.c.province_code, commune_counter.c.commune_code)
    metrics.recount(conn, [(one[0], one[1]) for one in conn.execute(pairs)])
    after = {name: look(conn) for name, look in _COUNTED.items()}
    inner.rollback()
    return [
        f"{name}: {row} {'is too much' if row in before[name] else 'is missing'}"
        for name in _COUNTED
        for row in sorted(before[name] ^ after[name], key=str)[:5]
    ]


def _counters(conn: Connection) -> set[tuple[object, ...]]:
    return {tuple(row) for row in conn.execute(select(commune_counter))}


def _squares(conn: Connection) -> set[tuple[object, ...]]:
    return {tuple(row) for row in conn.execute(select(tile_square))}


def _days(conn: Connection) -> set[tuple[object, ...]]:
    return {tuple(row) for row in conn.execute(select(tile_day))}


def _choices(conn: Connection) -> set[tuple[object, ...]]:
    return {tuple(row) for row in conn.execute(select(tile_choice))}


def _due(conn: Connection) -> set[tuple[object, ...]]:
    return {tuple(row) for row in conn.execute(select(site_due))}


_COUNTED: dict[str, Callable[[Connection], set[tuple[object, ...]]]] = {
    "figures": _counters,
    "dates": _due,
    "squares": _squares,
    "days": _days,
    "choices": _choices,
}


def audited(service: Served, within_s: float = 180) -> bool:
    """Whether the rules' pass takes up what waits, without anybody's command."""
    left = within_s
    while left > 0:
        with service.begin() as conn:
            if not due.provinces(conn):
                return True
        threading.Event().wait(1)
        left -= 1
    return False
