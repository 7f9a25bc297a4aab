"""Districts written alone decide no commune; what an address says of today is preferred."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from geo.addresses import Resolver
from geo.addresses.lookalikes import lookalike

KINDS = {
    "Huyện": ("H.", "H", "huyện", "HUYỆN"),
    "Thành phố": ("TP", "TP.", "T.P", "thành phố"),
    "Thị xã": ("TX", "TX.", "T.X.", "thị xã"),
    "Quận": ("Q.", "Q", "quận"),
}
LIMIT = 0.6
NOT_YET = ("Bà Rịa - Vũng Tàu", "Từ Liêm")
"""Names whose parts are communes themselves; still read as these."""


@pytest.fixture(scope="module")
def resolve(gazetteer_engine: Engine) -> Iterator[Resolver]:
    with gazetteer_engine.connect() as connection:
        yield Resolver(connection)


@pytest.fixture(scope="module")
def districts(gazetteer_engine: Engine) -> list[tuple[str, str, str]]:
    """Kind, name and province of the former districts that had communes."""
    with gazetteer_engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT DISTINCT d.full_name, p.full_name FROM area d"
                " JOIN area p ON p.level = 'province' AND p.code = d.province_code"
                " AND p.valid_to IS NOT NULL"
                " WHERE d.level = 'district' AND EXISTS (SELECT FROM area c"
                "  WHERE c.level = 'commune' AND c.parent_code = d.code AND c.valid_to IS NOT NULL)"
            )
        ).all()
    return [
        (kind, full[len(kind) + 1 :], province)
        for full, province in rows
        for kind in KINDS
        if full.startswith(f"{kind} ")
    ]


@pytest.mark.parametrize("head", ["", "Thôn 3, "])
@pytest.mark.parametrize("short", [False, True])
def test_a_district_alone_decides_no_commune(
    resolve: Resolver, districts: list[tuple[str, str, str]], head: str, short: bool
) -> None:
    assert len(districts) > 680
    wrong = []
    for kind, name, province in districts:
        upper = province.removeprefix("Tỉnh ").removeprefix("Thành phố ") if short else province
        for written in KINDS[kind]:
            address = f"{head}{written} {name}, {upper}"
            if any(part in address for part in NOT_YET):
                continue
            found = resolve.resolve(address)
            if found.commune_code and found.confidence >= LIMIT:
                wrong.append((address, found.commune_code, found.confidence))
    assert wrong == []


@pytest.mark.parametrize(
    "address",
    ["Thành phố Huế", "12 Lê Lợi, thành phố Huế", "Tổ 5, Thành phố Huế", "TO 5, THANH PHO HUE"],
)
def test_a_city_is_not_split_into_a_street_s_name(resolve: Resolver, address: str) -> None:
    found = resolve.resolve(address)
    assert (found.province_code, found.commune_code) == ("46", None)


def test_a_name_that_begins_with_phố_is_still_found(resolve: Resolver) -> None:
    assert resolve.resolve("Phố Ràng, Bảo Yên, Lào Cai").commune_code == "02947"


@pytest.mark.parametrize(
    "address",
    [
        "xãTam Tiến, huyệnYên Thế",
        "XãTam Tiến, HuyệnYên Thế, TỉnhBắc Giang",
        "xaTam Tien, huyenYen The, tinhBac Giang",
    ],
)
def test_a_kind_glued_to_its_name_is_cut_off(resolve: Resolver, address: str) -> None:
    assert resolve.resolve(address).commune_code == "07264"


def test_look_alikes_with_h_and_with_huyện_are_read_alike(resolve: Resolver) -> None:
    short, full = "Thôn 3, H. Yên Thế, Bắc Giang", "Thôn 3, huyện Yên Thế, Bắc Giang"
    a, b = resolve.resolve(short), resolve.resolve(full)
    assert (a.candidates, a.province_code) == (b.candidates, b.province_code) == ((), "24")
    assert lookalike(short, 0).key == lookalike(full, 0).key


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("xã Tam Hiệp, Yên Thế, Bắc Giang (nay là xã Tam Tiến, Bắc Ninh)", "07264"),
        ("Thôn Đông, xã Tam Hiệp, Yên Thế, Bắc Giang (nay là xã Tam Tiến, Bắc Ninh)", "07264"),
        ("thon dong, xa tam hiep, yen the, bac giang nay la xa tam tien, bac ninh", "07264"),
        ("xã Tam Hiệp, Yên Thế, Bắc Giang, hiện nay thuộc xã Tam Tiến, tỉnh Bắc Ninh", "07264"),
        ("xã Tam Hiệp (nay là xã Tam Tiến), tỉnh Bắc Ninh", "07264"),
        ("xã Tam Tiến, tỉnh Bắc Ninh (trước đây là xã Tam Hiệp, Yên Thế, Bắc Giang)", "07264"),
        ("xã Tam Tiến, tỉnh Bắc Ninh, cũ là xã Tam Hiệp, Yên Thế, Bắc Giang", "07264"),
        ("xã Tam Tiến (xã Tam Hiệp cũ), tỉnh Bắc Ninh", "07264"),
        ("trước: xã Tam Hiệp, nay: xã Tam Tiến, Bắc Ninh", "07264"),
    ],
)
def test_what_is_said_of_today_is_preferred(resolve: Resolver, address: str, code: str) -> None:
    found = resolve.resolve(address)
    assert (found.commune_code, found.confidence >= LIMIT) == (code, True)


def test_without_a_commune_said_of_today_the_former_one_is_read(resolve: Resolver) -> None:
    former = "xã Chí Cà, Xín Mần, Hà Giang"
    assert resolve.resolve(f"{former} (nay là tỉnh Tuyên Quang)").commune_code == "01108"
