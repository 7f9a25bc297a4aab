"""`ancu audit sample`: list the draws of verification samples, and prove one."""

import getpass

import click
from sqlalchemy import Connection

from api.cli.database import database
from geo import areas, trail
from geo.areas import COUNTRY
from geo.audit import sample_proof, samples
from geo.audit.sample_proof import Proof
from geo.errors import RejectedError
from geo.metrics import TIME_ZONE
from geo.trail import Entry


@click.group(name="sample")
def group() -> None:
    """Verification samples: list, verify."""


@group.command(name="list")
@click.option("--area", "code", default=COUNTRY, help="Only of this area and below (its code).")
def list_(code: str) -> None:
    """The latest draws, abandoned ones too, with times of Viet Nam."""
    with database() as conn:
        found = samples.listing(conn, areas.get(conn, code))
        _leave_entry(conn, "list", len(found))
    for one in found:
        at = one["drawn_at"].astimezone(TIME_ZONE).strftime("%Y-%m-%d %H:%M")
        done = sum(one["outcomes"].values())
        click.echo(
            f"{one['sample_id']}  {one['area_code']} no. {one['number']}  {at}  "
            f"{one['drawn_by_name'] or 'os'}  {one['method']}  {one['size']} of "
            f"{one['frame_size']}  checked {done}, mismatches {one['outcomes']['mismatch']}"
        )


@group.command()
@click.argument("sample_id", type=click.IntRange(1, 2**63 - 1))
def verify(sample_id: int) -> None:
    """Compute a sample anew from its seed and frame, and hold the seed against the access log."""
    with database() as conn:
        proof = sample_proof.verify(conn, sample_id, log=True)
        _leave_entry(conn, "verify", proof.sample["size"], str(sample_id))
    click.echo(f"Seed:  {proof.sample['seed']}")
    click.echo(f"Frame: {proof.sample['frame_size']:,} surveys, {proof.sample['frame_sha256']}")
    for line in _since(proof):
        click.echo(line)
    if not proof.whole:
        raise RejectedError(
            f"Sample {sample_id} is not what its seed and frame give.",
            [(None, problem) for problem in proof.problems],
        )
    click.echo("The sample is what its seed and frame give; the seed is the log's.")


def _since(proof: Proof) -> list[str]:
    """What is not as it was at the draw, which is no fault."""
    if proof.frame_is_the_same:
        return ["The area has the same surveys as then."]
    told = [
        f"{count:,} {what}"
        for count, what in (
            (proof.added, "surveys more than then"),
            (proof.gone, "surveys of then are gone"),
            (proof.changed, "have another risk or enumerator"),
            (proof.removed, "of the sample were removed at the person's request"),
        )
        if count
    ]
    return [f"Since then: {'; '.join(told)}."] if told else ["The area of the draw has ended."]


def _leave_entry(conn: Connection, command: str, rows: int, sample_id: str = "") -> None:
    entry = Entry(
        via="command",
        action="records.read",
        login=f"os:{getpass.getuser()}",
        route=f"ancu audit sample {command}",
        subject="sample" if sample_id else "samples",
        subject_id=sample_id,
        rows=rows,
    )
    trail.append(conn, entry)
