"""What answers tell between the lines: nothing about what other areas have."""

import re
from collections.abc import Iterable, Iterator

import pytest

from tests.matrix_asking import Answer, Call, World, comparable
from tests.matrix_calls import LAYER_FILTERS, row, tile_at, told_by
from tests.matrix_people import PEOPLE
from tests.matrix_world import SPOTS, VERDICTS, Spot

OFFICER, PROVINCE = PEOPLE["officer@A1"], PEOPLE["officer@A0"]
A1 = SPOTS["A1"]
NOWHERE = {
    "household_code": "zqxn1rz-H1",
    "survey_id": "99a7c3e5-0000-4000-8000-000000000000",
    "site_code": "zqxn1rz-N1",
}
"""Codes as long as those of the spots, which nothing has."""


def taken(spot: Spot) -> dict[str, str]:
    """The same that a spot has."""
    return {"household_code": spot.household, "survey_id": spot.survey, "site_code": spot.site}


def said(world: World, call: Call) -> tuple[int, str]:
    """Status and body without what is new in each answer or was named in the request."""
    with world.case():
        answer = world.ask(OFFICER, call)
    told = re.sub(r'"(import_id|seconds)":("[^"]*"|[\d.e-]+)', "", comparable(answer, call))
    return answer.status, told


@pytest.mark.parametrize("neighbour", ["A0", "A2", "B1"])
@pytest.mark.parametrize("commune", ["own", "theirs", "none"])
@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("households", "household_code"),
        ("surveys", "household_code"),
        ("surveys", "survey_id"),
        ("sites", "household_code"),
        ("sites", "site_code"),
    ],
)
def test_a_code_that_is_taken_elsewhere_is_as_good_as_none(
    matrix: World, kind: str, named: str, commune: str, neighbour: str
) -> None:
    spot = SPOTS[neighbour]
    communes = {"own": A1.commune_code, "theirs": spot.commune_code or spot.code, "none": None}
    answers = []
    for codes in (taken(spot), NOWHERE):
        sent = row(kind, A1, **{named: codes[named], "commune_code": communes[commune]})
        call = Call(f"/api/v1/{kind}", "POST", json=sent, names=told_by(sent))
        answers.append(said(matrix, call))
    assert answers[0] == answers[1]
    assert answers[0][0] == (201 if commune == "own" and named != "household_code" else
                             answers[0][0])  # fmt: skip


@pytest.mark.parametrize("path", ["/search", "/api/v1/areas"])
@pytest.mark.parametrize("neighbour", ["A0", "A2", "B1"])
def test_what_others_have_is_not_found(matrix: World, path: str, neighbour: str) -> None:
    spot = SPOTS[neighbour]
    for there, none in (
        (spot.household, NOWHERE["household_code"]),
        (spot.national_id, "001090001199"),
        (spot.mark("R"), "zqxn1rz"),
    ):
        answers = [
            said(matrix, Call(path, query={"q": one}, names=(one,))) for one in (there, none)
        ]
        assert answers[0] == answers[1]


# ---- tiles


def fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message: varints and length-prefixed bytes."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = body[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(body):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            length = {1: 8, 5: 4}.get(key & 7) or varint()
            yield key >> 3, body[at : at + length]
            at += length


def counted(body: bytes) -> int:
    """How many records a tile tells of: its points, or the sum of its squares' counts."""
    total = 0
    for number, layer in fields(body):
        if number != 3 or not isinstance(layer, bytes):
            continue
        parts = list(fields(layer))
        names = [bytes(value).decode() for key, value in parts if key == 3]
        numbers = [next(iter(fields(bytes(value))))[1] for key, value in parts if key == 4]
        for feature in (bytes(value) for key, value in parts if key == 2):
            tags = next((bytes(value) for key, value in fields(feature) if key == 2), b"")
            told = {names[tags[i]]: numbers[tags[i + 1]] for i in range(0, len(tags), 2)}
            count = told.get("count", 1)
            total += count if isinstance(count, int) else 1
    return total


def tile(layer: str, spot: Spot, z: int, area: str) -> Call:
    x, y = tile_at(spot.lon + 0.01, 21.05, z)
    return Call(f"/tiles/{layer}/{z}/{x}/{y}.mvt", query={"area": area})


RECORDS = {
    "surveys": len(VERDICTS) - 1,
    "households": 3,
    "sites": 1,
    "findings": len(VERDICTS) - 1 + 1,
}
"""Layer → the points of one spot; findings are about its located surveys and its site."""


@pytest.mark.parametrize("layer", LAYER_FILTERS)
@pytest.mark.parametrize("z", [0, 3, 6, 7])
@pytest.mark.parametrize(
    ("person", "area", "spots"), [(OFFICER, A1, 1), (PROVINCE, SPOTS["A0"], 3)]
)
def test_a_tile_that_holds_everybody_s_points_counts_one_s_own(
    matrix: World, layer: str, z: int, person: object, area: Spot, spots: int
) -> None:
    with matrix.case():
        answer = matrix.ask(person, tile(layer, A1, z, area.code))
    assert counted(answer.body) == RECORDS[layer] * spots


@pytest.mark.parametrize("layer", LAYER_FILTERS)
@pytest.mark.parametrize("neighbour", ["A2", "B1"])
def test_a_neighbour_s_tile_is_as_empty_as_the_sea_s(
    matrix: World, layer: str, neighbour: str
) -> None:
    with matrix.case():
        theirs = matrix.ask(OFFICER, tile(layer, SPOTS[neighbour], 14, A1.code))
        sea = matrix.ask(OFFICER, Call(f"/tiles/{layer}/14/0/0.mvt", query={"area": A1.code}))
    # Two addresses have two tags, whatever is there: made of the address and of one's own data.
    tags = {theirs.headers.pop("ETag"), sea.headers.pop("ETag")}
    assert (theirs.status, theirs.body, stable(theirs)) == (sea.status, sea.body, stable(sea))
    assert theirs.body == b""
    assert len(tags) == 2


@pytest.mark.parametrize("layer", LAYER_FILTERS)
def test_a_tag_that_somebody_else_got_says_nothing(matrix: World, layer: str) -> None:
    call = tile(layer, A1, 3, "01")
    with matrix.case():
        tag = matrix.ask(PROVINCE, call).headers["ETag"]
        assert matrix.ask(PROVINCE, call, **{"If-None-Match": tag}).status == 304
        refused = [matrix.ask(OFFICER, call, **{"If-None-Match": one}) for one in (tag, 'W/"0"')]
    assert [one.status for one in refused] == [403, 403]
    assert refused[0].body == refused[1].body
    assert "ETag" not in refused[0].headers


def stable(answer: Answer) -> dict[str, str]:
    return {k: v for k, v in answer.headers.items() if not k.startswith("X-RateLimit")}


# ---- pages of listings


LISTINGS = [
    "/api/v1/households?limit=1", "/api/v1/surveys?limit=1", "/api/v1/surveys?limit=1&order=recent",
    "/api/v1/surveys?limit=1&order=worst", "/api/v1/sites?limit=1", "/api/v1/findings?limit=1",
]  # fmt: skip


def cursors(world: World, path: str) -> Iterable[str]:
    """The cursors that somebody with the whole province gets."""
    with world.case():
        cursor = ""
        while True:
            answer = world.ask(PROVINCE, Call(f"{path}&area=01&cursor={cursor}"))
            found = re.search(r'"next_cursor":"([^"]+)"', answer.text)
            if not found:
                return
            cursor = found[1]
            yield cursor


@pytest.mark.parametrize("path", LISTINGS)
def test_a_cursor_of_somebody_with_more_rights_opens_nothing(matrix: World, path: str) -> None:
    found = list(cursors(matrix, path))
    assert found
    for cursor in found[:6]:
        call = Call(f"{path}&area=00101&cursor={cursor}")
        with matrix.case():
            answer = matrix.ask(OFFICER, call)
            assert answer.status == 200
            assert matrix.leaks(OFFICER, answer, call) == []
            assert matrix.ask(OFFICER, Call(f"{path}&area=01&cursor={cursor}")).status == 403


@pytest.mark.parametrize("path", ["/audit?rule=outside", "/log?x=1", "/accounts?x=1"])
def test_a_forged_cursor_opens_nothing(matrix: World, path: str) -> None:
    person = PEOPLE["officer+administrator@A1"]
    for cursor in ("W10", "WyIiXQ", "WzBd", "WzEwMDAwMF0", "WyJhZnRlciIsIiIsIiJd", "x" * 150):
        call = Call(f"{path}&cursor={cursor}")
        with matrix.case():
            answer = matrix.ask(person, call)
        assert answer.status in (200, 400)
        assert matrix.leaks(person, answer, call) == []
