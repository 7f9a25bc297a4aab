"""Passwords: what can be one, how it is stored, and how random ones are made."""

import unicodedata

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.accounts import passwords
from geo.errors import RejectedError

GOOD = "lúa-chín-vàng-óng"


@pytest.fixture(scope="module")
def stored() -> str:
    return passwords.hash_password(GOOD)


def test_the_hash_is_argon2id_of_rfc_9106s_second_option(stored):
    found = argon2.extract_parameters(stored)
    assert found == argon2.profiles.RFC_9106_LOW_MEMORY
    assert not passwords.needs_rehash(stored)


def test_a_hash_of_other_parameters_is_to_be_made_anew():
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=1024).hash(GOOD)
    assert passwords.needs_rehash(weak)
    assert passwords.verify(weak, GOOD)


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        (GOOD, True),
        (unicodedata.normalize("NFD", GOOD), True),
        (GOOD.replace("-", "－"), True),  # a full-width keyboard
        (GOOD.upper(), False),
        (GOOD + " ", False),
        ("", False),
        (GOOD * 10_000, False),
    ],
)
def test_only_the_same_letters_open_it_however_typed(stored, typed, right):
    assert passwords.verify(stored, typed) is right


def test_without_an_account_nothing_is_right_but_the_work_is_the_same():
    assert not passwords.verify(None, GOOD)
    assert not passwords.needs_rehash(passwords._DUMMY)  # the same parameters, the same work
    assert not passwords.verify("no hash at all", GOOD)


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "Correct Horse Battery",
        "mật khẩu của bà tôi rất dài",
        "x7#kQ2!mZp9w",
        "🌾🌾🍚🐃🐓🦆🐖🌱🌿🍃☘🍀",
        "tháng ba bà già đi biển",
    ],
)
def test_good_passwords_pass(password):
    passwords.check(password, "nguyen.van.a", "Nguyễn Văn A")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "at least 12"),
        ("x7#kQ2!mZp9", "at least 12"),
        ("e\u0301" * 8, "at least 12"),  # eight letters, however many code points
        ("a" * 201, "at most 200"),
        ("aaaaaaaaaaaaaa", "repeats too few"),
        ("abababababababab", "repeats too few"),
        ("abcdefghijklmn", "counts them up"),
        ("123456789012", "counts them up"),
        ("987654321098", "counts them up"),
        ("password1234", "tried first"),
        ("MatKhau@2026", "tried first"),
        ("Mật-khẩu-2026", "tried first"),
        ("qwertyuiop12", "tried first"),
        ("nguyen.van.a", "made of the login"),
        ("NguyenVanA2026", "made of the login"),
        ("Nguyễn Văn A 1990", "made of the login"),
    ],
)
def test_bad_passwords_are_refused_with_the_reason(password, said):
    with pytest.raises(RejectedError, match=said):
        passwords.check(password, "nguyen.van.a", "Nguyễn Văn A")


def test_a_random_password_can_be_read_out_and_used():
    made = [passwords.random_password() for _ in range(500)]
    assert len(set(made)) == 500
    for one in made:
        groups = one.split("-")
        assert [len(group) for group in groups] == [4] * 6
        assert not set(one) & set("ilo01")
        passwords.check(one, "admin", "Quản trị hệ thống")
    # 31 letters in 24 places: log2(31 ** 24) is 118.9.
    assert 31**24 > 2**100
    assert len(set("".join(made)) - {"-"}) == 31


@given(st.text(max_size=40))
def test_any_text_is_judged_without_fault(text):
    try:
        passwords.check(text, "an.nguyen", "Nguyễn An")
    except RejectedError:
        return
    assert len(text) >= 4
