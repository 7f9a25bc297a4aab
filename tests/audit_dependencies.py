"""Looks the pinned versions up among known vulnerabilities; `make lint` runs it.

`python -m tests.audit_dependencies [--osv-url URL]`: exit 1 when one is vulnerable. Where the
service does not answer it says so and passes, because tests must run without a network too.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements" / "run.lock"
SKIPPED = "dependency audit skipped: the service does not answer"
NO_ANSWER = re.compile(r"requests\.exceptions\.|ServiceError|vulnerability feed|JSONDecodeError")


def main(arguments: list[str]) -> int:
    """Run pip-audit over the lock file and say what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--osv-url", help="the service's address, if not the public one")
    parser.add_argument("--lock", type=Path, default=LOCK)
    chosen = parser.parse_args(arguments)
    options = "--require-hashes --disable-pip --progress-spinner off --timeout 10 -f json -s osv"
    command = [sys.executable, "-m", "pip_audit", *options.split(), "-r", str(chosen.lock)]
    if chosen.osv_url:
        command += ["--osv-url", chosen.osv_url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return _told(json.loads(done.stdout)["dependencies"])
    except ValueError:
        return _unanswered(done.stderr)


def _unanswered(said: str) -> int:
    """There is no result: a service that does not answer is no fault of ours, all else is."""
    if NO_ANSWER.search(said.strip().rpartition("\n")[2]):
        print(SKIPPED)
        return 0
    print(said.strip(), file=sys.stderr)
    return 1


def _told(found: list[dict]) -> int:
    vulnerable = [one for one in found if one["vulns"]]
    for one in vulnerable:
        for flaw in one["vulns"]:
            mended = ", ".join(flaw["fix_versions"]) or "no version yet"
            print(f"{one['name']} {one['version']}: {flaw['id']}, mended in {mended}")
    print(f"dependency audit: {len(vulnerable)} of {len(found)} pinned packages are vulnerable")
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
