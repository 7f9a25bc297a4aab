"""`make chaos`: kills, cut lines, full disks and wrong clocks while surveys come in.

Afterwards every acknowledged survey must be there once, no import by halves, figures and squares as
a fresh count makes them, the access log whole, and the service up again by itself. Prints the seed
of its chances; exit 1 with a line for each thing that was wrong.
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
from pathlib import Path

from geo import areas
from tests.chaos_world import (
    CutLine,
    Senders,
    audited,
    filled,
    imported,
    kill_database,
    kill_import,
    kill_worker,
    problems,
    small_disk,
)
from tests.load import write_households
from tests.served import Enumerator, Served, send, served, settle

DISK_MB = 1500
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

    def kills(self) -> None:
        """Kill the database, a worker and an import, each so many times; cut lines."""
        with served() as service:
            self._through(service, "kills", self._kill, self._cut)

    def full_disk(self) -> None:
        """Surveys come in while the disk of the database and of all files has no room."""
        self._on_small_disk("full disk", self._fill)

    def short(self) -> bool:
        """All of these on one service, for `make test`; False where no small disk can be made."""
        if self._on_small_disk("short", self._kill, self._cut, self._fill):
            return True
        self.kills()
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
            say(f"{name}: skipped, {error}")
            return False
        finally:
            home.rmdir()
        return True

    def _through(self, service: Served, name: str, *faults: Fault) -> None:
        """Let faults happen while surveys come in, and judge what is left."""
        people = settle(service, self.communes, self.households)
        with Senders(service, people) as senders:
            senders.wait_for_more(5)
            for fault in faults:
                fault(World(service, people, senders))
        self.wrong += [f"{name}: {died}" for died in senders.died]
        if not audited(service):
            self.wrong.append(f"{name}: the audit did not take up what waits")
        self.wrong += [f"{name}: {one}" for one in problems(service, senders)]
        say(
            f"{name}: {len(senders.acknowledged)} acknowledged, {senders.again} sent again, "
            f"{senders.ahead} refused for a clock that is ahead"
        )

    def _kill(self, world: World) -> None:
        service = world.service
        whole_s = self._import(service, 0)
        for number in range(self.times):
            self._at_random(lambda: kill_database(service))
            world.back(f"database, {number + 1}")
            self._at_random(lambda: kill_worker(service, self.chance))
            world.back(f"worker, {number + 1}")
            self._import(service, number + 1, self.chance.uniform(0.1, 1.1) * whole_s)

    def _at_random(self, act: Callable[[], None]) -> None:
        threading.Event().wait(self.chance.uniform(0, 2))
        act()

    def _import(self, service: Served, number: int, after_s: float | None = None) -> float:
        """An import that is killed has stored all of its file or nothing; how long it ran."""
        prefix = f"K{number}"
        with service.begin() as conn:
            communes = [one.code for one in areas.children(conn, "46")]
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="ancu-chaos-") as folder:
            path = Path(folder) / "households.csv"
            write_households(path, communes, self.rows, prefix)
            ended = kill_import(service, path, after_s)
        ran = time.monotonic() - began
        with service.begin() as conn:
            there = imported(conn, prefix)
        if there != self.rows and (ended or there):
            self.wrong.append(f"import {prefix}: {there} of {self.rows} households are stored")
        say(f"  import {prefix}: {there} rows, {'ended' if ended else 'killed'} after {ran:.1f} s")
        return ran

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
        for _ in range(max(1, self.times // 10)):
            with filled(world.service.home):
                world.senders.wait_for_refusals(5)
            world.back("a full disk")

    def clocks(self) -> None:
        """The server's clock is a day ahead, then a day behind that of database and devices."""
        if _FAKETIME is None:
            say("server's clock: skipped, faketime is not installed (devices' clocks were off)")
            return
        for off in ("+1d", "-1d"):
            with served(before=[_FAKETIME, "-m", "-f", off]) as service:
                self._through(
                    service, f"server's clock {off}", lambda world: world.senders.wait_for_more(10)
                )


def say(told: str) -> None:
    print(told, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="kills of each kind")
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
    say("all is there" if not run.wrong else f"{len(run.wrong)} things are wrong")
    return 1 if run.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
