"""The auditors' desk: what its address asks for, and links that change a part of that."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from api.params import VIETNAM
from geo import rules
from geo.areas import Area
from geo.audit.queue import ALL, DECIDED, Asked
from geo.audit.repairs import Key
from geo.audit_tables import STATES, SUBJECTS
from geo.errors import UsageError
from web import labels

FILTERS = ("area", "state", "rule", "verdict", "enumerator", "device", "since", "until")
PAGED = ("cursor", "before")
CHOICE = ("case", "item", "survey", "commune", "done")
FIRST = "0"
"""Stands for the first page, which has no cursor, among those before the present one."""
_MOST_BEFORE = 20


@dataclass(frozen=True)
class Desk:
    """The parameters of a desk's address, cleaned; unknown ones are dropped."""

    given: Mapping[str, str]

    @classmethod
    def of(cls, args: Mapping[str, str]) -> "Desk":
        """From the parameters of a request."""
        names = (*FILTERS, *PAGED, *CHOICE)
        kept = {name: str(args[name]).strip()[:400] for name in names if name in args}
        return cls({name: value for name, value in kept.items() if value and "\0" not in value})

    @classmethod
    def read(cls, query: str) -> "Desk":
        """From the query of an address that a form carries."""
        return cls.of(dict(parse_qsl(query[:4000])))

    def get(self, name: str) -> str:
        """A parameter, '' where it is not given."""
        return self.given.get(name, "")

    def asked(self, area: Area) -> Asked:
        """What the queue is asked for; raises UsageError for a day that cannot be."""
        return Asked(
            area,
            state=_one_of(self.get("state"), (*STATES, DECIDED, ALL)) or "open",
            rule=_one_of(self.get("rule"), rules.RULES),
            verdict=_one_of(self.get("verdict"), labels.VERDICTS),
            enumerator=self.get("enumerator") or None,
            device_id=self.get("device") or None,
            since=day_or_none(self.get("since")),
            until=day_or_none(self.get("until")),
        )

    def filtered(self) -> bool:
        """Whether anything but the area is chosen."""
        return any(self.get(name) for name in FILTERS if name != "area")

    def link(self, endpoint: str = "audit.index", **changes: Any) -> str:
        """An address of the desk with some parameters changed, or removed by None."""
        query = {k: v for k, v in ({**self.given} | changes).items() if v not in (None, "")}
        return url_for(endpoint) + ("?" + urlencode(query) if query else "")

    def list_link(self, **changes: Any) -> str:
        """The same from the first page on and with nothing chosen."""
        none: dict[str, Any] = dict.fromkeys((*PAGED, *CHOICE))
        return self.link(**none | changes)

    def pages(
        self, next_cursor: str | None, endpoint: str = "audit.index"
    ) -> tuple[str | None, str | None]:
        """The addresses of the page before and of the next one."""
        none: dict[str, Any] = dict.fromkeys(CHOICE)
        trail = [one for one in self.get("before").split(".") if one]
        before = after = None
        if self.get("cursor"):
            last = trail[-1] if trail else FIRST
            cursor = None if last == FIRST else last
            before = self.link(endpoint, **none, cursor=cursor, before=".".join(trail[:-1]))
        if next_cursor:
            trail = [*trail, self.get("cursor") or FIRST][-_MOST_BEFORE:]
            after = self.link(endpoint, **none, cursor=next_cursor, before=".".join(trail))
        return before, after

    def query(self) -> str:
        """The filters and the page, for a form to come back to."""
        kept = {name: self.get(name) for name in (*FILTERS, *PAGED)}
        return urlencode({name: value for name, value in kept.items() if value})


def case_text(province_code: str, case_key: str) -> str:
    """A case as addresses and forms write it."""
    return f"{province_code}:{case_key}"


def read_case(text: str) -> tuple[str, str] | None:
    """The province and key of a case; None where it is none."""
    province_code, colon, case_key = text.partition(":")
    return (province_code, case_key) if colon and case_key else None


def key_text(key: Key) -> str:
    """A survey or site as addresses and forms write it."""
    return ":".join(key)


@dataclass(frozen=True)
class Pick:
    """A case that is ticked in the list: how far decisions were known, and which rows it had."""

    newest: int
    rows: int
    mark: int
    case: tuple[str, str]

    def text(self) -> str:
        """As the form carries it."""
        return f"{self.newest}.{self.rows}.{self.mark}:{case_text(*self.case)}"

    @classmethod
    def read(cls, text: str) -> "Pick | None":
        """From a form; None where it is none."""
        told, _colon, name = text.partition(":")
        case = read_case(name)
        if case is None or not re.fullmatch(r"\d{1,18}\.\d{1,9}\.-?\d{1,18}", told, re.ASCII):
            return None
        newest, rows, mark = (int(number) for number in told.split("."))
        return cls(newest, rows, mark, case)


def ticked(form: MultiDict[str, str]) -> tuple[set[str], set[str]]:
    """The cases and the rows that a form ticked, as case_text and key_text write them."""
    cases = {text.partition(":")[2] for text in form.getlist("pick")}
    return cases, {text.partition(":")[2] for text in form.getlist("subject")}


def read_key(text: str) -> Key | None:
    """The survey or site that a text names; None where it names none."""
    parts = text.split(":", 3)
    return Key(*parts) if len(parts) == 4 and parts[0] in SUBJECTS else None


def day_or_none(text: str) -> date | None:
    """The day that is asked for; raises UsageError for one that cannot be."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if day == date.max:  # which has no next day, either
        raise UsageError(
            _("Không có ngày “%(day)s”. Viết ngày theo dạng 2026-12-31.", day=text[:20])
        )
    return day


def today() -> date:
    """The present day in Viet Nam."""
    return datetime.now(VIETNAM).date()


def _one_of(value: str, allowed: Any) -> str | None:
    return value if value in allowed else None
