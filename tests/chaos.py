"""`make chaos`: kills, cut lines, full disks and wrong clocks while surveys come in.

Afterwards all that was acknowledged must be there once as it was sent, no import by halves, figures
and squares as a fresh count makes them, the access log whole, and the service up again by itself.
Prints the seed of its chances; exit 1 with a line for each thing that was wrong, exit 3 with a line
for each part that could not be tried here.
"""

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.chaos_desk import Desk
from tests.chaos_imports import PROVINCE, Ended, by_command, imported, uploaded
from tests.chaos_world import (
    CutLine,
    Senders,
    audited,
    filled,
    kill_database,
    kill_keeper,
    kill_master,
    kill_worker,
    kill_workers,
    problems,
    small_disk,
)
from tests.served import Enumerator, Served, send, served, settle, token

DISK_MB = 1500
NOT_TRIED = 3
"""Exit code where nothing was wrong, but a part could not be tried."""
_FAKETIME = shutil.which("faketime")

Say = Callable[[str], None]


@dataclass(frozen=True)
class World:
    """A service under way, with the devices that send to it."""

    service: Served
    people: list[Enumerator]
    senders: Senders

    def back(self, after: str) -> None:
        """Wait until surveys are acknowledged again."""
        self.senders.wait_for_more()
        say(f"  back after: {after} ({len(self.senders.acknowledged)} surveys)")


Fault = Callable[[World], None]


class Chaos:
    """One run: the chances it takes, and what went wrong.

    times: kills of each kind; rows: of each imported file; communes: where surveys come from.
    """

    def __init__(
        self, seed: int, times: int, rows: int = 20_000, communes: int = 6, households: int = 60
    ) -> None:
        self.chance, self.times, self.rows = random.Random(seed), times, rows
        self.communes, self.households = communes, households
        self.wrong: list[str] = []
        self.skipped: list[str] = []

    def kills(self) -> None:
        """Kill the database, a worker and imports, each so many times; cut lines; the server."""
        with served() as service:
            self._through(service, "kills", self._kill, self._cut, self._restart)

    def full_disk(self) -> None:
        """Surveys come in while the disk of the database and of all files has no room."""
        self._on_small_disk("full disk", self._fill)

    def short(self) -> bool:
        """All of these on one service, for `make test`; False where no small disk can be made."""
        if self._on_small_disk("short", self._kill, self._cut, self._fill):
            return True
        with served() as service:
            self._through(service, "short", self._kill, self._cut)
        return False

    def _on_small_disk(self, name: str, *faults: Fault) -> bool:
        """Let faults happen to a service whose disk is small; False where none can be made."""
        home = Path(tempfile.mkdtemp(prefix="ancu-chaos-disk-"))
        try:
            with small_disk(home, DISK_MB):
                service = Served(home)
                try:
                    service.start()
                    self._through(service, name, *faults)
                finally:
                    service.stop()
        except PermissionError as error:
            self.skipped.append(f"{name}: {error}")
            return False
        finally:
            home.rmdir()
        return True

    def _through(self, service: Served, name: str, *faults: Fault) -> None:
        """Let faults happen while surveys come in, and judge what is left."""
        people = settle(service, self.communes, self.households)
        with Senders(service, people) as senders, Desk(service, people[0]) as desk:
            senders.wait_for_more(5)
            for fault in faults:
                fault(World(service, people, senders))
            idle = desk.wait_for_each()
        self.wrong += [f"{name}: {one}" for one in (*senders.died, desk.died, idle) if one]
        if not audited(service):
            self.wrong.append(f"{name}: the audit did not take up what waits")
        self.wrong += [f"{name}: {one}" for one in problems(service, senders)]
        with service.begin() as conn:
            self.wrong += [f"{name}: {one}" for one in desk.problems(conn)]
        say(
            f"{name}: {len(senders.acknowledged)} surveys, {len(desk.households)} households, "
            f"{len(desk.sites)} sites, {len(desk.decisions)} decisions acknowledged; "
            f"{senders.again} surveys sent again, {senders.ahead} refused for a clock ahead"
        )

    def _kill(self, world: World) -> None:
        service, rows = world.service, self.rows
        secret = token(service, f"officer@{PROVINCE}", "records.send")

        def command(name: str, after_s: float | None, fault: Fault | None) -> float:
            act = None if fault is None else partial(fault, world)
            return self._judge(world, name, by_command(service, rows, name, after_s, act))

        def upload(name: str, after_s: float | None, fault: Fault) -> float:
            ended = uploaded(service, secret, rows, name, after_s, partial(fault, world))
            return self._judge(world, name, ended)

        command_s = command("K0", None, None)
        upload_s = upload("U0", None, _no_base)
        for number in range(1, self.times + 1):
            self._at_random(lambda: kill_database(service))
            world.back(f"database, {number}")
            self._at_random(lambda: kill_worker(service, self.chance))
            world.back(f"worker, {number}")
            command(f"K{number}", self._within(command_s), None)
            command(f"D{number}", self._within(command_s), _no_base)
            upload(f"U{number}", self._within(upload_s), _no_base)
            upload(f"W{number}", self._within(upload_s), _no_workers)

    def _within(self, whole_s: float) -> float:
        return self.chance.uniform(0.1, 1.1) * whole_s

    def _at_random(self, act: Callable[[], None]) -> None:
        threading.Event().wait(self.chance.uniform(0, 2))
        act()

    def _judge(self, world: World, prefix: str, ended: Ended) -> float:
        """An import that something happened to has stored all of its file or nothing."""
        world.back(f"import {prefix}")
        with world.service.begin() as conn:
            there = imported(conn, prefix)
        if there != self.rows and (ended.acknowledged or there):
            self.wrong.append(f"import {prefix}: {there} of {self.rows} households are stored")
        how = "acknowledged" if ended.acknowledged else "broken off"
        say(f"  import {prefix}: {there} rows, {how} after {ended.seconds:.1f} s")
        return ended.seconds

    def _restart(self, world: World) -> None:
        """The first process of the web server dies, and `ancu serve` itself: started again."""
        for name, kill in (("gunicorn's first process", kill_master), ("keeper", kill_keeper)):
            kill(world.service)
            world.back(name)

    def _cut(self, world: World) -> None:
        """A device that never got its answer sends the same survey again, and it is the same."""
        service, who = world.service, world.people[0]
        with CutLine(service.port) as line:
            for number in range(self.times):
                row = who.survey(number)
                try:
                    send(line.url, who.token, row)
                    self.wrong.append("an answer came through a line that is cut")
                except OSError:
                    status, told = send(service.url, who.token, row)
                    if (status, told.get("unchanged")) != (200, 1):
                        self.wrong.append(f"sent again after a cut: {status} {told}")
        say(f"  {self.times} lines cut before the answer")

    def _fill(self, world: World) -> None:
        for _ in range(self.times):
            with filled(world.service.home):
                world.senders.wait_for_refusals(5)
            world.back("a full disk")

    def clocks(self) -> None:
        """The server's clock is a day ahead, then a day behind that of database and devices."""
        if _FAKETIME is None:
            self.skipped.append("server's clock: faketime is not installed")
            return
        for off in ("+1d", "-1d"):
            with served(before=[_FAKETIME, "-m", "-f", off]) as service:
                self._through(
                    service,
                    f"server's clock {off}",
                    lambda world: world.senders.wait_for_more(10 * self.times, 600),
                )


def _no_base(world: World) -> None:
    kill_database(world.service)


def _no_workers(world: World) -> None:
    kill_workers(world.service)


def say(told: str) -> None:
    print(told, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="faults of each kind")
    parser.add_argument("--seed", type=int, default=None, help="the chances of an earlier run")
    chosen = parser.parse_args()
    seed = int(time.time()) if chosen.seed is None else chosen.seed
    say(f"seed {seed}")
    run = Chaos(seed, chosen.times)
    for step in (run.kills, run.full_disk, run.clocks):
        say(step.__name__.replace("_", " ") + " …")
        step()
    for one in run.wrong:
        say(f"WRONG: {one}")
    for one in run.skipped:
        say(f"NOT TRIED: {one}")
    say(verdict(run))
    if run.wrong:
        return 1
    return NOT_TRIED if run.skipped else 0


def verdict(run: Chaos) -> str:
    """The last line of a run."""
    if run.wrong:
        return f"{len(run.wrong)} things are wrong"
    if run.skipped:
        return f"all is there, but {len(run.skipped)} parts were not tried"
    return "all is there"


if __name__ == "__main__":
    sys.exit(main())
