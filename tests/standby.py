"""A second cluster that replays the log of the first: streaming replication on this machine."""

import os
import subprocess
from pathlib import Path

from geo.cluster import Cluster, binaries


def run_as_owner(cluster: Cluster, program: str, *arguments: str) -> str:
    """Run a program of PostgreSQL as the user who owns the cluster; its output."""
    owner = cluster.owner
    switch = (
        {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        if os.geteuid() == 0
        else {}
    )
    done = subprocess.run(
        [str(binaries() / program), *arguments],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        **switch,
    )
    assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
    return done.stdout


def folder_of(cluster: Cluster, path: Path) -> Path:
    """A new folder that the cluster's owner may write in."""
    path.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(path, cluster.owner.pw_uid, cluster.owner.pw_gid)
    path.chmod(0o700)
    return path


def copy_of(primary: Cluster, home: Path, *options: str) -> Cluster:
    """The base backup of a running cluster as a cluster of its own, not started."""
    home.mkdir(mode=0o755)
    copy = Cluster(home, primary.extra)
    folder_of(primary, copy.base)
    run_as_owner(
        primary,
        "pg_basebackup",
        f"--dbname=postgresql://ancu@/?host={primary.socket}",
        f"--pgdata={copy.data}",
        "--checkpoint=fast",
        "--wal-method=stream",
        *options,
    )
    return copy
