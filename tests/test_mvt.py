"""Tiles written here are read back by another reader, with nothing lost whatever the texts are."""

import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.layers import mvt
from tests.mvt_reading import located

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
features = st.lists(
    st.tuples(
        st.tuples(st.integers(0, 4095), st.integers(0, 4095)),
        st.uuids(),
        texts,
        st.sampled_from([-1, 0, 1, 2]),
        st.integers(0, 2**40),
    ),
    max_size=300,
)
WORDS = ("bên trong", "ngoài", "<b>")


def written(rows) -> bytes:
    def column(place: int) -> np.ndarray:
        return np.array([row[place] for row in rows], np.int64)

    at = np.array([row[0] for row in rows], np.int64).reshape(-1, 2)
    return mvt.encode(
        "lớp",
        at[:, 0],
        at[:, 1],
        [
            mvt.uuids("id", b"".join(row[1].bytes for row in rows)),
            mvt.texts("code", [row[2] for row in rows]),
            mvt.words("word", WORDS, column(3)),
            mvt.numbers("count", column(4)),
        ],
    )


@given(features)
def test_tile_reads_back_as_it_was_written(rows):
    expected = []
    for at, one, code, word, count in rows:
        told = {"id": str(one), "code": code}
        told |= {} if word < 0 else {"word": WORDS[word]}
        told |= {"count": count} if count else {}
        expected.append((at, told))
    body = written(rows)
    assert (located(body) if body else []) == expected


@pytest.mark.parametrize("n", [1, 127, 128, 129, 16_384])
def test_numbers_of_values_beyond_a_byte_are_kept(n):
    codes = [f"H{number}" for number in range(n)]
    place = np.arange(n) % 4096
    body = mvt.encode("l", place, place, [mvt.texts("id", codes)])
    assert [told["id"] for _at, told in located(body)] == codes


def test_attribute_that_no_feature_has_is_left_out():
    at = np.array([5, 4095])
    none = mvt.numbers("flagged", np.zeros(2, np.int64))
    unused = mvt.words("word", WORDS, np.array([-1, -1]))
    body = mvt.encode("l", at, at, [unused, none, mvt.texts("id", ["a", "b"])])
    assert located(body) == [((5, 5), {"id": "a"}), ((4095, 4095), {"id": "b"})]


def test_tile_without_features_is_empty():
    nothing = np.array([], np.int64)
    assert mvt.encode("l", nothing, nothing, [mvt.uuids("id", b"")]) == b""


def test_uuid_is_written_as_python_writes_it():
    one = uuid.UUID("01234567-89ab-4cde-8f01-23456789abcd")
    ((_at, told),) = located(
        mvt.encode("l", np.array([1]), np.array([2]), [mvt.uuids("id", one.bytes)])
    )
    assert told == {"id": str(one)}
