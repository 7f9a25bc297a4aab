"""`ancu import`: files of households, surveys and sites into the database."""

import gc
from pathlib import Path

import click

from api.cli.audit import catch_up
from api.cli.bars import bar
from api.cli.database import database
from api.cli.giving_way import give_way
from geo.intake import imports
from geo.intake.session import ImportReport

VERBS = ("added", "updated", "unchanged", "conflicts", "rejected")


@click.command(name="import")
@click.argument("kind", type=click.Choice(tuple(imports.KINDS)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Do everything but storing.")
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Store the good rows and write the bad ones to this CSV, with line and reason.",
)
def command(kind: str, file: Path, dry_run: bool, rejects: Path | None) -> None:
    """Import FILE (CSV, XLSX, GeoJSON, GeoPackage); all of it or nothing without --rejects."""
    # Millions of short-lived rows without cycles: looking for cycles among them costs a third.
    gc.set_threshold(1_000_000, 20, 100)
    give_way()
    with database() as conn, bar(f"Importing {kind}") as progress:
        report = imports.import_file(
            conn, kind, file, rejects=rejects, dry_run=dry_run, progress=progress, apart=True
        )
    for line in summary(report, rejects):
        click.echo(line)
    catch_up()


def summary(report: ImportReport, rejects: Path | None = None) -> list[str]:
    """The report in a few lines for people."""
    figures = {verb: getattr(report, verb) for verb in VERBS}
    counted = ", ".join(f"{number:,} {verb}" for verb, number in figures.items() if number)
    lines = [f"{report.source}: {report.rows:,} rows in {report.seconds:.1f} s: {counted}."]
    if report.verdicts:
        by_verdict = sorted(report.verdicts.items(), key=lambda item: -item[1])
        lines.append("Verdicts: " + ", ".join(f"{n:,} {verdict}" for verdict, n in by_verdict))
    lines += [f"Note: {note} ({number:,} rows)." for note, number in report.notes.items()]
    if report.conflicts:
        lines.append(
            f"{report.conflicts:,} rows contradict what is stored: they are kept aside, "
            "nothing was overwritten. The page Import and each record's own page tell why."
        )
    if report.rejected and rejects:
        lines.append(f"The rejected rows are in {rejects}, each with its line and reason.")
    if report.dry_run:
        lines.append("Dry run: nothing was stored.")
    return lines
