"""What geo says in English is Vietnamese on pages: nothing is left out, values stay as they are."""

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime
from datetime import time as clock
from itertools import chain
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from geo.intake.batches import prepare
from geo.intake.records import MODELS
from tests import intake_world as world
from web.messages import CATALOGUE, Template, in_words

ROOT = Path(__file__).parent.parent
# Here every text is said to the person who sends a file; there only what errors are raised with.
SAYS_ALL = ("geo/intake/*.py", "geo/geometry.py", "geo/audit/sample_proof.py")
SAYS_ERRORS = (
    *(f"geo/{name}.py" for name in ("areas", "copying", "db", "findings", "households")),
    *(f"geo/{name}.py" for name in ("paging", "publishing", "sites", "surveys", "targeting")),
    "geo/boundaries/display.py",
    "geo/moments.py",
    "geo/trail_proof.py",
    "geo/accounts/*.py",
    "geo/persons/*.py",
    "geo/address_fixes/*.py",
    "geo/photos/*.py",
    "geo/report/*.py",
    "api/photos.py",
    "api/downloads.py",
    "api/cli/patience.py",
    "geo/exports.py",
    "geo/copying_out.py",
    *(f"geo/writing/{name}.py" for name in ("ogr", "xlsx")),
    "geo/audit/*.py",
    "geo/trail_filters.py",
    "web/security.py",
    "api/ogc/asking.py",
    *(f"geo/ogc/{name}.py" for name in ("cql2", "cql2_text", "gdal_text", "items", "literals")),
    "geo/ogc/systems.py",
)
# SQL and patterns; what libraries' messages are recognised by; names; parts that are dropped or
# that the template of a whole message holds.
NOT_SAID = re.compile(
    r"SELECT |ANALYZE |\\d|\[0-9\]|field larger|unexpected end|expected after|TCVN3|^the row$"
    r"|^ in province |^ in commune "
)


SWITCHED = {
    "{v}: {v} Nothing was stored.",
    "{v} of {v} rows cannot be stored.",
    "{v} of the first {v} rows cannot be stored; reading stopped there.",
    "there is no household “{v}”{v}; import the households first",
    "There is no area with the code {v}{v}.",
    "“{v}” is expected and ",
    "the file ends",
    "Windows-1252 or another 8-bit encoding",
}
"""Messages that are put together of texts, and these: the catalogue has them whole."""


def said_in(path: Path, everything: bool) -> Iterator[str]:
    """The texts of two words and more that a module's people meet; values as {v}."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }

    def visit(node: ast.AST, said: bool) -> Iterator[str]:
        if id(node) in docs:
            return
        named = isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Error")
        said = said or named
        inner: Iterator[ast.AST] = ast.iter_child_nodes(node)
        text = None
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(v.value if isinstance(v, ast.Constant) else "{v}" for v in node.values)
            inner = (v.value for v in node.values if isinstance(v, ast.FormattedValue))
        words = re.findall(r"[^\W\d_]+", (text or "").replace("{v}", ""))
        if said and text and len(words) > 1 and " " in text.strip():
            yield re.sub(r"^[a-z_]+: (?=.)", "", text)
        yield from chain.from_iterable(visit(child, said) for child in inner)

    return visit(tree, everything)


def all_said() -> set[str]:
    found: set[str] = set()
    for patterns, everything in ((SAYS_ALL, True), (SAYS_ERRORS, False)):
        for pattern in patterns:
            paths = list(ROOT.glob(pattern))
            assert paths, pattern
            found.update(*(said_in(path, everything) for path in paths))
    return {text for text in found if not NOT_SAID.search(text)}


def catalogue() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale="vi") if m.id}


def bare(text: str) -> str:
    return re.sub(r"\{\w+\}", "{v}", text)


def test_every_message_has_vietnamese() -> None:
    known = [bare(text) for text in catalogue()]
    missing = [
        said
        for said in sorted(all_said())
        if not {bare(said), f"{{v}} is {said}."} & set(known)  # a file “is a PDF …”
        and not (said in SWITCHED and any(said_by(said, text) for text in known))
    ]
    assert not missing


def said_by(said: str, text: str) -> bool:
    """Whether a template holds this part, or is one form of this message."""
    return said in text or Template.of(said).values(text) is not None


# What libraries say inside a message of ours.
FOREIGN = re.compile("^(Input should be|Unable to parse|Expecting |Unterminated )")


def test_no_vietnamese_is_left_behind_by_a_message_that_is_gone() -> None:
    said = [Template.of(text) for text in all_said()]
    ours = [text for text in catalogue() if not FOREIGN.match(text)]
    gone = [
        text
        for text in ours
        if not any(one.values(text) is not None for one in said)
        and not any(bare(one) in bare(text) for one in all_said() if len(one) > 8)
    ]
    assert not gone


def test_translations_use_only_values_that_the_message_has() -> None:
    for text, translation in catalogue().items():
        assert translation
        assert set(re.findall(r"\{\w+\}", translation)) <= set(re.findall(r"\{\w+\}", text)), text


@pytest.mark.parametrize(
    ("english", "vietnamese"),
    [
        (
            "lon 21.5 and lat 105.8 look swapped: lon is the one of 102 to 118.",
            "lon 21,5 và lat 105,8 có vẻ bị đảo: lon phải trong khoảng 102–118.",
        ),
        (
            "lon: “21.5.1” is not a number; lat: nan is not a finite number; leave the cell "
            "blank when unknown; head_name: is missing",
            "lon: “21.5.1” không phải là số; lat: nan không phải là số hữu hạn; để trống ô khi "
            "chưa biết; head_name: chưa có giá trị",
        ),
        ("lon: “1; 2” is not a number", "lon: “1; 2” không phải là số"),
        (
            "members: “a; is missing” is not a whole number",
            "members: “a; is missing” không phải là số nguyên",
        ),
        (
            "crs: EPSG:1 is not a reference system that PROJ knows.",
            "crs: EPSG:1 không phải hệ toạ độ mà PROJ biết: hãy xem lại số hiệu.",
        ),
        (
            "household_code: there is no household “H; 9” in province 19; import the households "
            "first",
            "household_code: chưa có hộ “H; 9” ở tỉnh 19; hãy nhập danh sách hộ trước",
        ),
        (
            "f.csv: 1000 of the first 40000 rows cannot be stored; reading stopped there. "
            "Nothing was stored.",
            "f.csv: 1000 trên 40000 dòng đầu không lưu được nên dừng đọc tại đó. "
            "Chưa lưu dòng nào.",
        ),
        (
            "the site has reached roof; frame lies before it",
            "nhà này đã đến giai đoạn roof; frame là giai đoạn trước đó",
        ),
        (
            "stage: “x” is not one of a, b",
            "stage: “x” không thuộc các giá trị a, b",
        ),
        ("what nobody has ever said; nor this", "what nobody has ever said; nor this"),
        ("Chọn một tệp.", "Chọn một tệp."),
        ("", ""),
    ],
)
def test_messages_are_vietnamese_in_words(english: str, vietnamese: str) -> None:
    assert in_words(english, "vi") == vietnamese
    assert in_words(english, "en") == english


@given(st.text(max_size=30), st.text(max_size=30))
def test_values_come_through_whole(value: str, other: str) -> None:
    english = f"“{value}” exists in the provinces “{other}”; add the column province_code"
    vietnamese = f"có hộ “{value}” ở nhiều tỉnh: “{other}”; hãy thêm cột province_code"
    # Numbers alone get a decimal comma.
    number = any(re.fullmatch(r"-?\d+\.\d+", one) for one in (value, other))
    if not number and "exists in" not in value + other and "; " not in value + other:
        assert in_words(english, "vi") == vietnamese


@given(st.text(max_size=200))
def test_any_text_gives_text(text: str) -> None:
    assert isinstance(in_words(text, "vi"), str)


@pytest.mark.parametrize(
    "hostile",
    [
        "is missing; " * 20_000,
        "a: " * 100_000,
        "x breaks off at line 1: " * 10_000,
        ", the file is damaged or cut off" * 10_000,
        "; ".join(["x" * 20_000] * 59),
        "f lacks the column " + " ; it has " * 30_000,
    ],
    ids=["joined", "prefixed", "nested", "nested behind", "wide", "repeated"],
)
def test_a_message_of_any_length_is_put_into_words(hostile: str) -> None:
    assert in_words(hostile, "vi")


ODD: list[object] = [
    [1], {"a": 1}, True, 10**400, 1e300, -5, 1.5, float("nan"), float("inf"), "x" * 1000, "x", "-1",
    "1e999", datetime(1700, 1, 1), date(1800, 1, 1), clock(3), b"x", "\ud800", "a\0b", ["x"], None,
    "2026-13-01", "0001-01-01T00:00:00+07:00", "9999-12-31T23:59:59-12:00",
]  # fmt: skip


@pytest.mark.parametrize("kind", MODELS)
def test_whatever_is_wrong_with_a_value_is_said_in_vietnamese(kind: str) -> None:
    row = {"households": world.household, "surveys": world.survey, "sites": world.site}[kind]()
    columns = [*MODELS[kind].model_fields, "extra"]
    rows = [row | {column: value} for column in columns for value in ODD]
    refused = prepare(kind, list(enumerate(rows))).rejected
    assert len(refused) > len(rows) / 3
    assert {one.reason for one in refused if in_words(one.reason, "vi") == one.reason} == set()
