"""What `geo` says in English, in the language of the page that shows it.

The command line and the API stay English. Pages look a finished message up among the templates of
translations/vi/LC_MESSAGES/geo.po and fill its values into the Vietnamese one.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from babel.messages.pofile import read_po
from flask import Flask

from web.language import CATALOGUES, language

CATALOGUE = CATALOGUES / "vi" / "LC_MESSAGES" / "geo.po"
NESTED = "reason"
"""The placeholder whose value is a message itself."""

MAX_PARTS = 60
MAX_DEPTH = 3
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_PREFIXED = re.compile(r"([a-z][a-z0-9_]*): (.+)", re.DOTALL)
_QUOTED = re.compile(r"'[^']*'").fullmatch
_DECIMAL = re.compile(r"-?\d+\.\d+").fullmatch
_BETWEEN = "; "


def install(app: Flask) -> None:
    """Give templates the filter `in_words`."""
    app.jinja_env.filters["in_words"] = lambda message: in_words(message, language())


def in_words(message: str, wanted: str) -> str:
    """A message of `geo` in the language `wanted`; as it is in English or when it is unknown.

    Reasons joined by “; ” and reasons behind “column: ” are translated one by one. Names of
    columns and values stay as they are but for decimal commas and quotation marks; the result is
    plain text, not HTML.
    """
    if wanted != "vi":
        return message
    return _joined(message.split(_BETWEEN)) or message


@dataclass(frozen=True)
class Template:
    """A message with places for values: its fixed parts around the names of the values."""

    fixed: tuple[str, ...]
    names: tuple[str, ...]
    translation: str = ""

    @classmethod
    def of(cls, text: str, translation: str = "") -> "Template":
        """From text with names in braces, such as `{value} is not a number`."""
        parts = _PLACEHOLDER.split(text)
        return cls(tuple(parts[::2]), tuple(parts[1::2]), translation)

    def values(self, message: str) -> dict[str, str] | None:
        """The values in a message that was made of this template, else None.

        Each fixed part is taken where it comes first, so that the time is linear in the
        message's length whatever it holds; a regular expression's would not be.
        """
        first, last = self.fixed[0], self.fixed[-1]
        if not self.names:
            return {} if message == first else None
        if not message.startswith(first) or not message.endswith(last):
            return None
        at, end = len(first), len(message) - len(last)
        bounds = [(0, at)]
        for part in self.fixed[1:-1]:
            found = message.find(part, at, end)
            if found < 0:
                return None
            at = found + len(part)
            bounds.append((found, at))
        if at > end:
            return None
        bounds.append((end, len(message)))
        found_values = [message[a:b] for (_, a), (b, _) in pairwise(bounds)]
        return dict(zip(self.names, found_values, strict=True))

    def filled(self, values: dict[str, str]) -> str:
        """The translation with `values` in it."""
        return _PLACEHOLDER.sub(lambda match: values[match[1]], self.translation)


@lru_cache(maxsize=1)
def templates() -> tuple[Template, ...]:
    """All that the catalogue holds, those that fix most of a message first."""
    with CATALOGUE.open("rb") as file:
        entries = [(str(m.id), str(m.string)) for m in read_po(file, locale="vi") if m.id]
    made = (Template.of(text, translation) for text, translation in entries)
    return tuple(sorted(made, key=lambda template: -sum(map(len, template.fixed))))


def _joined(parts: list[str]) -> str | None:
    """Reasons that stood joined, translated and joined again; None unless all are known.

    A reason may hold “; ” itself, so each takes as few parts as make a known one, and the rest
    must be known too.
    """
    if len(parts) > MAX_PARTS:
        return _behind_column(_BETWEEN.join(parts))
    behind: list[list[str] | None] = [[]]  # the translations of all parts from one on
    for start in reversed(range(len(parts))):
        behind.insert(0, None)
        for end in range(start + 1, len(parts) + 1):
            rest = behind[end - start]
            if rest is None:
                continue
            said = _behind_column(_BETWEEN.join(parts[start:end]))
            if said is not None:
                behind[0] = [said, *rest]
                break
    return None if behind[0] is None else _BETWEEN.join(behind[0])


def _behind_column(message: str) -> str | None:
    """One reason translated, with or without the column that it is about; None if unknown."""
    prefixed = _PREFIXED.fullmatch(message)
    if prefixed and (said := _one(prefixed[2])) is not None:
        return f"{prefixed[1]}: {said}"
    return _one(message)


def _one(message: str, depth: int = 0) -> str | None:
    for template in templates():
        values = template.values(message)
        if values is not None:
            shown = {name: _shown(name, value, depth) for name, value in values.items()}
            return template.filled(shown)
    return None


def _shown(name: str, value: str, depth: int) -> str:
    if name == NESTED:
        return (depth < MAX_DEPTH and _one(value, depth + 1)) or value
    if _QUOTED(value):
        return f"“{value[1:-1]}”"
    return value.replace(".", ",") if _DECIMAL(value) else value
