"""The `ancu` command: its groups, and how errors become messages and exit codes."""

import sys
from typing import Any

import click

from api.cli import (
    address,
    audit,
    boundaries,
    db,
    demo,
    export,
    imports,
    keys,
    log,
    person,
    photos,
    places,
    reports,
    serve,
    user,
)
from api.cli.giving_way import OWN_PROCESS
from geo.errors import AncuError, RejectedError, UsageError

REJECTED, WRONG_USAGE = 1, 2


class AncuGroup(click.Group):
    """Prints the service's own errors on stderr: exit 1 for rejected input, 2 for wrong usage."""

    def main(self, *args: Any, **more: Any) -> Any:
        """As click's; called without arguments, it is what its process is for."""
        if not args and not more:
            more = {"obj": OWN_PROCESS}
        return super().main(*args, **more)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except AncuError as error:
            click.echo(f"ancu: {error}", err=True)
            if isinstance(error, RejectedError):
                for line, reason in error.problems:
                    click.echo(f"  line {line}: {reason}" if line else f"  {reason}", err=True)
            sys.exit(WRONG_USAGE if isinstance(error, UsageError) else REJECTED)


@click.group(cls=AncuGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """An Cư: the poverty review and the replacement of temporary houses, on the map."""


COMMANDS: tuple[click.Command, ...] = (
    address.group,
    audit.group,
    boundaries.group,
    db.group,
    demo.demo,
    export.export,
    imports.command,
    keys.group,
    log.group,
    person.group,
    photos.group,
    places.group,
    reports.progress,
    serve.serve,
    user.group,
)
for _command in COMMANDS:
    main.add_command(_command)
