"""The dependency audit fails on a known vulnerability, and only on that."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import audit_dependencies as audit

FLAW = {
    "id": "TEST-1",
    "summary": "anybody gets in",
    "affected": [
        {
            "package": {"name": "flask", "ecosystem": "PyPI"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]},
            ],
        }
    ],
}


@pytest.fixture
def service() -> Iterator[Callable[[int, bytes], str]]:
    """service(status, body about flask) -> address of a service that answers so."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, about_flask: bytes) -> str:
        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body = about_flask if asked["package"]["name"] == "flask" else b"{}"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/query"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock file of two packages, with the hashes that the real one has."""
    entries = re.split(r"\n(?=\S)", audit.LOCK.read_text())
    chosen = [one for one in entries if re.match(r"(flask|click)==", one)]
    assert len(chosen) == 2
    file = tmp_path / "two.lock"
    file.write_text("\n".join(chosen) + "\n")
    return file


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (200, b"{}", 0, "dependency audit: 0 of 2 pinned packages are vulnerable"),
        (200, json.dumps({"vulns": [FLAW]}).encode(), 1, "TEST-1, mended in 99.1"),
        (503, b"", 0, audit.SKIPPED),
        (404, b"", 0, audit.SKIPPED),
        (200, b"<html>sign in to this network</html>", 0, audit.SKIPPED),
    ],
    ids=["none", "one", "failing", "unknown address", "no JSON"],
)
def test_only_a_vulnerability_fails(service, lock, capsys, status, body, code, said):
    assert audit.main(["--osv-url", service(status, body), "--lock", str(lock)]) == code
    assert said in capsys.readouterr().out


def test_where_nobody_answers_it_says_so_and_passes(lock, capsys):
    assert audit.main(["--osv-url", "http://127.0.0.1:9/query", "--lock", str(lock)]) == 0
    assert capsys.readouterr().out.strip() == audit.SKIPPED


def test_a_lock_file_without_hashes_is_a_fault(tmp_path, capsys):
    (tmp_path / "bare.lock").write_text("flask==3.1.0\n")
    arguments = ["--osv-url", "http://127.0.0.1:9/query", "--lock", str(tmp_path / "bare.lock")]
    assert audit.main(arguments) == 1
    assert "hash" in capsys.readouterr().err
