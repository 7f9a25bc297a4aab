"""Nothing that users can set, call or add is missing from the docs; both keep their size."""

import re
from pathlib import Path

import click
import pytest

from api.cli import main
from geo.config import Settings

ROOT = Path(__file__).parent.parent


def doc(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_setting_is_documented(name):
    alias = Settings.model_fields[name].validation_alias
    assert f"`{alias or 'ANCU_' + name.upper()}`" in doc("settings.md")


def commands(group: click.Group = main, path: str = "ancu") -> list[str]:
    found = []
    for name, command in group.commands.items():
        full = f"{path} {name}"
        found += commands(command, full) if isinstance(command, click.Group) else [full]
    return found


@pytest.mark.parametrize("command", commands())
def test_command_is_documented(command):
    assert f"`{command}" in doc("commands.md")


def test_readme_stays_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 200


def test_changelog_has_an_unreleased_section():
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_links_between_documents_lead_somewhere():
    for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", file.read_text("utf-8")):
            assert (file.parent / target).exists(), f"{file.name} links to {target}"


def test_source_files_stay_readable():
    long = {
        str(file.relative_to(ROOT)): count
        for folder in ("geo", "api", "web", "tests")
        for file in (ROOT / folder).rglob("*.py")
        if "versions" not in file.parts
        and (count := len(file.read_text("utf-8").splitlines())) > 400
    }
    assert long == {}


@pytest.mark.parametrize(
    "module",
    [
        str(file.relative_to(ROOT))
        for folder in ("geo", "api", "web")
        for file in sorted((ROOT / folder).rglob("*.py"))
        if file.name != "__init__.py" and "migrations" not in file.parts
    ],
)
def test_module_is_in_the_structure(module):
    folder, _, name = module.rpartition("/")
    section = next(
        part for part in re.split(r"\n##+ ", doc("structure.md")) if part.startswith(f"{folder}:")
    )
    assert f"| `{name}` |" in section
