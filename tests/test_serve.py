"""`ancu serve`: this machine only, a free port, everything up, and everything down again."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from api.cli.serve import require_free, require_safe
from geo.cluster import Cluster
from geo.config import Settings
from geo.errors import UsageError

LOCAL = ("127.0.0.1", "127.0.0.2", "::1", "localhost")
OPEN = ("0.0.0.0", "::", "192.168.1.5", "example.org", "", "127.0.0.1.example.org")
TLS = {"tls_cert": Path("c.pem"), "tls_key": Path("k.pem")}
NAMED = {"trusted_hosts": "ancu.example.gov.vn"}


@pytest.mark.parametrize("host", LOCAL)
def test_this_machine_needs_nothing_more(host):
    require_safe(host, Settings())


@pytest.mark.parametrize("host", OPEN)
@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({}, "set ANCU_TRUSTED_HOSTS"),
        (TLS, "set ANCU_TRUSTED_HOSTS"),
        (NAMED, "passwords would cross the network"),
        (NAMED | {"tls_cert": Path("c.pem")}, "set both or none"),
        ({"proxies": 1}, "must know its names"),
    ],
)
def test_other_machines_need_names_and_https(host, chosen, said):
    with pytest.raises(UsageError, match=said):
        require_safe(host, Settings(**chosen))


@pytest.mark.parametrize("more", [TLS, {"proxies": 1}, {"plain_http": True}])
def test_named_and_protected_it_may_be_reached(more):
    require_safe("0.0.0.0", Settings(**NAMED, **more))


def test_a_proxy_in_front_of_this_machine_needs_names_too():
    with pytest.raises(UsageError, match="must know its names"):
        require_safe("127.0.0.1", Settings(proxies=1))


def test_a_port_in_use_is_refused_in_words():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="Is An Cư running already"):
            require_free("127.0.0.1", taken.getsockname()[1])


def test_serves_from_nothing_revives_its_database_and_stops_all_it_started():
    home = Path(tempfile.mkdtemp(prefix="ancu-serve-"))
    home.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: v for name, v in os.environ.items() if name != "DATABASE_URL"}
    environment |= {
        "ANCU_HOME": str(home / ".ancu"),
        "ANCU_PORT": str(port),
        "ANCU_DEMO": "0",
        "ANCU_WORKERS": "1",
        # Nothing answers there, so the first run falls back to the sketch.
        "ANCU_DOWNLOAD_URL": "http://127.0.0.1:9",
    }
    environment.pop("ANCU_BOUNDARIES", None)
    log = home / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve"],
            env=environment,
            stderr=out,
            start_new_session=True,
        )
    try:
        page = _wait_for(f"http://127.0.0.1:{port}/progress/VN", server, log)
        assert "An Cư" in page
        postmaster = Cluster(home / ".ancu").data / "postmaster.pid"
        os.kill(int(postmaster.read_text().splitlines()[0]), signal.SIGKILL)
        while "Starting it again" not in log.read_text():
            with contextlib.suppress(subprocess.TimeoutExpired):
                pytest.fail(f"the server ended with {server.wait(timeout=0.3)}")
        health = f"http://127.0.0.1:{port}/healthz"
        assert _wait_for(health, server, log) == '{"status":"ok"}'
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) == 0
        assert not Cluster(home / ".ancu").running()
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        Cluster(home / ".ancu").stop()


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            try:
                server.wait(timeout=0.3)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"the server ended: {log.read_text()}")
    pytest.fail("the server did not answer in two minutes")
