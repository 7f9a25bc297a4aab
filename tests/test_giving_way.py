"""Long commands have what the server leaves, and so has what works for them in the database."""

import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from api.cli import AncuGroup
from api.cli.giving_way import DATABASE_NICE, NICE, give_way
from geo.cluster import Cluster

COMMAND = """
import os, sys
import click
from api.cli import AncuGroup
from api.cli.giving_way import give_way
from geo.db import engine

@click.group(cls=AncuGroup)
def group(): pass

@group.command()
def work():
    give_way()
    with engine().connect() as conn:
        backend = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        print(*(os.getpriority(os.PRIO_PROCESS, one) for one in (os.getpid(), backend)))

group()
"""


def _ran(environment: dict[str, str]) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "work"],
        env={k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | environment,
        start_new_session=True, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [int(one) for one in done.stdout.split()]


def test_a_command_and_its_process_in_the_private_database_give_way(cluster: Cluster):
    assert _ran({"ANCU_HOME": str(cluster.home)}) == [NICE, DATABASE_NICE]


def test_processes_of_a_database_of_ones_own_are_left_alone(cluster: Cluster):
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert _ran({"DATABASE_URL": cluster.url()}) == [NICE, before]


@pytest.mark.parametrize("prefix", [[], ["inner"]])
def test_a_command_within_another_program_leaves_its_priority_alone(prefix: list[str]):
    @click.group(cls=AncuGroup)
    def group() -> None:
        pass

    @group.group()
    def inner() -> None:
        pass

    @click.command()
    def work() -> None:
        give_way()

    group.add_command(work)
    inner.add_command(work)
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert CliRunner().invoke(group, [*prefix, "work"], catch_exceptions=False).exit_code == 0
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
