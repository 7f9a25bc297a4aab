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

COMMUNES, HOUSEHOLDS = 6, 60
DISK_MB = 1500
_FAKETIME = shutil.which("faketime")

Say = Callable[[str], None]


class Chaos:
    """One run: the chances it takes, and what went wrong."""

    def __init__(self, seed: int, times: int, rows: int = 20_000) -> None:
        self.chance, self.times, self.rows = random.Random(seed), times, rows
        self.wrong: list[str] = []

    def kills(self) -> None:
        """Kill the database, a worker and an import, each so many times, while surveys come in."""
        with served() as service:
            people = settle(service, COMMUNES, HOUSEHOLDS)
            with Senders(service, people) as senders:
                senders.wait_for_more(5)
                whole_s = self._import(service, 0)
                for number in range(self.times):
                    self._at_random(lambda: kill_database(service))
                    self._back(service, senders, f"database, {number + 1}")
                    self._at_random(lambda: kill_worker(service, self.chance))
                    self._back(service, senders, f"worker, {number + 1}")
                    self._import(service, number + 1, self.chance.uniform(0.1, 1.1) * whole_s)
                self._cut(service, people[0])
            self._judge(service, senders, "kills")

    def _at_random(self, act: Callable[[], None]) -> None:
        threading.Event().wait(self.chance.uniform(0, 2))
        act()

    def _back(self, service: Served, senders: Senders, after: str) -> None:
        senders.wait_for_more()
        say(f"  back after: {after} ({len(senders.acknowledged)} surveys)")

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

    def _cut(self, service: Served, who: Enumerator) -> None:
        """A device that never got its answer sends the same survey again, and it is the same."""
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

    def _judge(self, service: Served, senders: Senders, name: str) -> None:
        if not audited(service):
            self.wrong.append(f"{name}: the audit did not take up what waits")
        self.wrong += [f"{name}: {one}" for one in problems(service, senders)]
        say(
            f"{name}: {len(senders.acknowledged)} acknowledged, {senders.again} sent again, "
            f"{senders.ahead} refused for a clock that is ahead"
        )

    def full_disk(self) -> None:
        """Surveys come in while the disk of the database and of all files has no room."""
        home = Path(tempfile.mkdtemp(prefix="ancu-chaos-disk-"))
        try:
            with small_disk(home, DISK_MB):
                self._on_small_disk(home)
        except PermissionError as error:
            say(f"full disk: skipped, {error}")
        finally:
            home.rmdir()

    def _on_small_disk(self, home: Path) -> None:
        service = Served(home)
        try:
            service.start()
            people = settle(service, COMMUNES, HOUSEHOLDS)
            with Senders(service, people) as senders:
                senders.wait_for_more(5)
                for _ in range(max(1, self.times // 10)):
                    with filled(home):
                        before = senders.again
                        while senders.again < before + 5:
                            threading.Event().wait(0.2)
                    self._back(service, senders, "a full disk")
            self._judge(service, senders, "full disk")
        finally:
            service.stop()

    def clocks(self) -> None:
        """The server's clock is a day ahead, then a day behind that of database and devices."""
        if _FAKETIME is None:
            say("server's clock: skipped, faketime is not installed (devices' clocks were off)")
            return
        for off in ("+1d", "-1d"):
            with served(before=[_FAKETIME, "-m", "-f", off]) as service:
                people = settle(service, COMMUNES, HOUSEHOLDS)
                with Senders(service, people) as senders:
                    senders.wait_for_more(10)
                self._judge(service, senders, f"server's clock {off}")


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
