"""The gazetteer holds both tiers with their history, and finds areas as people write them."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from geo import areas, gazetteer
from geo.errors import NotFoundError, UsageError
from geo.scope import Scope
from geo.tables import area, survey

BEFORE = date(2025, 6, 30)


def test_both_tiers_are_loaded_once(conn):
    expected = {
        "country": 1,
        "province former": 63,
        "province present": 34,
        "district former": 696,
        "commune former": 10_035,
        "commune present": 3_321,
        "successors": 10_665,
    }
    assert areas.load_gazetteer(conn) == expected
    assert areas.load_gazetteer(conn) == expected


def test_every_former_commune_has_a_successor_and_471_have_several(areas_conn):
    numbers = areas_conn.execute(
        text(
            "SELECT count(new_area_id) FROM area LEFT JOIN area_successor ON old_area_id = area_id "
            "WHERE level = 'commune' AND valid_to IS NOT NULL GROUP BY area_id"
        )
    ).scalars()
    each = list(numbers)
    assert len(each) == 10_035
    assert min(each) == 1
    assert sum(n > 1 for n in each) == 471


def test_every_present_commune_and_province_has_a_predecessor(areas_conn):
    orphans = areas_conn.execute(
        text(
            "SELECT code FROM area WHERE valid_from IS NOT NULL AND NOT EXISTS "
            "(SELECT 1 FROM area_successor WHERE new_area_id = area_id)"
        )
    ).all()
    assert orphans == []


def test_a_code_means_the_area_of_the_day_asked_for(areas_conn):
    assert areas.get(areas_conn, "01105", on=BEFORE).full_name == "Xã Chí Cà"
    with pytest.raises(NotFoundError):
        areas.get(areas_conn, "01105")
    old, new = areas.get(areas_conn, "19", on=BEFORE), areas.get(areas_conn, "19")
    assert (old.full_name, old.valid_from, old.valid_to) == ("Tỉnh Thái Nguyên", None, BEFORE)
    assert (new.full_name, new.valid_from, new.valid_to) == (
        "Tỉnh Thái Nguyên",
        date(2025, 7, 1),
        None,
    )


@pytest.mark.parametrize("code", ["", "99999", "00", "vn", "19 ", "x" * 1000, "'; DROP TABLE area"])
def test_an_unknown_code_is_not_found(areas_conn, code):
    with pytest.raises(NotFoundError, match="There is no area with the code"):
        areas.get(areas_conn, code)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("01105", ["01108"]),  # Chí Cà, Xín Mần, Hà Giang
        ("20035", ["20035"]),  # Bình Điền stays under its code
        ("02", ["08"]),  # Hà Giang
        ("06", ["19"]),  # Bắc Kạn
        ("318", ["11948"]),  # an island district without communes
    ],
)
def test_former_areas_lead_to_present_ones(areas_conn, old, new):
    former = areas.get(areas_conn, old, on=BEFORE)
    assert [a.code for a in areas.successors(areas_conn, former.area_id)] == new


def test_ancestors_come_from_the_country_down(areas_conn):
    assert [a.code for a in areas.ancestors(areas_conn, "01108")] == ["VN", "08"]
    assert areas.ancestors(areas_conn, "VN") == []


def test_children_are_present_and_in_vietnamese_order(areas_conn):
    names = [a.name for a in areas.children(areas_conn, "VN")]
    assert len(names) == 34
    assert names[:6] == ["An Giang", "Bắc Ninh", "Cà Mau", "Cao Bằng", "Cần Thơ", "Đà Nẵng"]
    assert len(areas.children(areas_conn, "19")) == 92
    assert areas.children(areas_conn, "01108") == []


def test_numbered_names_are_in_the_order_of_their_numbers():
    names = ["Phường 10", "Phường 2", "Phường 1", "Ba", "Ả", "A", "Á"]
    assert sorted(names, key=areas.name_order) == [
        "A",
        "Ả",
        "Á",
        "Ba",
        "Phường 1",
        "Phường 2",
        "Phường 10",
    ]


@given(st.lists(st.text(max_size=12), max_size=5))
def test_any_names_can_be_put_in_order(names):
    keys = [areas.name_order(name) for name in names]
    backwards = keys[::-1]
    assert sorted(keys) == sorted(backwards)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Ba Chẽ", "06970"),
        ("xa ba che", "06970"),
        ("PHUONG HOA CHAU", "20014"),
        ("Hoá Châu", "20014"),
        ("thai nguyen", "19"),
        ("Thai Nguyn", "19"),
        ("chi ca", "01105"),
        ("viet nam", "VN"),
        ("46", "46"),
    ],
)
def test_search_finds_what_people_write(areas_conn, written, code):
    assert areas.search(areas_conn, written, 1)[0].code == code


@pytest.mark.parametrize("written", ["", "   ", "…", "%", "zzzzqqqq", "\x01", "x" * 5000])
def test_search_survives_what_means_nothing(areas_conn, written):
    assert areas.search(areas_conn, written) == []


def test_search_puts_present_areas_first_and_keeps_to_the_day(areas_conn):
    both = areas.search(areas_conn, "Ba Chẽ")
    assert [a.valid_to for a in both] == [None, BEFORE, BEFORE]
    assert {a.valid_to for a in areas.search(areas_conn, "Ba Chẽ", on=BEFORE)} == {BEFORE}


def test_search_shows_own_areas_before_those_of_the_whole_country(areas_conn):
    own = Scope(provinces=frozenset({"19"}), communes=frozenset({"06970"}))
    assert "19" not in {one.province_code for one in areas.search(areas_conn, "L", 10)}
    first = areas.search(areas_conn, "L", 10, first=own)
    assert {one.province_code for one in first} == {"19"}
    assert {one.valid_to for one in first} == {None}
    ba_che = areas.search(areas_conn, "Ba Chẽ", first=own)
    assert (ba_che[0].code, len(ba_che)) == ("06970", 3)


def test_likeness_counts_only_where_nothing_of_the_country_matches_as_written(areas_conn):
    own = Scope(provinces=frozenset({"46"}))
    assert {one.code for one in areas.search(areas_conn, "thai nguyen", first=own)} & {"19"}
    assert areas.search(areas_conn, "Thai Nguyn", first=own)[-1].province_code != "46"


def test_ancestors_are_those_above_by_any_code_of_the_area(areas_conn):
    assert [one.code for one in areas.ancestors(areas_conn, "06970")] == ["VN", "22"]
    assert areas.ancestors(areas_conn, "VN") == []
    areas_conn.execute(
        area.update().where(area.c.code == "06970", area.c.valid_to.is_(None)),
        {"other_codes": ["X6978"]},
    )
    assert [one.code for one in areas.ancestors(areas_conn, "X6978")] == ["VN", "22"]
    with pytest.raises(NotFoundError):
        areas.ancestors(areas_conn, "nowhere")


def test_successors_of_several_areas_are_those_of_each(areas_conn):
    ba_che, chi_ca = (
        next(one.area_id for one in areas.search(areas_conn, name, on=BEFORE) if one.commune_code)
        for name in ("Ba Chẽ", "Chí Cà")
    )
    followed = areas.successors_of(areas_conn, [ba_che, chi_ca])
    assert [one.code for one in followed[ba_che]] == ["06970"]
    assert [one.code for one in followed[chi_ca]] == ["01108"]
    assert areas.successors_of(areas_conn, []) == {}


def test_another_code_of_a_source_finds_the_area(areas_conn):
    areas_conn.execute(
        area.update().where(area.c.code == "06970", area.c.valid_to.is_(None)),
        {"other_codes": ["06978"]},
    )
    assert areas.get(areas_conn, "06978") == areas.get(areas_conn, "06970")


def test_scope_keeps_to_the_area(areas_conn):
    def condition(code):
        of = areas.get(areas_conn, code)
        return str(areas.scope(of, survey).compile(compile_kwargs={"literal_binds": True}))

    assert condition("VN") == "true"
    assert condition("19") == "survey.province_code = '19'"
    assert condition("01108") == ("survey.province_code = '08' AND survey.commune_code = '01108'")


def test_scope_of_an_ended_area_says_what_to_ask_for(areas_conn):
    with pytest.raises(UsageError, match="ended on 2025-06-30"):
        areas.scope(areas.get(areas_conn, "202", on=BEFORE), survey)


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("Thành Phố Đồng Hới", ("Thành phố", "Đồng Hới", "Thành phố Đồng Hới")),
        ("phường  Hoá\u00a0Châu", ("Phường", "Hoá Châu", "Phường Hoá Châu")),
        ("Phường 12", ("Phường", "Phường 12", "Phường 12")),
        ("Thị xã Kỳ Anh", ("Thị xã", "Kỳ Anh", "Thị xã Kỳ Anh")),
        ("Côn Đảo", ("", "Côn Đảo", "Côn Đảo")),
    ],
)
def test_names_are_split_into_kind_and_name(written, parts):
    assert gazetteer.split_name(written) == parts


def test_urban_follows_the_kind_and_is_unknown_for_special_zones(areas_conn):
    found = areas_conn.execute(
        select(area.c.kind, area.c.urban)
        .where(area.c.level == "commune", area.c.valid_to.is_(None))
        .distinct()
    )
    assert {row.kind: row.urban for row in found} == {
        "Phường": True,
        "Xã": False,
        "Đặc khu": None,
    }


def test_an_area_is_a_plain_value(areas_conn):
    one = areas.get(areas_conn, "19")
    assert replace(one, name=one.name) == one
    assert areas_conn.execute(
        insert(area).returning(area.c.area_id),
        [gazetteer.area_row("commune", "99998", "Xã Thử", "19", "19", valid_from=date(2026, 1, 1))],
    ).scalar_one()
    assert areas.get(areas_conn, "99998").kind == "Xã"
