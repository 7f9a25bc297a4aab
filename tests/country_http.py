"""Requests a second of two servers on one database: An Cư with everything it does, and tipg."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL

from api.cli.worker import THREADS

LOCK = Path(__file__).parent.parent / "requirements" / "bench.lock"
CLIENTS, WORKERS = 4, 2
_START_S = 60


def port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def ancu(url: str, home: Path) -> Iterator[int]:
    """The port of the server as `ancu serve` starts it."""
    at = port()
    settings = {"DATABASE_URL": url, "ANCU_HOME": str(home)}
    worker = ("--worker-class=api.cli.worker.PatientWorker", f"--threads={THREADS}")
    command = [
        *(sys.executable, "-m", "gunicorn", "web.app:create_app()", f"--bind=127.0.0.1:{at}"),
        *(f"--workers={WORKERS}", *worker, "--keep-alive=15", "--log-level=warning"),
    ]
    with _running(command, settings, at):
        yield at


@contextmanager
def tipg(url: URL) -> Iterator[int | None]:
    """The port of a tipg of its own environment; None where it cannot be installed."""
    with tempfile.TemporaryDirectory(prefix="ancu-tipg-") as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/pip", "install", "-q", "--disable-pip-version-check", "-r", LOCK]
        if subprocess.run(pip, capture_output=True, check=False).returncode:
            print("tipg could not be installed: not compared", file=sys.stderr)
            yield None
            return
        at = port()
        socket_path = quote(str(url.query["host"]), safe="")
        settings = {
            "DATABASE_URL": f"postgresql://{url.username}@{socket_path}/{url.database}",
            "CACHE_DISABLE": "TRUE",
            "TIPG_CATALOG_TTL": "3000",
        }
        command = [f"{folder}/bin/uvicorn", "tipg.main:app", "--port", str(at)]
        command += ["--workers", str(WORKERS), "--log-level", "error"]
        with _running(command, settings, at):
            yield at


@contextmanager
def _running(command: list[str], settings: dict[str, str], at: int) -> Iterator[None]:
    server = subprocess.Popen(command, env={**os.environ, **settings})
    try:
        _wait(at, server)
        yield
    finally:
        server.terminate()
        server.wait()


def _wait(at: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", at), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")


def rate(at: int, paths: Sequence[str], headers: str = "") -> float:
    """Requests a second of CLIENTS that ask one after the other; raises unless all are 200."""
    parts = [paths[i::CLIENTS] for i in range(CLIENTS)]
    statuses: list[int] = []
    threads = [
        threading.Thread(target=_client, args=(at, part, headers, statuses)) for part in parts
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    if statuses.count(200) != len(paths):
        raise RuntimeError(f"of {len(paths)} requests {statuses.count(200)} were answered with 200")
    return len(paths) / took


def _client(at: int, paths: Sequence[str], headers: str, statuses: list[int]) -> None:
    # Less work than a client library: both servers share the processors with their clients.
    with socket.create_connection(("127.0.0.1", at)) as line, line.makefile("rb") as answer:
        for path in paths:
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{at}\r\n{headers}\r\n".encode())
            statuses.append(int(answer.readline().split()[1]))
            length = 0
            while (header := answer.readline()) != b"\r\n":
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            answer.read(length)


@contextmanager
def home() -> Iterator[Path]:
    """A folder for a server's keys, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ancu-bench-home-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
