"""Pairs of nearly equal hashes among very many, without comparing each with each."""

from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.photos.hashing import BITS

Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]

_EQUAL_BANDS = 3
_NEIGHBOURS = 200
"""Within one bucket each hash is compared with so many next to it in order: only where hundreds
are nearly the same are there more, and there each still meets some of its like."""


def pairs(hashes: Hashes, distance: int) -> tuple[Indices, Indices, Indices]:
    """Positions i < j of different hashes that differ in at most `distance` bits, and in how many.

    hashes: n different ones. Where 64 bits are cut into distance + 3 bands, two such hashes are
    equal in at least 3 of them (pigeonhole): for every choice of 3 the equal ones lie together.
    """
    order = np.argsort(hashes)
    ordered = hashes[order]
    masks = _bands(distance + _EQUAL_BANDS)
    found: list[Indices] = []
    for chosen in combinations(masks, _EQUAL_BANDS):
        found.append(_in_buckets(ordered, np.uint64(sum(chosen)), distance))
    if not found:
        return (np.empty(0, np.int64),) * 3
    codes = np.unique(np.concatenate(found))
    first, second = np.divmod(codes, len(hashes))
    apart = np.bitwise_count(ordered[first] ^ ordered[second]).astype(np.int64)
    i, j = order[first], order[second]
    return np.minimum(i, j), np.maximum(i, j), apart


def groups(n: int, i: Indices, j: Indices) -> Indices:
    """The number of the group that each of n belongs to, joined by the pairs (i, j)."""
    if n == 0:
        return np.empty(0, np.int64)
    graph = coo_array((np.ones(len(i), dtype=np.int8), (i, j)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _bands(count: int) -> list[int]:
    """`count` masks of neighbouring bits that together cover all."""
    edges = np.linspace(0, BITS, count + 1).round().astype(int)
    return [(1 << int(b)) - (1 << int(a)) for a, b in pairwise(edges)]


def _in_buckets(ordered: Hashes, mask: np.uint64, distance: int) -> Indices:
    """Pairs among hashes whose masked bits are equal, each as first · n + second."""
    masked = ordered & mask
    order = np.argsort(masked, kind="stable")
    key, full = masked[order], ordered[order]
    found: list[Indices] = []
    at = np.arange(len(key) - 1, dtype=np.int64)
    for step in range(1, _NEIGHBOURS + 1):
        at = at[at + step < len(key)]
        at = at[key[at] == key[at + step]]
        if not len(at):
            break
        near = at[np.bitwise_count(full[at] ^ full[at + step]) <= distance]
        # Stable, so that the one that comes first here comes first in `ordered` too.
        found.append(order[near] * len(ordered) + order[near + step])
    return np.concatenate(found) if found else np.empty(0, np.int64)
