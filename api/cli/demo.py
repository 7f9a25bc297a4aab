"""`ancu demo`: synthetic data to try the service with, and out again."""

import click

from api.cli.audit import catch_up
from api.cli.bars import bar
from api.cli.database import database
from geo import areas
from geo import demo as data
from geo.errors import NotFoundError, UsageError


@click.command()
@click.option("--province", "first", multiple=True, help="Codes of provinces: --province 19 46 08.")
@click.argument("more", nargs=-1, metavar="[CODE]...")
@click.option(
    "--households",
    default=data.HOUSEHOLDS,
    show_default=True,
    type=click.IntRange(1, 5_000_000),
    help="How many households to make.",
)
@click.option("--seed", default=data.SEED, show_default=True, help="Another seed, other data.")
@click.option("--remove", is_flag=True, help="Take the demo data out; real rows stay.")
def demo(
    first: tuple[str, ...], more: tuple[str, ...], households: int, seed: int, remove: bool
) -> None:
    """Load synthetic data, labelled so everywhere, or remove it."""
    if remove:
        _remove()
        return
    if more and not first:
        raise UsageError("Put --province before the codes.")
    codes = [code for given in first + more for code in given.replace(",", " ").split()]
    with database() as conn:
        areas.load_gazetteer(conn)
        provinces = [_province(areas.get(conn, code)) for code in codes]
        with bar("Demo data (synthetic)") as advance:
            reports = data.load(conn, provinces or data.PROVINCES, households, seed, advance)
    for report in reports:
        verdicts = ", ".join(f"{count:,} {name}" for name, count in report.verdicts.items())
        click.echo(f"{report.kind}: {report.added:,}" + (f" ({verdicts})" if verdicts else ""))
    click.echo(f"The truth about each survey: {data.truth_file()}")
    catch_up()


def _province(area: areas.Area) -> str:
    if area.level != "province":
        raise NotFoundError(f"{area.code} is {area.full_name}, not a province.")
    return area.code


def _remove() -> None:
    with database() as conn:
        counts = data.remove(conn)
    kept = counts.pop("kept households")
    removed = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    click.echo(f"Removed: {', '.join(removed) or 'nothing, there was no demo data'}.")
    if kept:
        click.echo(f"{kept:,} demo households stay: real surveys or sites belong to them.")
