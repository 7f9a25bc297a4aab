"""Filters in CQL2: read as another reader reads them, found as plain SQL finds, never a crash."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import cql2 as other
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import UsageError
from geo.ogc import cql2, cql2_text
from geo.ogc.collections import COLLECTIONS
from geo.ogc.systems import CRS84
from tests import ogc_world
from tests.ogc_world import Service
from tests.test_ogc_features import found, same

TEXTS = [
    "verdict = 'outside'",
    "a OR b = 1 AND c = 'x''y'",
    "NOT a > 3.5 OR NOT (b IS NOT NULL AND c <= -4)",
    "((((a = 1))))",
    "NOT NOT a <> 2",
    "a IN (1, 2, 3) AND b NOT IN ('x', '')",
    "a BETWEEN 1 AND 2 AND b NOT BETWEEN -1.5 AND 2e3",
    "a LIKE 'x%' OR b not like '_y\\%'",
    "\"tên hộ\" = 'Hồ Chí Minh'",
    "năm = 2026",
    "CASEI(a) = casei('X')",
    "active = true AND NOT blocked = FALSE",
    "S_INTERSECTS(geometry, BBOX(105, -21.5, 106, 22))",
    "s_intersects(geometry, POINT(105 21))",
    "S_INTERSECTS(geometry, POLYGON((0 0, 1 0, 1 1, 0 0)))",
    "S_INTERSECTS(geometry, MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5))))",
    "S_INTERSECTS(geometry, LINESTRING(0 0, 1 1)) AND a = 1",
    "T_AFTER(at, TIMESTAMP('2026-01-01T00:00:00Z'))",
    "t_during(at, INTERVAL('2026-01-01', '..')) OR at > DATE('2026-01-01')",
    "a = b",
    "a IS NULL",
    "point = 1",
]


@pytest.fixture(scope="module")
def service(make_database: Callable[..., str], template_url: str) -> Iterator[Service]:
    with ogc_world.service(make_database, template_url) as made:
        yield made


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_read_as_another_reader_does(text: str) -> None:
    assert cql2_text.parse(text) == other.parse_text(text).to_json()


VALUES = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda n: f"{n:.4f}"),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\"), max_size=8)
    .map(lambda text: "'" + text.replace("'", "''") + "'"),
)  # fmt: skip
NAMES = st.sampled_from(["verdict", "members", "tên", '"x y"'])
SIMPLE = st.one_of(
    st.builds("{} {} {}".format, NAMES, st.sampled_from(["=", "<>", "<", ">=", "LIKE"]), VALUES),
    st.builds("{} IS {}NULL".format, NAMES, st.sampled_from(["", "NOT "])),
    st.builds("{} IN ({}, {})".format, NAMES, VALUES, VALUES),
)
WHOLE = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds("({}) AND ({})".format, inner, inner),
        st.builds("({}) OR ({})".format, inner, inner),
        st.builds("{} AND NOT ({})".format, inner, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=150, derandomize=True, database=None)
@given(WHOLE)
def test_any_text_is_read_as_another_reader_does(text: str) -> None:
    assert flat(cql2_text.parse(text)) == flat(other.parse_text(text).to_json())


def flat(node: Any) -> Any:
    """The tree with and, or of and, or made one, which mean the same."""
    if isinstance(node, list):
        return [flat(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: flat(value) for name, value in node.items()}
    if made.get("op") in ("and", "or"):
        made["args"] = [
            part
            for one in made["args"]
            for part in (
                one["args"] if isinstance(one, dict) and one.get("op") == made["op"] else [one]
            )
        ]
    return made


FOUND = [
    ("surveys", "verdict = 'outside'", "verdict = 'outside'"),
    ("surveys", "verdict <> 'outside'", "verdict <> 'outside'"),
    ("surveys", "NOT (verdict = 'outside' OR distance_m < 0)",
     "NOT (verdict = 'outside' OR distance_m < 0)"),
    ("surveys", "distance_m BETWEEN -200 AND 0.5", "distance_m BETWEEN -200 AND 0.5"),
    ("surveys", "distance_m IS NULL", "distance_m IS NULL"),
    ("surveys", "mock_location", "mock_location"),
    ("surveys", "mock_location = false OR mock_location IS NULL", "mock_location IS NOT TRUE"),
    ("surveys", "surveyed_at > DATE('2025-09-11')", "surveyed_at > '2025-09-11 00:00+07'"),
    ("surveys", "surveyed_at > '2025-09-10T03:00:00Z'", "surveyed_at > '2025-09-10 03:00+00'"),
    ("surveys", "T_AFTER(surveyed_at, DATE('2025-09-10'))", "surveyed_at >= '2025-09-11+07'"),
    ("surveys", "T_BEFORE(surveyed_at, TIMESTAMP('2025-09-12T00:00:00Z'))",
     "surveyed_at < '2025-09-12 00:00+00'"),
    ("surveys", "T_DURING(surveyed_at, INTERVAL('2025-09-11T00:00:00Z', '..'))",
     "surveyed_at > '2025-09-11'"),
    ("surveys", "T_INTERSECTS(surveyed_at, DATE('2025-09-10'))", "surveyed_at < '2025-09-11'"),
    ("surveys", "T_DISJOINT(surveyed_at, INTERVAL('..', '2025-09-11T00:00:00Z'))",
     "surveyed_at > '2025-09-11'"),
    ("surveys", "T_EQUALS(surveyed_at, TIMESTAMP('2025-09-10T03:00:00Z'))",
     "surveyed_at = '2025-09-10 03:00+00'"),
    ("surveys", "survey_id = '{outside}'", "distance_m < -5000"),
    ("surveys", "survey_id LIKE '%7'", "survey_id::text LIKE '%7'"),
    ("surveys", "survey_id = 'nothing'", "false"),
    ("surveys", "recorded_code = located_code", "recorded_code = located_code"),
    ("surveys", "recorded_code <> located_code OR head_name = '=1+1'", "distance_m < -100"),
    ("households", "status IN ('poor', 'none') AND members > 7",
     "status IN ('poor', 'none') AND members > 7"),
    ("households", "members = 3.0", "members = 3"),
    ("households", "members > 1e23", "false"),
    ("households", "members = 99999999999999999999", "false"),
    ("households", "head_name LIKE 'Người _' AND status IS NOT NULL",
     "head_name LIKE 'Người _' AND status IS NOT NULL"),
    ("households", "CASEI(head_name) = CASEI('NGƯỜI 3')", "head_name = 'Người 3'"),
    ("households", "casei(head_name) LIKE casei('NGƯỜI%') AND members < 2",
     "head_name LIKE 'Người%' AND members < 2"),
    ("households", "household_code = '''; DROP TABLE survey'",
     "household_code LIKE '%DROP TABLE%'"),
    ("households", "household_code LIKE '50\\% %'", "household_code LIKE '50\\% %'"),
    ("households", "demo = true", "demo"),
    ("households", "true", "true"),
    ("households", "false OR members = 1", "members = 1"),
    ("households", "S_INTERSECTS(geometry, POLYGON((105 21, 105.1 21, 105.05 21.07, 105 21)))",
     "ST_Intersects(geom, 'SRID=4326;POLYGON((105 21, 105.1 21, 105.05 21.07, 105 21))')"),
    ("households", "NOT S_INTERSECTS(geometry, BBOX(105, 21, 105.1, 21.05)) AND members = 4",
     "NOT ST_Intersects(geom, ST_MakeEnvelope(105, 21, 105.1, 21.05, 4326)) AND members = 4"),
    ("households", "S_INTERSECTS(POINT(105.01 21.01), geometry)", "status_year IS NULL AND "
     "ST_X(geom) = 105.01 AND ST_Y(geom) = 21.01"),
    ("households", "S_INTERSECTS(geometry, POINT Z(105.01 21.01 7))", "ST_X(geom) = 105.01"),
    ("sites", "due_on < DATE('2025-09-01') AND stage = 'roof'", "true"),
    ("sites", "due_on > '2025-08-31'", "false"),
    ("sites", "T_AFTER(stage_on, DATE('2025-07-31'))", "true"),
    ("sites", "due_on <= TIMESTAMP('2025-08-30T17:00:00Z')", "true"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "condition"), FOUND, ids=str)
def test_a_filter_finds_what_plain_sql_does(
    service: Service, name: str, text: str, condition: str
) -> None:
    text = text.replace("{outside}", service.ids["outside"])
    same(service, name, condition, filter=text)
    node = other.parse_text(text).to_json()
    written = {"filter": json.dumps(node), "filter-lang": "cql2-json"}
    same(service, name, condition, **written)


def test_findings_of_both_kinds_are_filtered(service: Service) -> None:
    query = {"filter": "severity >= 2 AND S_INTERSECTS(geometry, BBOX(105, 21, 105.16, 21.06))"}
    answer = service.client().get("/ogc/collections/findings/items", query_string=query)
    rules = sorted(one["properties"]["rule"] for one in answer.get_json()["features"])
    assert rules == ["mock_location", "outside", "site_far"]


DEEP = 500
WRONG = [
    "", " ", "verdict", "verdict =", "= 1", "verdict = 'x", "verdict == 'x'", "verdict = \"x\"",
    "verdict = 'x' AND", "verdict = 'x' garbage", "verdict = 'x';", "(verdict = 'x'", "a)b",
    "colour = 'red'", "causes = 'x'", "national_id = '1'", "national_id_end = '890'", "geom = 1",
    "geometry = 1", "survey.verdict = 'x'", "\"verdict'\" = 1", "content_hash = 'x'",
    "verdict = 1", "distance_m = 'x'", "distance_m = true", "mock_location = 1",
    "mock_location < true", "surveyed_at = 5", "surveyed_at > 'yesterday'", "1 = 'x'",
    "distance_m LIKE '1%'", "verdict LIKE 5", "verdict LIKE verdict", "verdict LIKE 'x\\'",
    "verdict LIKE '" + "%a" * 30 + "'", "verdict IN ()", "verdict IN 'x'", "verdict IN (1)",
    "distance_m BETWEEN 1", "distance_m BETWEEN 'a' AND 'b'", "distance_m NOT 5", "verdict IS 5",
    "surveyed_at > DATE('2025-13-01')", "surveyed_at > TIMESTAMP('2025-01-01')",
    "surveyed_at > DATE(5)", "T_AFTER(surveyed_at, 5)", "T_AFTER(verdict, DATE('2025-01-01'))",
    "T_AFTER(surveyed_at)", "T_AFTER(surveyed_at, INTERVAL('..'))", "T_MEETS(surveyed_at, 'x')",
    "T_DURING(surveyed_at, INTERVAL('2026-01-01', '2025-01-01'))", "DATE('2025-01-01')",
    "T_AFTER(surveyed_at, INTERVAL(surveyed_at, '..'))",
    "S_INTERSECTS(geometry)", "S_INTERSECTS(geometry, geometry)", "S_INTERSECTS(verdict, 'x')",
    "S_INTERSECTS(geometry, BBOX(1,2,3))", "S_INTERSECTS(geometry, BBOX(106,21,105,22))",
    "S_INTERSECTS(geometry, BBOX('a',2,3,4))", "S_INTERSECTS(geometry, POINT(1))",
    "S_INTERSECTS(geometry, POINT(1 2 3 4 5))", "S_INTERSECTS(geometry, POINT())",
    "S_INTERSECTS(geometry, POINT(1e400 1))", "S_INTERSECTS(geometry, POINT(500 21))",
    "S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))",
    "S_INTERSECTS(geometry, POLYGON((0 0, 1 1)))", "S_INTERSECTS(geometry, POINT(1 2)",
    "S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 1 0, 2 2)))", "S_WITHIN(geometry, POINT(1 1))",
    "S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(1 1), POINT(nan 1)))",
    "foo(verdict) = 'x'", "pg_sleep(10)", "casei(distance_m) = casei(5)", "casei(verdict)",
    "distance_m + 1 = 2", "verdict = NULL", "verdict = ''''''' OR 1=1 --", "distance_m = 1e999",
    "distance_m = " + "9" * 400, "(" * DEEP + "mock_location" + ")" * DEEP,
    "NOT " * DEEP + "mock_location", "verdict = " + "casei(" * DEEP + "'x'" + ")" * DEEP,
    "S_INTERSECTS(geometry, " + "GEOMETRYCOLLECTION(" * DEEP + "POINT(1 1)" + ")" * DEEP + ")",
    "distance_m = 1 OR " * 600 + "mock_location", "'", '"', "(", ")", "--", "/*", "\\", "%",
    "verdict = 'x\u0000'", "verdict = 'x' \u2028 OR", "\ud7ff", "💥 = 1",
]  # fmt: skip


def refused(service: Service, text: str, language: str = "cql2-text") -> None:
    query = urlencode({"filter": text, "filter-lang": language})
    answer = service.client().get(f"/ogc/collections/surveys/items?{query}")
    assert answer.status_code == 400, (text[:80], answer.text[:300])
    if "\0" not in text:
        assert answer.content_type == "application/problem+json"
        assert len(answer.get_json()["detail"]) > 15


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:40])
def test_a_text_that_is_no_filter_is_refused(service: Service, text: str) -> None:
    refused(service, text)


NODE = {"op": "=", "args": [{"property": "verdict"}, "x"]}
WRONG_JSON = [
    "", "{", "[]", "null", "5", '"x"', "{}", '{"op": 5}', '{"op": "="}', '{"op": "=", "args": {}}',
    '{"op": "=", "args": [1]}', '{"op": "=", "args": [1, 2, 3]}', '{"op": ["="], "args": []}',
    '{"op": "and", "args": []}', '{"op": "and", "args": [5]}', '{"op": "not", "args": []}',
    '{"op": "=", "args": [{"property": ["verdict"]}, "x"]}', '{"property": {"a": 1}}',
    '{"op": "=", "args": [{"property": "verdict"}, {"property": "verdict", "x": {}}, []]}',
    '{"op": "=", "args": [{"property": "verdict"}, ["x"]]}', '{"op": "in", "args": [1, 2]}',
    '{"op": "in", "args": [{"property": "verdict"}, [["x"]]]}',
    '{"op": "=", "args": [{"property": "verdict"}, null]}',
    '{"op": "=", "args": [{"property": "verdict"}, "\\ud800"]}',
    '{"op": "=", "args": [{"property": "verdict"}, "\\u0000"]}',
    '{"op": "=", "args": [{"property": "surveyed_at"}, {"date": 5}]}',
    '{"op": "=", "args": [{"property": "surveyed_at"}, {"timestamp": "x"}]}',
    '{"op": "t_after", "args": [{"property": "surveyed_at"}, {"interval": "x"}]}',
    '{"op": "t_after", "args": [{"property": "surveyed_at"}, {"interval": [1, 2]}]}',
    '{"op": "casei", "args": [1]}', '{"op": "=", "args": [{"op": "casei", "args": 5}, "x"]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point"}]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "X", "coordinates": 1}]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, '
    '{"type": "Point", "coordinates": ["a", "b"]}]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, '
    '{"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [true, 1, 2, 3]}]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": 5}]}',
    "[" * 900 + "]" * 900, '{"op":"not","args":[' * 300 + "true" + "]}" * 300,
    json.dumps({"op": "or", "args": [NODE] * 200}), "[1e999]", "NaN",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG_JSON, ids=lambda text: text[:60])
def test_json_that_is_no_filter_is_refused(service: Service, text: str) -> None:
    refused(service, text, "cql2-json")


def test_many_alternatives_within_the_length_are_found(service: Service) -> None:
    text = " OR ".join(f"members={n % 9}" for n in range(600))
    assert len(text) < cql2_text.MAX_LENGTH
    assert len(found(service, "households", filter=text)) > 1000


# ---- whatever comes


PIECES = [
    *"()=<>,'\"", "AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS NULL", "verdict", "distance_m",
    "surveyed_at", "geometry", "'x'", "5", "-1e9", "TRUE", "S_INTERSECTS(", "POINT(105 21)",
    "BBOX(105,21,106,22)", "T_AFTER(", "DATE('2025-01-01')", "INTERVAL('..','2025-01-01')",
    "CASEI(", "POLYGON((0 0,1 0,1 1,0 0))", "mock_location", "survey_id", "\\", "%",
]  # fmt: skip
SURVEYS = COLLECTIONS["surveys"]


def reads_or_refuses(text: str, language: str) -> None:
    """Neither reading nor making SQL of it raises anything but what tells the sender."""
    try:
        made = cql2.read(text, language, CRS84)
        str(made.condition(SURVEYS, SURVEYS.sources[0]).compile())
    except UsageError as error:
        assert str(error)


@settings(max_examples=400, derandomize=True, database=None)
@given(
    st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join))
)
def test_any_text_is_read_or_refused(text: str) -> None:
    reads_or_refuses(text, "cql2-text")


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6),
    st.sampled_from([{"property": name} for name in (*SURVEYS.properties, "geometry", "x")]),
    st.sampled_from([{"date": "2025-01-01"}, {"timestamp": "2025-01-01T00:00:00Z"}]),
    st.builds(lambda n: {"type": "Point", "coordinates": n}, st.lists(st.floats(), max_size=3)),
    st.builds(lambda n: {"bbox": n}, st.lists(st.floats(), min_size=3, max_size=6)),
    st.builds(lambda n: {"interval": n}, st.lists(st.text(max_size=3), max_size=3)),
)  # fmt: skip
OPERATIONS = [
    "and", "or", "not", "=", "<>", "<", "in", "like", "between", "isNull", "casei", "t_after",
    "t_during", "s_intersects", "foo",
]  # fmt: skip
NODES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.builds(
            lambda op, args: {"op": op, "args": args},
            st.sampled_from(OPERATIONS),
            st.lists(inner, max_size=3),
        ),
    ),
    max_leaves=10,
)


@settings(max_examples=400, derandomize=True, database=None)
@given(NODES)
def test_any_json_is_read_or_refused(node: Any) -> None:
    reads_or_refuses(json.dumps(node), "cql2-json")


@settings(
    max_examples=120,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_what_the_database_gets_it_understands(service: Service, data: st.DataObject) -> None:
    typed = data.draw(st.recursive(st.sampled_from(SOUND), combined, max_leaves=6))
    query = urlencode({"filter": typed})
    answer = service.client().get(f"/ogc/collections/surveys/items?{query}")
    assert answer.status_code == 200, (typed, answer.text)


SOUND = [text for name, text, _condition in FOUND if name == "surveys"]


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("({}) {} NOT ({})".format, inner, st.sampled_from(["AND", "OR"]), inner)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("verdict = 1", "Text cannot be compared with a number."),
        ("distance_m = true", "A number cannot be compared with true or false."),
        ("mock_location < DATE('2025-01-01')", "True or false cannot be compared with a day."),
        ("survey_id = 5", "A UUID cannot be compared with a number."),
    ],
)
def test_what_cannot_be_compared_is_said_as_a_sentence(
    service: Service, text: str, said: str
) -> None:
    answer = service.client().get("/ogc/collections/surveys/items", query_string={"filter": text})
    assert answer.get_json()["detail"] == said
