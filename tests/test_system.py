"""What happens when a Debian package is missing: installed where allowed, asked for elsewhere."""

import os
from pathlib import Path

import pytest

from geo import system
from geo.errors import UnavailableError


@pytest.fixture
def fake_machine(tmp_path, monkeypatch):
    """A PATH on which apt-get is a script that writes down how it was called."""

    def make(apt: str | None, sudo: str | None = None) -> Path:
        log = tmp_path / "calls"
        log.touch()
        for name, body in (("apt-get", apt), ("sudo", sudo)):
            if body is not None:
                script = tmp_path / name
                script.write_text(f'#!/bin/sh\necho {name} "$@" >> {log}\n{body}\n')
                script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if apt else str(tmp_path))
        monkeypatch.setattr(system, "_COMMON_CONF", tmp_path / "absent.conf")
        return log

    return make


def test_root_installs_after_updating_the_lists(fake_machine, monkeypatch):
    log = fake_machine("exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    system.install(["chromium"], "Chromium")
    assert log.read_text().splitlines() == [
        "apt-get update -qq",
        "apt-get install -y --no-install-recommends chromium",
    ]


def test_an_ordinary_user_with_free_sudo_installs_through_it(fake_machine, monkeypatch):
    log = fake_machine("exit 0", sudo='[ "$2" = true ] && exit 0; shift; exec "$@"')
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    system.install(["chromium"], "Chromium")
    assert "apt-get install -y --no-install-recommends chromium" in log.read_text()


@pytest.mark.parametrize(
    ("apt", "sudo", "user"),
    [(None, None, 0), ("exit 0", "exit 1", 1000)],
    ids=["no apt", "sudo wants a password"],
)
def test_where_it_may_not_it_names_the_exact_command(fake_machine, monkeypatch, apt, sudo, user):
    fake_machine(apt, sudo)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with pytest.raises(UnavailableError) as error:
        system.install(["chromium"], "Chromium")
    assert "sudo apt-get install -y --no-install-recommends chromium" in str(error.value)


def test_a_failing_apt_is_reported_with_its_last_words(fake_machine, monkeypatch):
    fake_machine("echo 'E: no such package' >&2; exit 100")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UnavailableError, match="E: no such package"):
        system.install(["nothing"], "Nothing")
