"""Passwords: argon2id hashes, the rules for new ones, and random ones for first use."""

import re
import secrets
import unicodedata
from itertools import pairwise

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from geo.errors import RejectedError
from geo.text import fold

MIN_LENGTH = 12
MAX_LENGTH = 200
_MAX_TYPED = 4 * MAX_LENGTH
"""Code points that are looked at: a letter may be typed as one and two marks."""

_MIN_DIFFERENT = 5
_OBVIOUS = ("password", "matkhau", "mat khau", "qwerty", "asdfgh", "zxcvbn", "ancu", "an cu")
_OBVIOUS_MIN_OWN = 8
"""Letters that a password must have beside an obvious word, runs of digits not counted."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike: no i, l, o, 0, 1
_RANDOM_LENGTH = 24
_GROUP = 4

# RFC 9106's second recommended option (64 MiB, 3 passes, 4 lanes): a guess costs as much as a
# sign-in, and two server processes cannot be made to fill the memory.
_HASHER = PasswordHasher(
    time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=32, salt_len=16, type=Type.ID
)
_DUMMY = (
    "$argon2id$v=19$m=65536,t=3,p=4"
    "$w+an0Nx/ilPMqfHVLFQxoQ$IytbmVfQM5mouVL0XBzqAkf96G0VdXKNMYtavFE4bV0"
)
"""Compared with where there is no account, so that the answer takes as long; opens nothing."""


def hash_password(password: str) -> str:
    """The argon2id hash to store, with its parameters and salt."""
    return _HASHER.hash(_octets(password))


def verify(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one; without a stored one the same work, and False."""
    try:
        _HASHER.verify(stored or _DUMMY, _octets(password[:_MAX_TYPED]))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def check(password: str, *known: str) -> None:
    """Raise RejectedError unless the password can be used; `known`: login and names of its owner.

    Long enough, of several different characters, and not made of what others know or try first.
    """
    normal = _normal(password)
    if len(normal) < MIN_LENGTH:
        raise RejectedError(f"A password has at least {MIN_LENGTH} characters.")
    if len(normal) > MAX_LENGTH:
        raise RejectedError(f"A password has at most {MAX_LENGTH} characters.")
    if len(set(normal.casefold())) < _MIN_DIFFERENT or _is_sequence(normal.casefold()):
        raise RejectedError(
            "The password repeats too few characters or counts them up; choose another one."
        )
    if _made_of(normal, known):
        raise RejectedError(
            "The password is made of the login, the name or a word that is tried first; "
            "choose another one."
        )


def same(one: str, other: str) -> bool:
    """Whether two typed passwords are one."""
    return secrets.compare_digest(_octets(one), _octets(other))


def random_password() -> str:
    """A password of 118 bits in groups of four that can be read out: `abcd-efgh-…`."""
    chosen = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM_LENGTH))
    return "-".join(chosen[i : i + _GROUP] for i in range(0, _RANDOM_LENGTH, _GROUP))


def _octets(password: str) -> bytes:
    return _normal(password).encode("utf-8", "surrogatepass")


def _normal(password: str) -> str:
    """One form for all keyboards: the same letters typed composed or not, full-width or not."""
    return unicodedata.normalize("NFKC", password)


def _made_of(password: str, known: tuple[str, ...]) -> bool:
    folded = fold(password)
    words = [fold(word) for word in (*_OBVIOUS, *known)]
    for word in sorted(filter(lambda w: len(w) > 3, words), key=len, reverse=True):
        for form in (word, word.replace(" ", "")):
            if form in folded and len(re.sub(r"[\d ]", "", folded.replace(form, ""))) < (
                _OBVIOUS_MIN_OWN
            ):
                return True
    return False


def _is_sequence(text: str) -> bool:
    """Whether it only counts up or down: 123456789012, abcdefghijkl, or repeats a short part."""
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    if steps <= {1, -9} or steps <= {-1, 9}:
        return True
    return any(text == (text[:n] * len(text))[: len(text)] for n in range(1, 5))
