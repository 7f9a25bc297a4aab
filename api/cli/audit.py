"""`ancu audit`: judge what is stored anew."""

import click

from api.cli.bars import bar
from api.cli.database import database
from geo.audit import run as audit
from geo.errors import UsageError


@click.group(name="audit")
def group() -> None:
    """Checks of locations: run."""


@group.command()
@click.option("--area", "code", help="Only this province or commune (its code).")
def run(code: str | None) -> None:
    """Judge stored surveys and sites with the present boundaries and renew their findings."""
    if code is not None and not code.strip():
        raise UsageError("--area needs the code of a province or commune, such as 19.")
    with database() as conn, bar("Judging") as progress:
        report = audit.run(conn, code, progress)
    click.echo(
        f"Judged {report.surveys:,} surveys and {report.sites:,} sites in {report.seconds:.1f} s: "
        f"{report.changed:,} verdicts renewed, {report.findings_added:,} findings added, "
        f"{report.findings_removed:,} removed."
    )
    for move, count in report.moved.most_common():
        click.echo(f"  {move}: {count:,}")
    if report.skipped:
        click.echo(f"  {report.skipped:,} were being changed by somebody else and were left alone.")
