"""`ancu places`: known public places, which an audit rule holds surveys against."""

from pathlib import Path

import click

from api.cli.audit import catch_up
from api.cli.database import database
from geo import cluster, known_places


@click.group(name="places")
def group() -> None:
    """Known public places: load, list, remove."""


@group.command()
@click.argument("file", type=click.Path(path_type=Path))
def load(file: Path) -> None:
    """Store the places of FILE (name, kind, lon, lat, radius_m, source); all or none."""
    with cluster.available():
        with database() as conn:
            report = known_places.load(conn, file)
        click.echo(f"Places: {report.places:,}, of them replaced: {report.replaced:,}")
        catch_up()


@group.command("list")
def list_places() -> None:
    """List the places with their numbers."""
    with database() as conn:
        found = known_places.listed(conn)
    for place in found:
        source = f" ({place['source']})" if place["source"] else ""
        click.echo(
            f"{place['place_id']}\t{place['commune_code']}\t{place['kind']}\t{place['name']}\t"
            f"{place['lon']:.6f}, {place['lat']:.6f}\t{place['radius_m']:g} m{source}"
        )


@group.command()
@click.argument("number", type=int)
def remove(number: int) -> None:
    """Take the place with this NUMBER out (see `ancu places list`)."""
    with cluster.available():
        with database() as conn:
            place = known_places.remove(conn, number)
        click.echo(f"Removed: {place['name']}")
        catch_up()
