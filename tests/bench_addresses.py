"""Addresses resolved per second on one core, and how many rightly, against vietnamadminunits.

Former communes in several styles, each text once, then all of them again. Both get the same texts
in one run; sockets are closed to the other one, whose conversion would ask a web geocoder.
`python -m tests.bench --only addresses`
"""

import gc
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

from sqlalchemy import create_engine

from geo import areas, schema
from geo.addresses import Resolver
from geo.cluster import Cluster
from tests.address_styles import STYLES, Place, misspelt, places

AGAINST = "vietnamadminunits convert_address, its geocoder shut off"
OTHERS = 1_500
"""The other one takes about a millisecond for each; a sample of the same texts is enough."""


def bench(n: int, boundaries_file: Path) -> list[dict]:
    """Resolve at most n texts with ours, and a sample of them with the other one."""
    del boundaries_file
    folder = Path(tempfile.mkdtemp(prefix="ancu-bench-"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    cluster.start()
    try:
        engine = create_engine(cluster.url("postgres"))
        with engine.begin() as conn:
            schema.migrate(conn)
            areas.load_gazetteer(conn)
            former = places(conn, present=False)
            resolver = Resolver(conn)
        engine.dispose()
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
    gc.set_threshold(1_000_000, 20, 100)  # as the import command does
    return measured(resolver, former, n)


def measured(resolver: Resolver, former: list[Place], n: int) -> list[dict]:
    chance = Random(1)
    styles = [STYLES[name] for name in ("full", "names only", "short kinds", "no tone marks")]
    asked = {
        f"Thôn {i % 30}, {style(p)}": p.codes for style in styles for i, p in enumerate(former)
    }
    texts = chance.sample(sorted(asked), min(n, len(asked)))
    wrong = {
        STYLES["full"](spelt): place.codes for place in former if (spelt := misspelt(chance, place))
    }
    sample, wrong_sample = texts[:OTHERS], chance.sample(sorted(wrong), OTHERS)
    resolve = resolver.resolve

    def ours(text: str) -> set[str]:
        return set(resolve(text).candidates)

    first, again = rate(resolve, texts), rate(resolve, texts)
    mended = rate(resolve, sorted(wrong))
    with no_network():
        other = rate(theirs, sample)
        right = [share(theirs, sample, asked), share(theirs, wrong_sample, wrong)]
    return [
        entry("different addresses", len(texts), first, other, "addresses/s"),
        entry("repeated addresses", len(texts), again, None, "addresses/s"),
        entry("misspelt addresses", len(wrong), mended, None, "addresses/s"),
        entry("rightly read", OTHERS, share(ours, sample, asked), right[0], "%"),
        entry("rightly read, misspelt", OTHERS, share(ours, wrong_sample, wrong), right[1], "%"),
    ]


def rate(read: Callable[[str], object], texts: list[str]) -> float:
    start = time.process_time()
    for text in texts:
        read(text)
    return len(texts) / (time.process_time() - start)


def share(read: Callable[[str], set[str]], texts: list[str], codes: dict[str, frozenset]) -> float:
    """Percent of texts whose answer is right: ours all successors, theirs one of them."""
    return 100 * sum(bool(found := read(t)) and found <= codes[t] for t in texts) / len(texts)


def theirs(text: str) -> set[str]:
    from vietnamadminunits import convert_address

    # It raises what it likes for addresses that it does not know.
    with suppress(Exception):
        found = convert_address(text)
        return {found.ward_code} if found.ward_code else set()
    return set()


@contextmanager
def no_network() -> Iterator[None]:
    """Every socket refused while the other one works."""
    real = socket.socket

    def refused(*args: object, **kwargs: object) -> socket.socket:
        raise OSError("no network in measurements")

    socket.socket = refused  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        socket.socket = real  # type: ignore[misc]


def entry(name: str, n: int, ours: float, other: float | None, unit: str) -> dict:
    return {
        "name": name,
        "n": n,
        "ours": ours,
        "other": other,
        "ratio": None if other is None else ours / other,
        "unit": unit,
        "against": None if other is None else AGAINST,
    }
