"""`ancu audit`: judge what is stored anew, and run the rules that see many rows together."""

import click

from api.cli import audit_report, samples
from api.cli.bars import bar
from api.cli.database import database
from api.cli.giving_way import give_way
from geo import areas, cluster
from geo.audit import due, together
from geo.audit import run as audit
from geo.errors import UsageError


@click.group(name="audit")
def group() -> None:
    """Checks of locations: run, pass, sample, report."""


group.add_command(samples.group)
group.add_command(audit_report.report)


@group.command()
@click.option("--area", "code", help="Only this province or commune (its code).")
def run(code: str | None) -> None:
    """Judge stored surveys and sites with the present boundaries and renew their findings."""
    if code is not None and not code.strip():
        raise UsageError("--area needs the code of a province or commune, such as 19.")
    give_way()
    with database() as conn, bar("Judging") as progress:
        report = audit.run(conn, code, progress)
        due.mark_all(conn, None if code is None else areas.get(conn, code))
    tell(report)
    catch_up()


@group.command(name="pass")
@click.option("--quiet", is_flag=True, help="Say nothing but what went wrong.")
def pass_(quiet: bool) -> None:
    """Run the rules that see many rows together, where something changed since the last pass."""
    give_way()
    with database():
        pass  # up and migrated
    catch_up(quiet)


def catch_up(quiet: bool = False) -> None:
    """Pass over the provinces that wait, each in a transaction of its own."""

    def told(report: together.PassReport) -> None:
        if not quiet:
            click.echo(
                f"Checked province {report.province_code}: {report.surveys:,} surveys and "
                f"{report.sites:,} sites, {report.items:,} of them with findings "
                f"({report.findings_added:,} findings added, {report.findings_removed:,} removed)."
            )

    with cluster.available():
        together.run_due(told=told)


def tell(report: audit.AuditReport) -> None:
    """Say what was judged and what changed."""
    click.echo(
        f"Judged {report.surveys:,} surveys and {report.sites:,} sites in {report.seconds:.1f} s: "
        f"{report.changed:,} verdicts renewed, {report.findings_added:,} findings added, "
        f"{report.findings_removed:,} removed."
    )
    for move, count in report.moved.most_common():
        click.echo(f"  {move}: {count:,}")
    if report.skipped:
        click.echo(f"  {report.skipped:,} were being changed by somebody else and were left alone.")
