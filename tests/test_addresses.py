"""Addresses as people write them lead to the right commune of today, or say that they do not."""

import csv
import unicodedata
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, text

from api.cli import address, main
from geo.addresses.resolver import MAX_CANDIDATES, Resolution, Resolver, resolver
from geo.addresses.words import Words
from geo.tables import area


@pytest.fixture(scope="module")
def resolve(gazetteer_engine: Engine) -> Iterator[Resolver]:
    with gazetteer_engine.connect() as connection:
        yield Resolver(connection)


def plain(text: str) -> str:
    """`text` typed on a keyboard without Vietnamese."""
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return decomposed.encode("ascii", "ignore").decode()


# Codes looked up by hand in the tables of units and in the list of successors.
KNOWN = {
    "all levels, hamlet first": (
        "Thôn Chí Cà Thượng, xã Chí Cà, huyện Xín Mần, tỉnh Hà Giang",
        "01108",
    ),
    "names only": ("Chí Cà, Xín Mần, Hà Giang", "01108"),
    "one unique name": ("Chí Cà", "01108"),
    "no separator, no tone marks": ("pa vay su xin man ha giang", "01096"),
    "former name of the province": ("Hương Bình, Hương Trà, Thừa Thiên Huế", "20035"),
    "abbreviated former province": ("xã A Roàng, huyện A Lưới, TT Huế", "20101"),
    "tone mark on the other vowel": ("phường Hoá Châu, Huế", "20014"),
    "no tone marks, abbreviated city": ("Phuong Hoa Chau, TP Hue", "20014"),
    "numbered ward": ("Phường 12, Quận 10, TP. Hồ Chí Minh", "27163"),
    "numbers glued to their kind": ("P5 Q3 TPHCM", "27154"),
    "number with a zero": ("P.05, Q.3, TP.HCM", "27154"),
    "f for phường": ("F.14 Q.Gò Vấp", "26882"),
    "every kind abbreviated": ("P.1, TX.Gò Công, T.Tiền Giang", "28306"),
    "township": ("TT Bằng Lũng, H.Chợ Đồn, T.Bắc Kạn", "02020"),
    "commune named as its district": ("TT.Yên Minh, H.Yên Minh, Hà Giang", "00820"),
    "name in both tiers, district named": ("X. Nghĩa Tá, H. Chợ Đồn, Bắc Kạn", "02071"),
    "name in both tiers, no district": ("Chí Cà, Hà Giang", "01108"),
    "present, kind written": ("xã Đồng Văn, tỉnh Tuyên Quang", "00721"),
    "former, province missing": ("tổ 5, thị trấn Đồng Văn, huyện Đồng Văn", "00721"),
    "district and province of one name": (
        "Tổ 5, P. Minh Xuân, TP Tuyên Quang, tỉnh Tuyên Quang",
        "02215",
    ),
    "hamlet named as another commune": (
        "xóm Đồng Tâm, xã Tân Kim, huyện Phú Bình, Thái Nguyên",
        "05923",
    ),
    "street before the ward": (
        "số 12 đường Lê Lợi, phường Phú Hội, thành phố Huế, tỉnh Thừa Thiên Huế",
        "19789",
    ),
    "district that no longer is": ("P. Phú Hội, TP Huế", "19789"),
    "present name ending in a number": ("xã A Lưới 2, thành phố Huế", "20044"),
    "quarter with a number": ("khu phố 3, phường Hương Thủy, Huế", "19975"),
    "name that begins with its kind": ("Phường Đúc, Thành phố Huế", "19789"),
    "largest first": ("Tuyên Quang, Na Hang, Hồng Thái", "02260"),
    "dashes": ("Lũng Cú - Đồng Văn - Hà Giang", "00715"),
    "semicolons": ("bản Lũng Luông; xã Thượng Nung; huyện Võ Nhai; Thái Nguyên", "05725"),
    "present commune, former province": ("Chợ Đồn, Bắc Kạn", "02020"),
    "island": ("đặc khu Phú Quốc, An Giang", "31078"),
    "township that became an island's": ("thị trấn Dương Đông, Phú Quốc, Kiên Giang", "31078"),
    "province with c for k": ("Buôn Ma Thuột, Đắc Lắc", "24133"),
    "i for y": ("xã Mĩ Sơn huyện Đô Lương Nghệ An", "17707"),
    "province's name as a commune's": ("xã Thanh Hóa, tỉnh Quảng Bình", "18958"),
    "city's old name as a ward": ("Phường Sài Gòn, TP.HCM", "26740"),
    "former province's name as a ward": ("phường Bắc Kạn, tỉnh Thái Nguyên", "01843"),
    "kind word inside a hamlet's name": (
        "số 12 thôn Trường Thi xã Chí Cà huyện Xín Mần tỉnh Hà Giang",
        "01108",
    ),
}


@pytest.mark.parametrize(("written", "code"), KNOWN.values(), ids=KNOWN.keys())
def test_known_address(resolve, written, code):
    for variant in (written, written.upper(), unicodedata.normalize("NFD", written)):
        found = resolve.resolve(variant)
        assert (found.commune_code, found.candidates) == (code, (code,))
        assert found.confidence >= 0.7


def test_a_former_address_keeps_the_area_as_written(resolve, areas_conn):
    found = resolve.resolve("xã Chí Cà, huyện Xín Mần, tỉnh Hà Giang")
    written = areas_conn.execute(
        text("SELECT code, full_name FROM area WHERE area_id = :id"), {"id": found.area_id}
    ).one()
    assert tuple(written) == ("01105", "Xã Chí Cà")
    assert (found.era, found.province_code, found.confidence) == ("former", "08", 1.0)
    assert [(match.level, match.full_name, match.text) for match in found.matched] == [
        ("commune", "Xã Chí Cà", "xã Chí Cà"),
        ("district", "Huyện Xín Mần", "huyện Xín Mần"),
        ("province", "Tỉnh Hà Giang", "tỉnh Hà Giang"),
    ]


def test_a_divided_commune_keeps_its_parts_as_candidates(resolve):
    found = resolve.resolve("P. Gia Sàng, TP. Thái Nguyên, T. Thái Nguyên")
    assert (found.commune_code, found.candidates) == (None, ("05443", "05467"))
    assert (found.era, found.province_code) == ("former", "19")


def test_a_divided_commune_without_its_district_may_be_any_of_its_parts(resolve):
    # The ward of today has the name of the former one, but not all of it.
    for written in ("phường Gia Sàng, Thái Nguyên", "P. Gia Sàng, T. Thái Nguyên"):
        found = resolve.resolve(written)
        assert (found.commune_code, set(found.candidates)) == (None, {"05467", "05443"})
        assert (found.province_code, found.confidence < 0.6) == ("19", True)


def test_words_that_explain_nothing_make_a_reading_unsure(resolve):
    sure = resolve.resolve("xã Chí Cà, huyện Xín Mần, tỉnh Hà Giang")
    unsure = resolve.resolve("xã Chí Cà, huyện Cây Gạo, tỉnh Hà Giang")
    assert (sure.candidates, sure.confidence) == (("01108",), 1.0)
    assert (unsure.candidates, unsure.confidence) == (("01108",), 0.37)


def test_tone_marks_decide_between_namesakes(resolve):
    assert resolve.resolve("xã Nga Thanh, huyện Nga Sơn, Thanh Hóa").candidates == ("16093",)
    assert resolve.resolve("xã Nga Thành, huyện Nga Sơn, Thanh Hóa").candidates == ("16138",)
    assert set(resolve.resolve("xa Nga Thanh, huyen Nga Son, Thanh Hoa").candidates) == {
        "16093",
        "16138",
    }


NOT_RESOLVED = {
    "empty": ("", None),
    "blank": (" \t\n", None),
    "digits": ("0123456789", None),
    "only a province": ("Hà Nội", "01"),
    "only a district": ("huyện Xín Mần, tỉnh Hà Giang", "08"),
    "an unknown commune in a known district": ("xã Zzz, Xín Mần, Hà Giang", "08"),
    "a town that was a district": ("thị xã Sa Pa, Lào Cai", "15"),
    "a name that is everywhere": ("Xã Tân Thành", None),
    "words": ("không rõ địa chỉ", None),
    "ten kilobytes": ("xã Chí Cà, " * 1000, None),
    "emoji": ("🏠🇻🇳👨‍👩‍👧", None),
    "a statement": ("'; DROP TABLE area; --", None),
    "a quarter of another ward": ("số 5 đường Lê Lợi", None),
    "control characters": ("\x00\x01\x1b[31m", None),
}


@pytest.mark.parametrize(("written", "province"), NOT_RESOLVED.values(), ids=NOT_RESOLVED.keys())
def test_unresolved(resolve, written, province):
    found = resolve.resolve(written)
    assert (found.commune_code, found.candidates, found.area_id) == (None, (), None)
    assert (found.province_code, found.confidence) == (province, 0.0)


def test_marks_that_turn_the_writing_direction_are_ignored(resolve):
    assert resolve.resolve("\u202exã Chí\u200f Cà, Xín\u200b Mần").commune_code == "01108"


@given(st.text(max_size=600))
@settings(max_examples=300)
def test_any_text_is_answered(resolve, written):
    found = resolve.resolve(written)
    assert isinstance(found, Resolution)
    assert len(found.candidates) <= MAX_CANDIDATES
    assert (found.commune_code is not None) == (len(found.candidates) == 1)


@given(
    st.lists(
        st.sampled_from(["xã", "p.", "tt", "q", "tp", "t", "hà", "giang", "tân", "1", ",", "-"])
    )
)
@settings(max_examples=300)
def test_any_order_of_address_words_is_answered_the_same_twice(resolve, pieces):
    written = " ".join(pieces)
    resolve.resolve.cache_clear()
    first = resolve.resolve(written)
    resolve.resolve.cache_clear()
    assert resolve.resolve(written) == first


@given(st.text(max_size=100))
def test_words_are_ascii_and_of_one_length(written):
    found = Words(written)
    assert all(key.isascii() and key for key in found.keys)
    assert len(found.keys) == len(found.marked) == len(found.spans) == len(found.starts)


FORMER = """
SELECT commune.full_name AS commune, district.full_name AS district, province.full_name AS province,
       (SELECT array_agg(new.code) FROM area_successor
          JOIN area AS new ON new.area_id = new_area_id
         WHERE old_area_id = commune.area_id) AS codes
  FROM area AS commune
  JOIN area AS district ON district.level = 'district' AND district.code = commune.parent_code
  JOIN area AS province ON province.level = 'province' AND province.valid_to IS NOT NULL
   AND province.code = commune.province_code
 WHERE commune.level = 'commune' AND commune.valid_to IS NOT NULL
"""


def test_every_former_commune_leads_to_all_its_successors(resolve, areas_conn):
    rows = areas_conn.execute(text(FORMER)).all()
    assert len(rows) == 10_035
    exact = 0
    for row in rows:
        written = f"{row.commune}, {row.district}, {row.province}"
        found = set(resolve.resolve(written).candidates)
        assert set(row.codes) <= found, written
        assert set(row.codes) <= set(resolve.resolve(plain(written)).candidates), plain(written)
        exact += found == set(row.codes)
    assert exact >= 10_030


def test_every_present_commune_leads_to_itself(resolve, areas_conn):
    rows = areas_conn.execute(
        text(
            "SELECT commune.code, commune.full_name AS name, province.full_name AS province "
            "FROM area AS commune JOIN area AS province ON province.code = commune.province_code "
            "AND province.level = 'province' AND province.valid_to IS NULL "
            "WHERE commune.level = 'commune' AND commune.valid_to IS NULL"
        )
    ).all()
    assert len(rows) == 3_321
    for row in rows:
        written = f"{row.name}, {row.province}"
        assert row.code in resolve.resolve(written).candidates, written
        assert row.code in resolve.resolve(plain(written)).candidates, plain(written)


def test_text_of_many_units_decides_none(resolve):
    assert resolve.resolve("xã tân tiến phường 1 " * 23).commune_code is None


def test_the_resolver_follows_the_gazetteer(areas_conn):
    before = resolver(areas_conn)
    assert resolver(areas_conn) is before
    assert before.resolve("xã Cõi Tiên").candidates == ()
    new = {"level": "commune", "code": "99999", "name": "Cõi Tiên", "full_name": "Xã Cõi Tiên"}
    new |= {"kind": "Xã", "name_key": "xa coi tien", "province_code": "19", "parent_code": "19"}
    areas_conn.execute(insert(area), [new])
    assert resolver(areas_conn).resolve("xã Cõi Tiên").candidates == ("99999",)


def test_no_areas_no_answer(conn):
    assert Resolver(conn).resolve("xã Chí Cà, Hà Giang") == Resolution()


@pytest.fixture
def command(monkeypatch, areas_conn):
    """The command line on the test's connection."""
    from contextlib import nullcontext

    monkeypatch.setattr(address, "database", lambda: nullcontext(areas_conn))
    return lambda *words: CliRunner().invoke(main, ["address", "resolve", *words])


def test_command_answers_one_text(command):
    done = command("xã Chí Cà, huyện Xín Mần, Hà Giang")
    assert done.exit_code == 0
    assert list(csv.DictReader(done.stdout.splitlines())) == [
        {
            "address": "xã Chí Cà, huyện Xín Mần, Hà Giang",
            "commune_code": "01108",
            "era": "former",
            "confidence": "1.0",
            "candidates": "01108",
        }
    ]


@pytest.mark.parametrize("header", ["address", "recorded_address", "dia_chi", "địa chỉ"])
def test_command_answers_a_file(command, tmp_path, header):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(f'{header}\n"Gia Sàng, TP. Thái Nguyên"\n\nnowhere\n', encoding="utf-8-sig")
    assert command(str(source), "--out", str(out)).exit_code == 0
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert [row["candidates"] for row in rows] == ["05443;05467", ""]
    assert [row["commune_code"] for row in rows] == ["", ""]


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"", 1, "is empty"),
        (b"a,b\n1,2\n", 1, "has no address column"),
        ("địa chỉ\nHuế\n".encode("cp1258", "ignore"), 1, "is not UTF-8"),
        (None, 2, "cannot be read"),
    ],
)
def test_command_refuses_with_a_message(command, tmp_path, content, code, message):
    source = tmp_path / "in.csv"
    if content is not None:
        source.write_bytes(content)
    done = command(str(source))
    assert done.exit_code == code
    assert message in done.stderr
