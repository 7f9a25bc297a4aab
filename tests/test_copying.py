"""Rows come into a table the same way whether COPY may write it or row-level security holds it."""

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import Connection, func, inspect, select

from geo import cells, copying
from geo.errors import AncuError, ConflictError, ForbiddenError, RejectedError
from geo.scope import OPERATOR, Scope
from geo.tables import finding, household
from tests import records_world as world

HERE = Scope(communes=frozenset({"00101"}), write=True)


def rows(*codes: str, **changed: object) -> dict[str, list[object]]:
    one = {
        "province_code": "01",
        "commune_code": "00101",
        "head_name": 'Lò "Văn", Sơn\n',
        "recorded_address": "",
        "search_key": "a",
        "village": None,
        "causes": copying.array(("no_land", 'a"b')),
        "content_hash": "x",
    } | changed
    return {name: [value] * len(codes) for name, value in one.items()} | {
        "household_code": list(codes)
    }


def stored(conn: Connection) -> list[tuple]:
    columns = (household.c.household_code, household.c.head_name, household.c.village)
    return conn.execute(select(*columns, household.c.causes).order_by("household_code")).all()


@pytest.mark.parametrize("scope", [OPERATOR, HERE], ids=["all", "one commune"])
@pytest.mark.parametrize("number", [1, 20, 21], ids=["one", "few", "more than few"])
def test_rows_arrive_whole_under_row_level_security(
    conn: Connection, begin: Callable, scope: Scope, number: int
) -> None:
    codes = [f"H{i:02}" for i in range(number)]
    with begin(scope) as held:
        copying.copy(held, household, rows(*codes))
        copying.copy(held, household, rows("Z"))
    expected = ('Lò "Văn", Sơn\n', None, ["no_land", 'a"b'])
    assert stored(conn) == [(code, *expected) for code in (*codes, "Z")]


def test_the_owner_s_rows_and_another_role_s_are_the_same(
    conn: Connection, begin: Callable
) -> None:
    copying.copy(conn, household, rows("H1"))
    with begin(HERE) as held:
        copying.copy(held, household, rows("H2"))
    (_, *one), (_, *other) = stored(conn)
    assert one == other


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"household_code": ["H1"]}, ConflictError),
        ({"members": [0]}, ConflictError),
        ({"members": ["many"]}, RejectedError),
        ({"geom": ["nothing"]}, AncuError),
    ],
)
def test_what_is_refused_is_refused_either_way(
    conn: Connection, begin: Callable, changed: dict[str, list[object]], error: type[AncuError]
) -> None:
    copying.copy(conn, household, rows("H1"))
    said = []
    before = conn.begin_nested()
    with pytest.raises(error) as told:
        copying.copy(conn, household, rows("H9") | changed)
    said.append(str(told.value))
    before.rollback()
    with pytest.raises(error) as told, begin(HERE) as held:
        copying.copy(held, household, rows("H9") | changed)
    said.append(str(told.value))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "scope",
    [
        Scope(communes=frozenset({"00102"}), write=True),
        Scope(communes=frozenset({"00101"})),
        Scope(provinces=frozenset({"02"}), write=True),
        Scope(write=True),
    ],
    ids=["another commune", "only reading", "another province", "nowhere"],
)
def test_rows_outside_the_scope_are_refused(
    conn: Connection, begin: Callable, scope: Scope
) -> None:
    with pytest.raises(ForbiddenError, match="outside your areas"), begin(scope) as held:
        copying.copy(held, household, rows("H1"))
    assert stored(conn) == []


def test_an_update_changes_what_the_scope_covers_only(conn: Connection, begin: Callable) -> None:
    world.build(conn)
    codes = [world.add_household(conn, code) for code in ("00101", "00102")]
    keys = ("province_code", "commune_code", "household_code")
    changed = {
        "province_code": ["01", "01"],
        "commune_code": ["00101", "00102"],
        "household_code": codes,
        "village": ["new", "new"],
    }
    with begin(HERE) as held:
        copying.update(held, household, keys, changed)
    villages = select(household.c.commune_code, household.c.village)
    assert dict(conn.execute(villages).all()) == {"00101": "new", "00102": None}


def test_no_staging_table_is_left_behind(conn: Connection, begin: Callable) -> None:
    with begin(HERE) as held:
        copying.copy(held, household, rows("H1"))
        copying.copy(held, finding, {name: [] for name in ("subject", "subject_id", "rule")})
        assert inspect(held).get_temp_table_names() == []


def test_a_place_is_a_point_and_its_cell(conn: Connection) -> None:
    lon, lat = np.array([105.0, np.nan]), np.array([21.0, 21.0])
    copying.copy(conn, household, rows("H1", "H2") | dict(copying.place(lon, lat)))
    found = conn.execute(
        select(func.ST_X(household.c.geom), func.ST_Y(household.c.geom), household.c.cell)
        .order_by("household_code")
    ).all()  # fmt: skip
    assert found == [(105.0, 21.0, int(cells.cells(lon, lat)[0])), (None, None, None)]
