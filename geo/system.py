"""What the machine must have beside Python: found, installed by apt where allowed, or asked for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from geo.errors import UnavailableError

_COMMON_CONF = Path("/etc/postgresql-common/createcluster.conf")


def install(packages: list[str], purpose: str) -> None:
    """Install Debian packages, telling on stderr what happens.

    Raises UnavailableError with the exact command when apt is missing, not allowed or fails.
    """
    command = "apt-get install -y --no-install-recommends " + " ".join(packages)
    ask = f"{purpose} is missing. Install it with:\n  sudo {command}\nand run the command again."
    prefix = _privileged_prefix()
    if shutil.which("apt-get") is None or prefix is None:
        raise UnavailableError(ask)
    print(f"Installing {purpose} ({', '.join(packages)}); this takes a minute …", file=sys.stderr)
    steps = [["apt-get", "update", "-qq"], command.split()]
    if any(p.startswith("postgresql") for p in packages):
        steps.insert(1, ["apt-get", "install", "-y", "-qq", "postgresql-common"])
    for step in steps:
        done = subprocess.run(
            [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", *step],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            tail = "\n".join(done.stderr.strip().splitlines()[-3:])
            raise UnavailableError(f"{ask}\napt-get said:\n{tail}")
        if "postgresql-common" in step:
            _no_default_cluster(prefix)


def _privileged_prefix() -> list[str] | None:
    """How to run a command as root: nothing when root, sudo when it asks no password, else None."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if (
        sudo
        and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return [sudo, "-n"]
    return None


def _no_default_cluster(prefix: list[str]) -> None:
    """Keep Debian from making and starting a database cluster that nobody here uses."""
    if _COMMON_CONF.exists():
        subprocess.run(
            [
                *prefix,
                "sed",
                "-i",
                "s/^#create_main_cluster = true/create_main_cluster = false/",
                str(_COMMON_CONF),
            ],
            check=False,
        )
