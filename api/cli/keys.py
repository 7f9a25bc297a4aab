"""`ancu keys`: the file of secret keys."""

import click

from geo.accounts import keys


@click.group(name="keys")
def group() -> None:
    """The service's secret keys."""


@group.command()
def make() -> None:
    """Make the keys file where there is none; one that is there stays as it is."""
    file = keys.path()
    if keys.make(file):
        click.echo(f"The keys are in {file}. Keep a copy in a safe place, apart from the database.")
    else:
        keys.read(file)  # one that is damaged or open to others is told of now
