"""Proves a verification sample: seed, frame and selection computed anew, and what changed since."""

import hashlib
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from geo import areas, scope
from geo.account_tables import access_log
from geo.audit import samples, sampling
from geo.audit.sampling import Drawn, Plan
from geo.errors import NotFoundError
from geo.paging import Record
from geo.trail_proof import GENESIS

_SAME = 1e-9


@dataclass
class Proof:
    """What was computed anew, and what speaks against the sample.

    log: whether the access log was looked at. added, gone: surveys in the frame now and not then,
    and the other way round; None where the area itself has ended. changed: in both, with another
    risk or enumerator. removed: surveys of the sample that nothing tells any more, at the person's
    request; unseen: those outside the scope, because their household moved. These are no fault.
    """

    sample: Record
    log: bool
    problems: list[str] = field(default_factory=list)
    added: int | None = None
    gone: int | None = None
    changed: int | None = None
    removed: int = 0
    unseen: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing speaks against the sample."""
        return not self.problems

    @property
    def frame_is_the_same(self) -> bool:
        """Whether the surveys of the area are still those that were drawn from."""
        return (self.added, self.gone, self.changed) == (0, 0, 0)


def verify(conn: Connection, sample_id: int, *, log: bool) -> Proof:
    """Compute a sample anew. log: also against the access log, which the scope must then hold.

    Raises NotFoundError.
    """
    sample = samples.get(conn, sample_id)
    proof = Proof(sample, log)
    written = samples.frame_text(conn, sample_id)
    _check_seed(proof, written)
    if log:
        _check_log(conn, proof)
    _check_drawn(conn, proof, written)
    _compare_frame(conn, proof, written)
    return proof


def _check_seed(proof: Proof, written: str) -> None:
    sample = proof.sample
    told = _basis(sample)
    wanted = {
        "area": sample["area_code"],
        "method": sample["method"],
        "size": str(sample["size"]),
        "at-least": str(sample["at_least"]),
        "number": str(sample["number"]),
        "frame": sample["frame_sha256"],
    }
    if hashlib.sha256(sample["seed_basis"].encode()).hexdigest() != sample["seed"]:
        proof.problems.append("the seed is not the digest of its basis")
    for name, value in wanted.items():
        if told.get(name) != value:
            proof.problems.append(f"the basis of the seed tells another {name}")
    if sampling.digest(written) != sample["frame_sha256"]:
        proof.problems.append("the frame is not what its digest was made of")
    frame = sampling.read(written)
    if (len(frame), sampling.counts(frame)) != (sample["frame_size"], sample["strata"]):
        proof.problems.append("the frame does not have the surveys and strata that are told of it")


def _basis(sample: Record) -> dict[str, str]:
    return dict(line.partition(" ")[::2] for line in sample["seed_basis"].split("\n"))


def _check_log(conn: Connection, proof: Proof) -> None:
    """The seed's entry is in the log, and the next one is the draw's own."""
    told = _basis(proof.sample)
    number = int(told.get("entry", -1))
    found = {
        row.entry_id: row
        for row in conn.execute(
            select(
                access_log.c.entry_id, access_log.c.hash,
                access_log.c.subject, access_log.c.subject_id,
            ).where(access_log.c.entry_id.in_([number, number + 1]))
        )
    }  # fmt: skip
    last = bytes(found[number].hash) if number in found else GENESIS if number == 0 else b""
    if last.hex() != told.get("hash"):
        proof.problems.append(f"entry {number} of the access log has another hash than the seed's")
    after = found.get(number + 1)
    if after is None or (after.subject, after.subject_id) != (
        "sample",
        str(proof.sample["sample_id"]),
    ):
        proof.problems.append(f"entry {number + 1} of the access log is not that of this draw")


def _check_drawn(conn: Connection, proof: Proof, written: str) -> None:
    """The surveys of the sample are those that come up when it is drawn again."""
    sample = proof.sample
    plan = Plan(sample["method"], sample["size"], sample["at_least"])
    again = sampling.draw(sampling.read(written), plan, sample["seed"])
    listed = samples.items(conn, sample)
    proof.removed = sum(one["removed"] for one in listed)
    left = list(again)
    for one in listed:
        if one["removed"]:
            continue
        match = next((drawn for drawn in left if _is(one, drawn)), None)
        if match is None:
            proof.problems.append(f"{one['subject_id']} does not come up when drawn again")
        else:
            left.remove(match)
    proof.unseen = 0 if scope.of(conn).everything else sample["size"] - len(listed)
    missing = len(left) - proof.removed - proof.unseen
    if missing:
        proof.problems.append(
            f"{missing} surveys come up when drawn again and are not in the sample"
        )


def _is(item: Record, drawn: Drawn) -> bool:
    return (
        sampling.key(item["subject_id"]) == drawn.key
        and item["stratum"] == drawn.stratum
        and abs(item["inclusion"] - drawn.inclusion) < _SAME
    )


def _compare_frame(conn: Connection, proof: Proof, written: str) -> None:
    try:
        area = areas.get(conn, proof.sample["area_code"])
    except NotFoundError:
        return
    then = {unit.key: unit for unit in sampling.read(written)}
    now = {unit.key: unit for unit in map(samples.unit_of, samples.surveys_of(conn, area))}
    proof.added = len(now.keys() - then.keys())
    proof.gone = len(then.keys() - now.keys())
    proof.changed = sum(then[key] != now[key] for key in then.keys() & now.keys())
