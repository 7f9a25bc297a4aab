"""Hard addresses, each checked by hand: how people write, rename, mix the tiers and misspell."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text

from geo.addresses import Resolver

CHI_CA = "Xã Chí Cà|Huyện Xín Mần|Tỉnh Hà Giang"

# written → the former commune, its district and its province, as the decree of June 2025 has them
HARD = {
    "thon 3 xa chi ca huyen xin man tinh ha giang": CHI_CA,
    "Thôn 3 Chí Cà Xín Mần Hà Giang": CHI_CA,
    "chí cà xín mần hà giang": CHI_CA,
    "Tỉnh Hà Giang, huyện Xín Mần, xã Chí Cà": CHI_CA,
    "tinh ha giang huyen xin man xa chi ca thon 3": CHI_CA,
    "Hà Giang, Xín Mần, Chí Cà, thôn Chí Cà Thượng": CHI_CA,
    "xã Chí Cà, tỉnh Tuyên Quang": CHI_CA,
    "xã Chí Cà, huyện Xín Mần, tỉnh Tuyên Quang": CHI_CA,
    "X.Chí Cà H.Xín Mần T.Hà Giang": CHI_CA,
    "XÃ CHÍ CÀ - HUYỆN XÍN MẦN - TỈNH HÀ GIANG": CHI_CA,
    "xã Chí Kà, huyện Xín Mần, tỉnh Hà Giang": CHI_CA,
    "xã Chi Caf, huyện Xín Mần, Hà Giang": CHI_CA,
    "Chí Caf, Xín Mần, Hà Giang": CHI_CA,
    "xã Chí Cà, huyện Xín Mầm, tỉnh Hà Giang": CHI_CA,
    "xã Chí Cà, huyện Xín Mần, tỉnh Hà Dang": CHI_CA,
    "xã ChíCà, huyện XínMần, HàGiang": CHI_CA,
    "xã Chí Cà, huyện Xín Mần, Hà Tuyên": CHI_CA,
    "Phường Bến Nghé, Quận 1, Sài Gòn": "Phường Bến Nghé|Quận 1|Thành phố Hồ Chí Minh",
    "12 Lê Lợi, P. Bến Nghé Q1 TPHCM": "Phường Bến Nghé|Quận 1|Thành phố Hồ Chí Minh",
    "P1, Q.3, TP. HCM": "Phường 1|Quận 3|Thành phố Hồ Chí Minh",
    "F.5, Q.11, T.P Hồ Chí Minh": "Phường 5|Quận 11|Thành phố Hồ Chí Minh",
    "phường 05 quận 11 tp hcm": "Phường 5|Quận 11|Thành phố Hồ Chí Minh",
    "P. Thảo Điền, Quận 2, TP.HCM": "Phường Thảo Điền|Thành phố Thủ Đức|Thành phố Hồ Chí Minh",
    "Hiệp Phú, quận 9, Sài Gòn": "Phường Hiệp Phú|Thành phố Thủ Đức|Thành phố Hồ Chí Minh",
    "Linh Trung, Q. Thủ Đức, HCM": "Phường Linh Trung|Thành phố Thủ Đức|Thành phố Hồ Chí Minh",
    "ấp 3 xã Tân Phú Trung, Củ Chi, HCM": "Xã Tân Phú Trung|Huyện Củ Chi|Thành phố Hồ Chí Minh",
    "xã Ba Vì, huyện Ba Vì, Hà Tây": "Xã Ba Vì|Huyện Ba Vì|Thành phố Hà Nội",
    "phường Mộ Lao, Hà Đông, Hà Tây": "Phường Mộ Lao|Quận Hà Đông|Thành phố Hà Nội",
    "P. Tràng Tiền, Hoàn Kiếm, HN": "Phường Tràng Tiền|Quận Hoàn Kiếm|Thành phố Hà Nội",
    "TT Sóc Sơn, huyện Sóc Sơn, Hà Nội": "Thị trấn Sóc Sơn|Huyện Sóc Sơn|Thành phố Hà Nội",
    "TT. Sóc Sơn, Hòn Đất, Kiên Giang": "Thị trấn Sóc Sơn|Huyện Hòn Đất|Tỉnh Kiên Giang",
    "phường Sa Pa, thị xã Sapa, Lào Cai": "Phường Sa Pa|Thị xã Sa Pa|Tỉnh Lào Cai",
    "Tả Van, huyện Sa Pa, Lao Cai": "Xã Tả Van|Thị xã Sa Pa|Tỉnh Lào Cai",
    "xã Tả Van, Sa Pa, Hoàng Liên Sơn": "Xã Tả Van|Thị xã Sa Pa|Tỉnh Lào Cai",
    "xã Bản Phố, huyện Bắc Hà, Lào Cai": "Xã Bản Phố|Huyện Bắc Hà|Tỉnh Lào Cai",
    "Phố Ràng, Bảo Yên, Lào Cai": "Thị trấn Phố Ràng|Huyện Bảo Yên|Tỉnh Lào Cai",
    "TT Bằng Lũng, Chợ Đồn, Bắc Cạn": "Thị trấn Bằng Lũng|Huyện Chợ Đồn|Tỉnh Bắc Kạn",
    "xã Nghĩa Tá, Chợ Đồn, tỉnh Bắc Thái": "Xã Nghĩa Tá|Huyện Chợ Đồn|Tỉnh Bắc Kạn",
    "xã Nghĩa Tá, Chợ Đồn, Thái Nguyên": "Xã Nghĩa Tá|Huyện Chợ Đồn|Tỉnh Bắc Kạn",
    "P. Tân An, TP Ban Mê Thuột, Đắc Lắc": ("Phường Tân An|Thành phố Buôn Ma Thuột|Tỉnh Đắk Lắk"),
    "xã Ea Kao, Buôn Mê Thuột, Dak Lak": "Xã Ea Kao|Thành phố Buôn Ma Thuột|Tỉnh Đắk Lắk",
    "xa ea hleo huyen ea hleo daklak": "Xã Ea H'leo|Huyện Ea H'leo|Tỉnh Đắk Lắk",
    "xã Ea H’leo, Ea H’leo, Đăk Lăk": "Xã Ea H'leo|Huyện Ea H'leo|Tỉnh Đắk Lắk",
    "TT Đắc Mil, H. Đăk Mil, Đắc Nông": "Thị trấn Đắk Mil|Huyện Đắk Mil|Tỉnh Đắk Nông",
    "phường Thống Nhất, TP Kontum": "Phường Thống Nhất|Thành phố Kon Tum|Tỉnh Kon Tum",
    "P. Hoa Lư, TP Plei Ku, Gia Lai": "Phường Hoa Lư|Thành phố Pleiku|Tỉnh Gia Lai",
    "P.7 Đà Lạt": "Phường 7|Thành phố Đà Lạt|Tỉnh Lâm Đồng",
    "Bãi Cháy, Hạ Long, Quảng Ninh": "Phường Bãi Cháy|Thành phố Hạ Long|Tỉnh Quảng Ninh",
    "xã Thống Nhất, huyện Hoành Bồ, Quảng Ninh": (
        "Xã Thống Nhất|Thành phố Hạ Long|Tỉnh Quảng Ninh"
    ),
    "Cửa Ông, Cẩm Phả, Quảng Ninh": "Phường Cửa Ông|Thành phố Cẩm Phả|Tỉnh Quảng Ninh",
    "phường 1, TP Vũng Tàu, BR-VT": "Phường 1|Thành phố Vũng Tàu|Tỉnh Bà Rịa - Vũng Tàu",
    "khóm 5 thị trấn Năm Căn, Năm Căn, Cà Mau": "Thị trấn Năm Căn|Huyện Năm Căn|Tỉnh Cà Mau",
    "xã Đất Mũi, Ngọc Hiển, Minh Hải": "Xã Đất Mũi|Huyện Ngọc Hiển|Tỉnh Cà Mau",
    "TT Gành Hào, Đông Hải, Bạc Liêu": "Thị trấn Gành Hào|Huyện Đông Hải|Tỉnh Bạc Liêu",
    "TDP 4, P.Him Lam, Điện Biên Phủ": "Phường Him Lam|Thành phố Điện Biên Phủ|Tỉnh Điện Biên",
    "Nậm Kè, Mường Nhé, Điện Biên": "Xã Nậm Kè|Huyện Mường Nhé|Tỉnh Điện Biên",
    "thi tran muong te lai chau": "Thị trấn Mường Tè|Huyện Mường Tè|Tỉnh Lai Châu",
    "bản Hang Kia xã Hang Kia Mai Châu Hoà Bình": "Xã Hang Kia|Huyện Mai Châu|Tỉnh Hòa Bình",
    "xã Hang Kia, Mai Châu, Phú Thọ": "Xã Hang Kia|Huyện Mai Châu|Tỉnh Hòa Bình",
    "Chiềng Lề, Sơn La, Sơn La": "Phường Chiềng Lề|Thành phố Sơn La|Tỉnh Sơn La",
    "xã Nậm Păm, H. Mường La, Sơn La": "Xã Nậm Păm|Huyện Mường La|Tỉnh Sơn La",
    "TT Lao Bảo, Hướng Hoá, Quảng Trị": "Thị trấn Lao Bảo|Huyện Hướng Hóa|Tỉnh Quảng Trị",
    "Lao Bảo, Hướng Hóa, Bình Trị Thiên": "Thị trấn Lao Bảo|Huyện Hướng Hóa|Tỉnh Quảng Trị",
    "xã Na Ngoi, Kì Sơn, Nghệ Tĩnh": "Xã Na Ngoi|Huyện Kỳ Sơn|Tỉnh Nghệ An",
    "Cẩm Thanh, Hội An, Đà Nẵng": "Xã Cẩm Thanh|Thành phố Hội An|Tỉnh Quảng Nam",
    "xã Trà Leng, Nam Trà My, Quảng Nam": "Xã Trà Leng|Huyện Nam Trà My|Tỉnh Quảng Nam",
    "xã Trà Lheng, Nam Trà Mi, Quảng Nam": "Xã Trà Leng|Huyện Nam Trà My|Tỉnh Quảng Nam",
    "A Xan, Tây Giang, QN": "Xã A Xan|Huyện Tây Giang|Tỉnh Quảng Nam",
    "Hồ Thầu Hoàng Su Phì Hà Giang": "Xã Hồ Thầu|Huyện Hoàng Su Phì|Tỉnh Hà Giang",
    "Lũng Cu, Đồng Văn, Hà Giang": "Xã Lũng Cú|Huyện Đồng Văn|Tỉnh Hà Giang",
    "xã Lủng Cú - Đồng Văn - Hà Giang": "Xã Lũng Cú|Huyện Đồng Văn|Tỉnh Hà Giang",
    "huyện Côn Đảo, Bà Rịa - Vũng Tàu": "Đặc khu Côn Đảo||Thành phố Hồ Chí Minh",
    "huyện Lý Sơn, Quảng Ngãi": "Đặc khu Lý Sơn||Tỉnh Quảng Ngãi",
    "đ.khu Lý Sơn, Quảng Ngãi": "Đặc khu Lý Sơn||Tỉnh Quảng Ngãi",
}

_TODAY = """
SELECT DISTINCT new.code
  FROM area AS unit
  JOIN area AS province ON province.level = 'province' AND province.code = unit.province_code
   AND (province.valid_to IS NULL) = (unit.valid_to IS NULL)
  LEFT JOIN area AS district ON district.level = 'district' AND district.code = unit.parent_code
   AND unit.valid_to IS NOT NULL
  LEFT JOIN area_successor ON old_area_id = unit.area_id
  JOIN area AS new ON new.area_id = coalesce(new_area_id, unit.area_id)
 WHERE unit.level = 'commune' AND unit.full_name = :commune
   AND coalesce(district.full_name, '') = :district AND province.full_name = :province
"""


@pytest.fixture(scope="module")
def resolve(gazetteer_engine: Engine) -> Iterator[Resolver]:
    with gazetteer_engine.connect() as connection:
        yield Resolver(connection)


@pytest.mark.parametrize(("written", "meant"), HARD.items(), ids=HARD.keys())
def test_hard_address(resolve: Resolver, areas_conn: Connection, written: str, meant: str) -> None:
    commune, district, province = meant.split("|")
    named = {"commune": commune, "district": district, "province": province}
    today = set(areas_conn.scalars(text(_TODAY), named))
    assert today, "the table names no such commune"
    assert set(resolve.resolve(written).candidates) == today


NOT_GUESSED = {
    "a commune that no gazetteer holds": "xã Bông Lúa Vàng, huyện Xín Mần, tỉnh Hà Giang",
    "two letters of a short name": "xã Chuu Caa, huyện Xín Mần, tỉnh Hà Giang",
    "a misspelt name without anything that narrows it down": "xã Chí Caf",
    "another number": "Phường 99, Quận 3, Thành phố Hồ Chí Minh",
    "a misspelt province alone": "Hà Giangg",
}


@pytest.mark.parametrize("written", NOT_GUESSED.values(), ids=NOT_GUESSED.keys())
def test_not_guessed(resolve: Resolver, written: str) -> None:
    assert resolve.resolve(written).candidates == ()


def test_a_misspelt_name_is_less_sure(resolve: Resolver) -> None:
    right = resolve.resolve("xã Chí Cà, huyện Xín Mần, tỉnh Hà Giang")
    misspelt = resolve.resolve("xã Chí Kà, huyện Xín Mần, tỉnh Hà Giang")
    assert (right.confidence, misspelt.confidence) == (1.0, 0.75)
    assert misspelt.area_id == right.area_id


def test_an_exact_name_is_never_taken_for_a_misspelt_one(resolve: Resolver) -> None:
    # Xã Nấm Dẩn and xã Nàn Ma, Nàn Xỉn, Thèn Phàng are neighbours of one district.
    assert resolve.resolve("xã Nàn Ma, huyện Xín Mần, Hà Giang").matched[0].full_name == "Xã Nàn Ma"


def test_what_matched_is_told_with_the_words_it_was_read_from(resolve: Resolver) -> None:
    found = resolve.resolve("bản Nà Lốc, X. Chí Kà; h.Xín Mần (tỉnh Tuyên Quang)")
    assert [(m.level, m.full_name, m.text) for m in found.matched] == [
        ("hamlet", "bản Nà Lốc", "bản Nà Lốc"),
        ("commune", "Xã Chí Cà", "X. Chí Kà"),
        ("district", "Huyện Xín Mần", "h.Xín Mần"),
        ("province", "Tỉnh Tuyên Quang", "tỉnh Tuyên Quang"),
    ]
    assert all(m.area_id for m in found.matched[1:])
