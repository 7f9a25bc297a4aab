"""Texts: what counts as a reason, and which codes people take for the same."""

import pytest

from geo.text import fold_code, says_something


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("Đối chiếu hồ sơ giấy", True),
        ("QĐ 12/2026-UBND", True),
        ("QĐ 12/2026", False),
        ("xác minh", False),
        ("", False),
        ("." * 20, False),
        ("a" * 20, False),
        ("ab" * 10, False),
        ("abc" + "." * 10, False),
        ("\u200b" * 20, False),
        ("lý do\u200b\u200b\u200b\u200b\u200b\u200b", False),
        ("l ý   d o     c ó", False),
    ],
)
def test_a_reason_has_letters_and_more_than_one_of_them(reason: str, says: bool) -> None:
    assert says_something(reason) is says


@pytest.mark.parametrize("same", ["r-1", "R\u200b-1", "R.1", "r 1", "Ｒ－１", "R\u00ad1", "R–1"])
def test_codes_that_look_the_same_are_the_same(same: str) -> None:
    assert fold_code(same) == fold_code("R-1") == "r1"


def test_other_codes_stay_others() -> None:
    assert len({fold_code(code) for code in ("H1", "H2", "H12", "Đ1", "Б1", "--", "§")}) == 7
    assert fold_code("Hộ-Đá 7") == "hoda7"
    assert fold_code("H 1.11") == fold_code("h-1/11") == "h1-11" != fold_code("H 11.1")
