"""Personal IDs (số định danh cá nhân): sealed to store, a fingerprint to find, the end to show."""

import base64
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from geo.accounts import sealing
from geo.text import fold, fold_code

DIGITS = 12
_END = 3
# 12 digits that begin with the code of a province (001 to 099), in one or in groups with a sign
# between, and no other digit beside them; the end of a UUID is none.
_SIGN = "[ .\\-_\\u00a0\\u2007\\u2009\\u2010-\\u2013\\u202f]?"
_LIKELY = re.compile(
    r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"
    rf"|(?<![0-9])(?P<id>0{_SIGN}(?:0{_SIGN}[1-9]|[1-9]{_SIGN}[0-9])(?:{_SIGN}[0-9]){{9}})"
    rf"(?!{_SIGN}[0-9])"
).sub
_NAMED = re.compile(r"\b(cccd|cmnd|cmt|dinh danh|can cuoc|national ?id|personal ?id|id ?card)\b")
_NOT_WORDS = re.compile(r"[\W_]+")


def masked(end: str | None) -> str | None:
    """What is shown of an ID whose last digits are `end`; None for none."""
    return None if end is None else "•" * (DIGITS - _END) + end


def end_of(number: str) -> str:
    """The digits of an ID that are shown."""
    return number[-_END:]


def is_one(text: str) -> bool:
    """Whether a text has the form of an ID: 12 digits."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def hidden(text: str) -> str:
    """A text in which only the ends of likely IDs are left."""
    return _LIKELY(_masked_id, text)


def _masked_id(found: re.Match[str]) -> str:
    number = found["id"]
    if number is None:
        return found[0]
    return str(masked(end_of("".join(filter(str.isdigit, number)))))


def hidden_in(values: Mapping[str, object]) -> dict[str, object] | None:
    """Columns and values with their IDs masked, also inside lists and objects; None without any.

    In a column whose name says so every value is one, of any length.
    """
    changed = {
        name: new
        for name, value in values.items()
        if (new := _hidden(name, value)) is not value and new != value
    }
    return {**values, **changed} if changed else None


def _hidden(name: str, value: object) -> object:
    """The value itself where it holds no ID."""
    if isinstance(value, str):
        if says_id(name):
            return masked(end_of(value)) if value else value
        return hidden(value) if len(value) >= DIGITS else value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return hidden_in(value) or value
    if isinstance(value, list | tuple):
        parts = [_hidden(name, part) for part in value]
        return parts if any(a is not b for a, b in zip(parts, value, strict=True)) else value
    number = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if says_id(name):
        return masked(end_of(number))
    # A spreadsheet's number has lost the zeros in front.
    found = hidden(number.zfill(DIGITS)) if len(number) >= DIGITS - 1 else number
    return found if found.startswith("•") else value


@lru_cache(maxsize=4096)
def says_id(column: str) -> bool:
    """Whether a column's name says that it holds numbers of identity papers."""
    return _NAMED.search(_NOT_WORDS.sub(" ", fold(column))) is not None


def context(province_code: str, household_code: str) -> str:
    """Whose ID a sealed one is: it opens for no other household."""
    return f"household {province_code} {household_code}"


def code_text(household_code: str) -> str:
    """What stands for a removed household's code, however it is written, by its fingerprint."""
    return f"household code {fold_code(household_code)}"


def columns(
    numbers: Sequence[str | None], provinces: Sequence[str], codes: Sequence[str]
) -> dict[str, list[str | None]]:
    """The columns in which the IDs of n households are kept, as COPY takes them."""
    given = [i for i, number in enumerate(numbers) if number is not None]
    made: dict[str, list[str | None]] = {
        f"national_id_{part}": [None] * len(numbers) for part in ("sealed", "print", "end")
    }
    if not given:
        return made
    plain = [str(numbers[i]) for i in given]
    sealed = sealing.seals(plain, [context(provinces[i], codes[i]) for i in given])
    prints = sealing.fingerprints(plain)
    for i, number, box, found in zip(given, plain, sealed, prints, strict=True):
        made["national_id_sealed"][i] = f"\\x{box.hex()}"
        made["national_id_print"][i] = f"\\x{found.hex()}"
        made["national_id_end"][i] = end_of(number)
    return made


def values(number: str | None, province_code: str, household_code: str) -> dict[str, object]:
    """The same columns of one household, as SQLAlchemy takes them."""
    if number is None:
        return {f"national_id_{part}": None for part in ("sealed", "print", "end")}
    return {
        "national_id_sealed": sealing.seal(number, context(province_code, household_code)),
        "national_id_print": sealing.fingerprint(number),
        "national_id_end": end_of(number),
    }


def opened(sealed: bytes, province_code: str, household_code: str) -> str:
    """The ID in full; raises UnavailableError when it cannot be opened."""
    return sealing.unseal(bytes(sealed), context(province_code, household_code))


def aside(number: str, province_code: str, household_code: str) -> dict[str, str]:
    """An ID as JSON keeps it, in copies kept aside and in the history of corrections."""
    box = sealing.seal(number, context(province_code, household_code))
    return {"sealed": base64.b64encode(box).decode(), "end": end_of(number)}


def from_aside(kept: Mapping[str, str], province_code: str, household_code: str) -> str:
    """The ID that `aside` kept; raises UnavailableError when it cannot be opened."""
    return opened(base64.b64decode(kept["sealed"]), province_code, household_code)
