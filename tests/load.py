"""`make load`: how the service bears a working day's crowd, and whether it loses or doubles any.

Enumerators send surveys and officers look around (tests/load_users.py, driven by locust), while
imports, exports and clients on slow lines take their share. Prints a table, writes load.json;
exit 1 where a limit is not held.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from geo import areas, trail_proof
from geo.cells import shares
from tests.load_chain import Chain
from tests.served import Enumerator, Served, served, session_cookie, settle, stored, token
from tests.slow_clients import SlowClients
from tests.uploading import upload

PROVINCE = "19"
SURVEY_P95_MS, PAGE_P95_MS = 1000, 500
HOUSEHOLD = "/households/%s/%s"
_REACHED = 0.9
"""Share of the rate that must be reached: devices come one after the other, and end at any time."""
_UPLOADED = 100
"""An uploaded file has this part of the rows of an imported one."""
_TAKEN, _TAKEN_ROWS = "08", 20_000
"""Where the export is of that slow clients take: larger than they and the system's buffers hold."""
USERS = Path(__file__).parent / "load_users.py"


@dataclass
class Load:
    """How much of what: surveys a second, and for how long."""

    seconds: int = 900
    rate: float = 30
    officers: int = 50
    slow: int = 200
    """Clients that send slowly."""
    takers: int = 20
    """Clients that take an export slowly."""
    rows: int = 200_000
    """Households of each imported file."""
    communes: int = 20
    """Where the enumerators work."""
    households: int = 300
    """Of each commune."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=Load.seconds)
    parser.add_argument("--rate", type=float, default=Load.rate, help="surveys a second")
    parser.add_argument("--officers", type=int, default=Load.officers)
    parser.add_argument("--slow", type=int, default=Load.slow, help="clients at 2 KB a second")
    parser.add_argument("--takers", type=int, default=Load.takers, help="… that take an export")
    parser.add_argument("--rows", type=int, default=Load.rows, help="rows of each import")
    parser.add_argument("--out", type=Path, default=Path("load.json"))
    told = vars(parser.parse_args())
    out = told.pop("out")
    with served() as service:
        result = run(service, Load(**told))
    out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    Console(width=100).print(as_table(result))
    print(chain_line(result["log's chain"]))
    for failure in result["failures"]:
        print(failure, file=sys.stderr)
    return 1 if result["failures"] else 0


def run(service: Served, load: Load) -> dict[str, Any]:
    """Load a service and say what was seen; `failures` names each limit that was not held."""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="ancu-load-")))
        people = settle(service, load.communes, load.households, PROVINCE)
        plan = _planned(service, folder, people, load)
        slow = [held.enter_context(one) for one in _slow(service, folder, people[0], load)]
        stop = threading.Event()
        jobs = Jobs(service, folder, [one.commune for one in people], load)
        others = [Repeated(stop, "import", jobs.bring), Repeated(stop, "export", jobs.take)]
        for other in others:
            other.start()
        with Chain(service) as chain:
            stats = _locust(service, plan, load.seconds)
        stop.set()
        cut = [sum(one.ended for one in slow), load.slow + load.takers]
        for other in others:
            other.join()
        result = _judged(service, folder, stats)
    result["load"] = asdict(load)
    result["log's chain"] = chain.figures()
    result["finished beside it"] = {other.name: other.done for other in others}
    result["slow clients cut off"] = cut[0]
    result["failures"] += [f"{o.name} failed: {o.failed}" for o in others if o.failed]
    result["failures"] += [f"no {o.name} was finished in time" for o in others if not o.done]
    if cut[0]:
        result["failures"].append(f"{cut[0]} of {cut[1]} slow clients were cut off")
    result["failures"] += too_few(result["requests"], load)
    return result


def too_few(requests: dict[str, dict[str, float]], load: Load) -> list[str]:
    """That less came than was to be sent: devices that wait for answers send no more meanwhile."""
    sent = sum(row["requests"] for name, row in requests.items() if name.startswith("survey"))
    reached = sent / load.seconds
    if reached >= _REACHED * load.rate:
        return []
    return [f"{reached:.1f} surveys a second were sent, not {load.rate:g}"]


def _slow(service: Served, folder: Path, one: Enumerator, load: Load) -> list[SlowClients]:
    """Clients that send and that take at 2 KB a second, none of them done before the end."""
    path = folder / "taken.csv"
    with service.begin() as conn:
        commune = areas.children(conn, _TAKEN)[0].code
    write_households(path, [commune], _TAKEN_ROWS, "T", "Thôn 3" * 70)
    officer = token(service, f"officer@{commune}", "records.send")
    if upload(service, officer, path.read_bytes()) != 201:
        raise RuntimeError(f"what slow clients take could not be stored:\n{service.said()}")
    reader = token(service, f"supervisor@{commune}", "records.read", "records.export")
    export = f"/api/v1/households?area={commune}&format=geojson&file=1"
    return [
        SlowClients(service.port, one.token, sending=load.slow),
        SlowClients(service.port, reader, taking=load.takers, path=export),
    ]


class Repeated(threading.Thread):
    """One job after the other until it is told to stop; the one that runs is finished.

    done: jobs that ended before that; job: does the one of a number, and tells why it failed.
    """

    def __init__(self, stop: threading.Event, name: str, job: Callable[[int], str]) -> None:
        super().__init__(name=name)
        self._stop_asked, self._job = stop, job
        self.done, self.failed = 0, ""

    def run(self) -> None:
        number = 0
        while not self._stop_asked.is_set() and not self.failed:
            try:
                self.failed = self._job(number)
            except OSError as error:
                self.failed = str(error)
            number += 1
            if not self.failed and not self._stop_asked.is_set():
                self.done += 1


class Jobs:
    """Imports into the communes of the surveys and exports of their province: HTTP and command."""

    def __init__(self, service: Served, folder: Path, communes: list[str], load: Load) -> None:
        self._service, self._folder, self._communes = service, folder, communes
        self._rows = load.rows
        self._officer = token(service, f"officer@{PROVINCE}", "records.send")
        self._reader = token(service, f"supervisor@{PROVINCE}", "records.read", "records.export")

    def bring(self, number: int) -> str:
        """A small file is uploaded, then a large one imported by command, and so on."""
        path = self._folder / f"households-{number}.csv"
        small = number % 2 == 0
        rows = max(1, self._rows // _UPLOADED) if small else self._rows
        write_households(path, self._communes, rows, f"I{number}")
        if not small:
            return self._told("import", "households", str(path))
        status = upload(self._service, self._officer, path.read_bytes())
        return "" if status == 201 else f"an upload was answered with {status}"

    def take(self, number: int) -> str:
        """All surveys of the province as a file: over HTTP, then by command, and so on."""
        if number % 2:
            path = str(self._folder / "surveys.csv")
            return self._told("export", "surveys", path, "--area", PROVINCE)
        asked = urllib.request.Request(
            f"{self._service.url}/api/v1/surveys?area={PROVINCE}&format=csv&file=1",
            headers={"Authorization": f"Bearer {self._reader}"},
        )
        with urllib.request.urlopen(asked, timeout=600) as answer:
            while answer.read(1 << 20):
                pass
        return ""

    def _told(self, *command: str) -> str:
        child = self._service.ancu(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _, said = child.communicate()
        return said.decode(errors="replace")[-500:] if child.returncode else ""


def write_households(
    path: Path, communes: list[str], rows: int, prefix: str, address: str = "Thôn 3"
) -> None:
    """A CSV file of households, spread over communes, with codes of their own."""
    head = ("household_code", "head_name", "recorded_address", "commune_code", "status",
            "status_year")  # fmt: skip
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for i in range(rows):
            commune = communes[i % len(communes)]
            writer.writerow((f"{prefix}-{i}", "Lò Văn Sơn", address, commune, "poor", 2025))


def _planned(service: Served, folder: Path, people: list[Enumerator], load: Load) -> Path:
    """The file that tells locust's users who they are and what they ask for."""
    every_s = 2.0
    senders = max(1, round(load.rate * every_s))
    codes = [one.commune for one in people]
    officers = []
    for i in range(load.officers):
        at = codes[i % len(codes)] if i % 2 else PROVINCE
        one = people[i % len(people)]
        look = {
            "page progress": [f"/progress/{at}"],
            "page audit": [f"/audit?area={at}"],
            "page search": ["/search?q=L"],
            "page map": [f"/map/{at}"],
            "page household": [HOUSEHOLD % (PROVINCE, code) for code in one.households[:20]],
        }
        tiles = [f"/tiles/surveys/{z}/{x}/{y}.mvt?area={at}" for z, x, y in _tiles(people)]
        officers.append(
            {
                "cookie": session_cookie(service, f"supervisor@{at}"),
                "pages": look,
                "tiles": tiles,
            }
        )
    told = {
        "province": PROVINCE,
        "send_every_s": senders / load.rate,
        "think_s": [4, 12],
        "acknowledged": str(folder / "acknowledged"),
        "enumerators": [asdict(people[i % len(people)]) for i in range(senders)],
        "officers": officers,
    }
    path = folder / "plan.json"
    path.write_text(json.dumps(told))
    return path


def _tiles(people: list[Enumerator]) -> list[tuple[int, int, int]]:
    """Tiles around the enumerators' communes, from the province down to a village."""
    lon, lat = (np.array([getattr(one, name) for one in people]) for name in ("lon", "lat"))
    x, y = shares(lon, lat)
    return sorted(
        {
            (z, int(one * 2**z), int(other * 2**z))
            for one, other in zip(x, y, strict=True)
            for z in (8, 10, 12, 14)
        }
    )


def _locust(service: Served, plan: Path, seconds: int) -> list[dict[str, Any]]:
    """Let locust's users work for so long; its figures."""
    told = json.loads(plan.read_text())
    users = len(told["enumerators"]) + len(told["officers"])
    done = subprocess.run(
        [
            sys.executable, "-m", "locust", "-f", str(USERS), "--headless", "--only-summary",
            "--host", service.url, "--users", str(users), "--spawn-rate", "20",
            "--run-time", str(seconds), "--stop-timeout", "30", "--json",
            "--exit-code-on-error", "0",
        ],
        env=os.environ | {"LOAD_PLAN": str(plan), "PYTHONPATH": str(USERS.parent.parent)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return json.loads(done.stdout)


def _judged(service: Served, folder: Path, stats: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures, and each limit that they do not hold."""
    rows = {one["name"]: _figures(one) for one in stats}
    acknowledged = (folder / "acknowledged").read_text().split()
    sent = set(acknowledged)
    with service.begin() as conn:
        found = stored(conn, list(sent))
        whole = trail_proof.verify(conn)
    lost = sum(number == 0 for number in found.values())
    doubled = sum(number > 1 for number in found.values())
    failures = []
    if lost or doubled:
        failures.append(f"{lost} acknowledged surveys are lost, {doubled} stored twice")
    failures += [f"the access log: {problem}" for problem in whole.problems[:5]]
    for name, row in rows.items():
        limit = SURVEY_P95_MS if name.startswith("survey") else PAGE_P95_MS
        if row["p95_ms"] > limit:
            failures.append(f"{name}: 95 % within {row['p95_ms']} ms, not within {limit} ms")
        if row["failed"]:
            failures.append(f"{name}: {row['failed']} of {row['requests']} requests failed")
    return {
        "requests": rows,
        "surveys acknowledged": len(sent),
        "sent again": len(acknowledged) - len(sent),
        "lost": lost,
        "doubled": doubled,
        "log entries": whole.entries,
        "failures": failures,
    }


def _figures(one: dict[str, Any]) -> dict[str, float]:
    """Of one kind of request: how many, how many failed, a second, and how long they took."""
    times = {float(ms): number for ms, number in one["response_times"].items()}
    passed = max(one["last_request_timestamp"] - one["start_time"], 1)
    return {
        "requests": one["num_requests"],
        "failed": one["num_failures"],
        "per_s": round(one["num_requests"] / passed, 2),
        **{f"p{share}_ms": quantile(times, share / 100) for share in (50, 95, 99)},
        "max_ms": round(one["max_response_time"]),
    }


def quantile(times: dict[float, int], share: float) -> float:
    """The time within which a share of the requests was answered; times: ms → how many took it."""
    left = share * sum(times.values())
    for ms in sorted(times):
        left -= times[ms]
        if left <= 0:
            return ms
    return 0.0


def as_table(result: dict[str, Any]) -> Table:
    """What was asked how often, and how long it took."""
    table = Table(
        "requests", "n", "failed", "a second", "median ms", "95 % ms", "99 % ms", "max ms"
    )
    for name, row in result["requests"].items():
        table.add_row(name, *(f"{value:,}" for value in row.values()))
    return table


def chain_line(chain: dict[str, float]) -> str:
    """What the access log's chain cost, in a line for people."""
    return (
        f"the log's chain: {chain['per_s']} entries a second, held {chain['held_share']:.1%} of "
        f"the time, {chain['held_ms']} ms for each entry, waited for {chain['waited_ms']} ms "
        f"(mean), at most {chain['most_waiting']} waited at once"
    )


if __name__ == "__main__":
    began = time.monotonic()
    code = main()
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    sys.exit(code)
