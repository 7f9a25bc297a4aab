"""`ancu boundaries`: download, load, sketch, check, list."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Connection

from api.cli.bars import bar
from api.cli.database import database
from geo import areas, boundaries
from geo.boundaries import checks as boundary_checks
from geo.boundaries import sketch
from geo.boundaries.files import DEFAULT_ACCURACY_M
from geo.errors import UsageError


@click.group(name="boundaries")
def group() -> None:
    """Boundaries of communes and provinces: download, load, sketch, check, list."""


@group.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--level",
    type=click.Choice(["commune", "province"]),
    default="commune",
    show_default=True,
    help="Level of the polygons; provinces are derived when communes are loaded.",
)
@click.option("--code-column", help="Column of the official codes (else: code, ma_xa …).")
@click.option("--name-column", help="Column of the names (else: full_name, name, ten_xa …).")
@click.option("--parent-column", help="Column of the province codes (else: province_code …).")
@click.option(
    "--valid-from",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Unknown codes are new areas since this day; without it they are refused.",
)
@click.option(
    "--accuracy-m",
    type=float,
    default=DEFAULT_ACCURACY_M,
    show_default=True,
    help="Accuracy of the borders, 1 sigma in metres.",
)
@click.option("--source", default="", help="Where the file comes from (else its name).")
@click.option("--licence", default="", help="Licence of the file.")
@click.option("--layer", help="Layer of a GeoPackage that has several.")
def load(file: Path, valid_from: datetime | None, **named: object) -> None:
    """Load FILE (GeoParquet, GeoPackage, GeoJSON, Shapefile or its zip); all of it or nothing."""
    options = boundaries.LoadOptions(
        valid_from=valid_from.date() if valid_from else None,
        **named,  # type: ignore[arg-type]
    )
    with database() as conn, bar("Loading boundaries") as advance:
        areas.load_gazetteer(conn)
        report = boundaries.load(conn, file, options, advance)
    _say(report)


@group.command()
@click.option("--province", "first", multiple=True, help="Codes of provinces: --province 19 46 08.")
@click.argument("more", nargs=-1, metavar="[CODE]...")
def download(first: tuple[str, ...], more: tuple[str, ...]) -> None:
    """Download the communes of provinces and load them; a second call goes on where one stopped."""
    provinces = _provinces(first, more)
    if not provinces:
        raise UsageError("Name the provinces: `ancu boundaries download --province 19 46 08`.")
    with database() as conn, bar("Downloading boundaries") as advance:
        areas.load_gazetteer(conn)
        report = boundaries.load_download(conn, provinces, advance)
    _say(report)


@group.command(name="sketch")
@click.option("--province", "first", multiple=True, help="Codes of provinces: --province 19 46 08.")
@click.argument("more", nargs=-1, metavar="[CODE]...")
def make_sketch(first: tuple[str, ...], more: tuple[str, ...]) -> None:
    """Make approximate communes from known points (default: 19 46 08); never for an audit."""
    provinces = _provinces(first, more) or sketch.DEMO_PROVINCES
    with database() as conn, bar("Sketching boundaries") as advance:
        areas.load_gazetteer(conn)
        report = boundaries.load_sketch(conn, provinces, advance)
    _say(report)
    click.echo(f"Borders are off by about {sketch.ACCURACY_M:.0f} m (1 sigma).", err=True)


@group.command()
@click.option("--province", help="Only within this province.")
def check(province: str | None) -> None:
    """Show overlaps above 1 ha, gaps, and communes without a polygon."""
    with database() as conn:
        if province is not None and areas.get(conn, province).level != "province":
            raise UsageError(f"{province} is no province.")
        report = boundary_checks.check(conn, province)
        names = {c.code: c.full_name for p in _all_provinces(conn) for c in p}
    console = Console()
    overlaps = _table("Overlaps above 1 ha", "commune", "and", "hectares")
    for overlap in report.overlaps:
        overlaps.add_row(
            _named(overlap.first, names),
            _named(overlap.second, names),
            f"{overlap.area_m2 / 1e4:,.2f}",
        )
    gaps = _table("Gaps (the 20 largest)", "between", "at (lat, lon)", "m²")
    for gap in report.gaps[:20]:
        between = ", ".join(_named(code, names) for code in gap.between)
        gaps.add_row(between, f"{gap.lat:.5f}, {gap.lon:.5f}", f"{gap.area_m2:,.1f}")
    missing = _table("Without a polygon", "province", "communes", "codes")
    for code, codes in report.missing.items():
        missing.add_row(code, str(len(codes)), ", ".join(codes[:12]))
    for table in (overlaps, gaps, missing):
        if table.row_count:
            console.print(table)
    overlap_km2 = sum(o.area_m2 for o in report.overlaps) / 1e6
    gap_km2 = sum(g.area_m2 for g in report.gaps) / 1e6
    click.echo(
        f"{report.polygons} communes: {len(report.overlaps)} overlaps above 1 ha "
        f"({overlap_km2:.2f} km²), {len(report.gaps)} gaps ({gap_km2:.3f} km²), "
        f"{sum(map(len, report.missing.values()))} communes without a polygon."
    )


@group.command(name="list")
def list_versions() -> None:
    """List the versions: source, licence, accuracy, and where they are current."""
    with database() as conn:
        found = boundaries.versions(conn)
    if not found:
        click.echo("No boundaries are loaded. `ancu boundaries --help` shows how to get some.")
        return
    table = _table(
        "Versions", "no.", "loaded", "source", "licence", "±m", "communes (current)", "provinces"
    )
    for row in found:
        source = escape(row.source) + (" (SKETCH)" if row.sketch else "")
        table.add_row(
            str(row.version),
            f"{row.loaded_at:%Y-%m-%d}",
            source,
            escape(row.licence),
            f"{row.accuracy_m:g}",
            f"{row.communes} ({row.current_communes})",
            " ".join(row.provinces),
        )
    Console().print(table)


def _provinces(first: tuple[str, ...], more: tuple[str, ...]) -> list[str]:
    """`--province 19 46 08`, `--province 19 --province 46` and `--province 19,46` mean the same."""
    if more and not first:
        raise UsageError("Put --province before the codes.")
    return [code for given in (*first, *more) for code in given.replace(",", " ").split()]


def _all_provinces(conn: Connection) -> Iterator[list[areas.Area]]:
    for province in areas.children(conn, areas.COUNTRY):
        yield areas.children(conn, province.code)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _named(code: str, names: dict[str, str]) -> str:
    return escape(f"{code} {names.get(code, '')}".strip())


def _say(report: boundaries.LoadReport) -> None:
    for line in report.lines():
        click.echo(line, err=True)
