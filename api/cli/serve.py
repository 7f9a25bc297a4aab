"""`ancu serve`: everything up, then gunicorn; Ctrl-C stops all that was started."""

import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import click

from api.cli.first_run import prepare
from api.cli.keeper import Keeper
from api.cli.worker import THREADS
from api.hosts import is_loopback
from geo import cluster, trail_proof
from geo.accounts import keys
from geo.config import Settings, settings
from geo.db import transaction
from geo.errors import AncuError, UnavailableError, UsageError
from geo.scope import OPERATOR

_LOOK_EVERY_S = 2
_ANCHOR_EVERY_S = 3600
_FIRST_ANCHOR_EVERY_S = 60


@click.command()
@click.option("--host", default=None, help="Address to listen on.")
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="Port to listen on.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the pages and the API until Ctrl-C."""
    host, port = host or settings().host, port or settings().port
    require_safe(host, settings())
    require_certificate(settings().tls_cert, settings().tls_key)
    keys.keys()
    require_free(host, port)
    with cluster.available():
        prepare()
        sys.exit(run_gunicorn(host, port))


def require_safe(host: str, chosen: Settings) -> None:
    """Refuse to be reached from other machines by any name, or by HTTP, without being told to."""
    if (chosen.tls_cert is None) != (chosen.tls_key is None):
        raise UsageError("ANCU_TLS_CERT and ANCU_TLS_KEY belong together: set both or none.")
    if chosen.proxies and not chosen.hosts:
        raise UsageError(
            "Behind a proxy An Cư must know its names: set ANCU_TRUSTED_HOSTS, such as "
            "ancu.example.gov.vn."
        )
    if is_loopback(host):
        return
    if not chosen.hosts:
        raise UsageError(
            f"{host} can be reached from other machines. Say by which names people reach the "
            "service: set ANCU_TRUSTED_HOSTS, or listen on 127.0.0.1."
        )
    if not (chosen.https or chosen.plain_http):
        raise UsageError(
            f"{host} can be reached from other machines, and passwords would cross the network "
            "readable. Set ANCU_TLS_CERT and ANCU_TLS_KEY, or stand behind a proxy that speaks "
            "HTTPS (ANCU_PROXIES=1), or accept it with ANCU_PLAIN_HTTP=1."
        )


def require_certificate(cert: Path | None, key: Path | None) -> None:
    """Refuse TLS files with which no connection could be made, before anything is started."""
    if cert is None or key is None:
        return
    for name, file in (("ANCU_TLS_CERT", cert), ("ANCU_TLS_KEY", key)):
        try:
            file.read_bytes()
        except OSError as error:
            raise UsageError(f"{name}: {file} cannot be read: {error.strerror}.") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_verify_locations(cert)
    except ssl.SSLError:
        raise UsageError(f"ANCU_TLS_CERT: {cert} is no certificate in PEM form.") from None
    try:
        # A password would be asked for at each start of a process; nobody is there to type it.
        context.load_cert_chain(cert, key, password="")  # nosec B106
    except (ssl.SSLError, ValueError):
        raise UsageError(
            f"ANCU_TLS_KEY: {key} is not the private key of {cert} in PEM form without a password."
        ) from None


def require_free(host: str, port: int) -> None:
    """Refuse a port that something else listens on, before any long work is done."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"Cannot listen on {host} port {port}: {error.strerror}. Is An Cư running already? "
                "Another port: ANCU_PORT=8001 make run"
            ) from None


def run_gunicorn(host: str, port: int) -> int:
    """Run the web server in the foreground; its exit code, 0 when it was asked to stop."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "web.app:create_app()",
            f"--bind={address}",
            f"--workers={settings().workers}",
            "--worker-class=api.cli.worker.PatientWorker",
            f"--threads={THREADS}",
            "--keep-alive=15",
            "--timeout=600",
            "--graceful-timeout=10",
            "--log-level=warning",
            *tls_options(settings()),
        ],
        # Its own session: Ctrl-C reaches us, and we stop it in order.
        start_new_session=True,
    )
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _as_interrupt)
    scheme = "http" if settings().tls_cert is None else "https"
    click.echo(f"An Cư: {scheme}://{address}  (Ctrl-C stops it)", err=True)
    keeper = Keeper()
    try:
        return wait(server, keeper)
    except KeyboardInterrupt:
        click.echo("\nStopping …", err=True)
        server.terminate()
        server.wait(timeout=30)
        return 0
    finally:
        keeper.stop()


def tls_options(chosen: Settings) -> list[str]:
    """What makes gunicorn speak HTTPS, where a certificate is set."""
    if chosen.tls_cert is None:
        return []
    return [f"--certfile={chosen.tls_cert}", f"--keyfile={chosen.tls_key}"]


def wait(server: subprocess.Popen[bytes], keeper: Keeper) -> int:
    """Wait for the web server to end; meanwhile a private cluster that died is started again.

    The access log is anchored at once and every hour; where that failed, or a new log has no entry
    yet, a minute later again. The keeper sees to the audit.
    """
    watched = Watched(keeper)
    while True:
        try:
            return server.wait(timeout=_LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            try:
                watched.look()
            except (UnavailableError, OSError) as error:
                # A full disk, or no memory for a process, passes; who serves until then stays.
                with suppress(OSError):  # where what is said goes to the same disk
                    click.echo(f"ancu: {error}", err=True)


class Watched:
    """What is looked after beside the web server: the private cluster, the audit, the anchors."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._anchor_at = time.monotonic()

    def look(self) -> None:
        """Start what has died or is due; raises UnavailableError, OSError where that fails."""
        if not settings().database_url and not cluster.private().running():
            click.echo("The database has stopped. Starting it again …", err=True)
            cluster.private().start()
            return
        self._keeper.tick()
        if time.monotonic() >= self._anchor_at:
            wait_s = _ANCHOR_EVERY_S if anchor_log() else _FIRST_ANCHOR_EVERY_S
            self._anchor_at = time.monotonic() + wait_s


def anchor_log() -> bool:
    """Note the access log's newest entry beside the database: whether one is noted now.

    A failure is said, not fatal.
    """
    try:
        with transaction(scope=OPERATOR) as conn:
            return trail_proof.anchor(conn, trail_proof.anchors_file()) is not None
    except AncuError as error:
        click.echo(f"ancu: the access log was not anchored: {error}", err=True)
        return False


def _as_interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
