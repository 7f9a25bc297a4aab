"""`ancu serve`: this machine only, a free port, everything up, and everything down again."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from api.cli import serve
from api.cli.giving_way import stand_back
from api.cli.keeper import Keeper
from api.cli.serve import require_certificate, require_free, require_safe
from geo.audit import due
from geo.cluster import Cluster
from geo.config import Settings
from geo.errors import UsageError
from geo.scope import OPERATOR, bind
from tests.conftest import unpooled

LOCAL = ("127.0.0.1", "127.0.0.2", "::1", "localhost")
OPEN = ("0.0.0.0", "::", "192.168.1.5", "example.org", "", "127.0.0.1.example.org")
TLS = {"tls_cert": Path("c.pem"), "tls_key": Path("k.pem")}
LOCK = BestAvailableEncryption(b"secret")
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


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """Files: two certificates with their keys, one key with a password, and what is neither."""
    folder = tmp_path_factory.mktemp("tls")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ancu.example.gov.vn")])
    for one in ("a", "b"):
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(datetime(2026, 1, 1))
            .not_valid_after(datetime(2036, 1, 1))
            .sign(key, hashes.SHA256())
        )
        (folder / f"{one}.crt").write_bytes(made.public_bytes(Encoding.PEM))
        for file, lock in ((f"{one}.key", NoEncryption()), (f"{one}.lock", LOCK)):
            (folder / file).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    (folder / "text").write_text("not a certificate")
    return folder


def test_a_certificate_with_its_key_serves(pem):
    require_certificate(pem / "a.crt", pem / "a.key")
    require_certificate(None, None)


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        ("none", "a.key", "ANCU_TLS_CERT: .*none cannot be read: No such file"),
        ("a.crt", "none", "ANCU_TLS_KEY: .*none cannot be read: No such file"),
        ("", "a.key", "ANCU_TLS_CERT: .* cannot be read: Is a directory"),
        ("text", "a.key", "ANCU_TLS_CERT: .*text is no certificate"),
        ("a.key", "a.key", "ANCU_TLS_CERT: .*a.key is no certificate"),
        ("a.crt", "text", "ANCU_TLS_KEY: .*text is not the private key"),
        ("a.crt", "a.crt", "ANCU_TLS_KEY: .*a.crt is not the private key"),
        ("a.crt", "b.key", "ANCU_TLS_KEY: .*b.key is not the private key"),
        ("a.crt", "a.lock", "ANCU_TLS_KEY: .*a.lock is not .* without a password"),
    ],
)
def test_tls_files_that_cannot_serve_are_refused_by_the_name_of_their_setting(pem, cert, key, said):
    with pytest.raises(UsageError, match=said):
        require_certificate(pem / cert, pem / key)


def test_a_port_in_use_is_refused_in_words():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="Is An Cư running already"):
            require_free("127.0.0.1", taken.getsockname()[1])


def test_log_is_anchored_every_minute_until_it_is_and_then_every_hour(monkeypatch):
    assert (serve._FIRST_ANCHOR_EVERY_S, serve._ANCHOR_EVERY_S) == (60, 3600)
    monkeypatch.setattr(serve, "settings", lambda: Settings(database_url="postgresql://elsewhere"))
    monkeypatch.setattr(serve, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(serve, "_FIRST_ANCHOR_EVERY_S", 0)
    looks = []

    def anchored():
        looks.append(len(looks))
        if len(looks) == 3:
            server.terminate()
        return len(looks) == 3

    monkeypatch.setattr(serve, "anchor_log", anchored)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
        assert serve.wait(server, Idle()) == -signal.SIGTERM
    assert looks == [0, 1, 2]


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
    # A job in a shell's background ignores Ctrl-C, and hands that on to what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
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
        _sees_to_the_audit(Cluster(home / ".ancu"))
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) == 0
        assert not Cluster(home / ".ancu").running()
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        Cluster(home / ".ancu").stop()


def test_a_pass_works_with_what_the_server_leaves_of_the_processors():
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        stand_back(child.pid)
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == 10
    finally:
        child.terminate()
        child.wait()
    stand_back(child.pid)  # who has ended is left alone


class Idle(Keeper):
    """Has nothing to look after."""

    def tick(self) -> None:
        return


def _sees_to_the_audit(cluster: Cluster) -> None:
    """What waits for the rules is taken up without anybody's command."""
    engine = unpooled(cluster.url())
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        due.mark(conn, {("19", "05401")})
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with engine.begin() as conn:
            bind(conn, OPERATOR)
            if not due.provinces(conn):
                return
        threading.Event().wait(0.5)
    pytest.fail("the audit did not take up in two minutes what waited")


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
