"""How the matrix asks and what it reads in answers: requests of people, texts of all formats."""

import io
import re
import sqlite3
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from pypdf import PdfReader
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from api.limits import limiter
from geo.accounts import sessions, store, tokens
from geo.db import become_runtime, translated_errors
from geo.scope import OPERATOR, Scope, bind
from geo.scope import of as scope_of
from tests import matrix_doubts, matrix_drawn, people
from tests import matrix_world as places
from tests.matrix_people import PEOPLE, Person
from tests.matrix_world import SPOTS, Ids
from web.app import create_app


class Row(NamedTuple):
    """A stored row: where it belongs, whose it is, and a digest of all its columns."""

    table: str
    province_code: str
    commune_code: str
    account_id: int | None
    digest: str


_DIGEST = "SELECT '{table}', {place}, {who}, md5(one::text) FROM {table} AS one"
_OWN = "one.province_code, one.commune_code"
_OF_TEAM = ", ".join(
    f"(SELECT of.{name} FROM team AS of WHERE of.team_id = one.team_id)"
    for name in ("province_code", "commune_code")
)
_TABLES = (
    *((name, _OWN, "NULL::bigint") for name in (
        "household", "household_status", "survey", "site", "site_stage", "finding",
        "verdict_history", "import_conflict", "commune_counter", "commune_revision", "site_due",
        "record_change", "team", "handover", "removed_household", "audit_item", "audit_decision",
        "revisit",
        "audit_sample", "audit_sample_item", "known_place", "photo", "address_fix", "audit_due",
        "tile_square", "tile_day", "tile_choice",
    )),
    *((name, _OWN, "one.account_id") for name in ("account", "account_role", "import_job")),
    *((name, "'', ''", "one.account_id") for name in ("login_session", "token")),
    ("team_member", _OF_TEAM, "NULL::bigint"),
)  # fmt: skip
"""Tables with what says where a row belongs and whose it is."""


@dataclass(frozen=True)
class Call:
    """One request. twin: the same about something that does not exist; `names` are what differs.

    action: what it needs where that is not what its route says. part: the name of the file's part.
    """

    path: str
    method: str = "GET"
    query: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    form: dict[str, Any] | None = None
    file: tuple[str, bytes] | None = None
    names: tuple[str, ...] = ()
    twin: "Call | None" = None
    action: str = ""
    part: str = "file"


@dataclass(frozen=True)
class Answer:
    """An answer, its body read as text whatever its format."""

    status: int
    kind: str
    headers: dict[str, str]
    body: bytes
    text: str


class World:
    """The world over one connection: every case is rolled back, every request a savepoint.

    runtime: whether requests work as the role that row-level security holds, as in the server.
    """

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.runtime = True
        self.app: Flask = create_app(self.begin)
        with conn.begin():
            bind(conn, OPERATOR)
            self.ids: Ids = places.build(conn)
            self.ids.samples = {key: matrix_drawn.add(conn, spot) for key, spot in SPOTS.items()}
            for key, spot in SPOTS.items():
                self.ids.decisions[key], self.ids.revisits[key] = matrix_doubts.add(conn, spot)
            self.entries = enter(conn, self.app)
        with self.case():
            self.figures = places.figure_marks(conn)
            self.stored = stored(conn)

    @contextmanager
    def begin(self, scope: Scope) -> Iterator[Connection]:
        """What the application opens transactions with."""
        before = scope_of(self.conn)
        try:
            with translated_errors(), self.conn.begin_nested():
                if self.runtime:
                    become_runtime(self.conn)
                bind(self.conn, scope)
                yield self.conn
                self.conn.execute(text("RESET ROLE"))
        finally:
            bind(self.conn, before)

    @contextmanager
    def case(self) -> Iterator[Connection]:
        """A case of the matrix, as the operator; all that happens in it is undone."""
        outer = self.conn.begin()
        bind(self.conn, OPERATOR)
        try:
            yield self.conn
        finally:
            outer.rollback()
            places.put_photos()  # files know no rollback

    def ask(self, person: Person, call: Call, **headers: str) -> Answer:
        """The answer to a person's request."""
        client = self.app.test_client()
        entry = self.entries.get(person.name, {})
        if "cookie" in entry:
            client.set_cookie("ancu", entry["cookie"])
            headers = {"X-CSRFToken": entry["csrf"], **headers}
        if "token" in entry:
            headers = {"Authorization": f"Bearer {entry['token']}", **headers}
        limiter.reset()  # nobody here is to be stopped for asking often
        form = None if call.form is None and call.file is None else dict(call.form or {})
        if call.file and form is not None:
            form[call.part] = (io.BytesIO(call.file[1]), call.file[0])
        made = client.open(
            call.path, method=call.method, query_string=call.query or None, json=call.json,
            data=form, headers=headers,
        )  # fmt: skip
        return _read(made)

    def leaks(self, person: Person, answer: Answer, call: Call) -> list[str]:
        """Marks in an answer that the person may not see; what the request itself said is none."""
        told = without(answer.text, call.names).lower()
        found = [
            mark
            for kind in "RPL"
            for spot in person.hidden(kind)
            for mark in ([spot.mark(kind)] + [spot.survey_mark] * (kind == "R"))
            if mark in told
        ]
        found += [one.national_id for one in person.hidden("I") if one.national_id in told]
        numbers = set(map(int, re.findall(r"\d{7,}", _joined(told))))
        for spot in person.hidden("F"):
            found += [f"figure {n} of {spot.key}" for n in numbers & self.figures[spot.key]]
        return found


def stored(conn: Connection) -> Counter[Row]:
    """Every row as (table, province, commune, account, digest); the log aside, which only grows."""
    parts = [_DIGEST.format(table=name, place=place, who=who) for name, place, who in _TABLES]
    return Counter(Row(*row) for row in conn.execute(text(" UNION ALL ".join(parts))))


def enter(conn: Connection, app: Flask) -> dict[str, dict[str, str]]:
    """Accounts of all PEOPLE, signed in: the cookie, the form token, the token of each."""
    serializer = app.session_interface.get_signing_serializer(app)
    forms = URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token")
    entries = {}
    for number, person in enumerate(PEOPLE.values()):
        if person.via == "nobody":
            continue
        held = [f"{role}@{SPOTS[place].code}" for role, place in person.held]
        account_id = people.add(conn, *held, login=f"tester{number}")
        entries[person.name] = {"account_id": str(account_id)}
        if person.via == "token":
            user = store.user_of(conn, account_id)
            _id, secret = tokens.make(conn, user, "Máy", [person.only], 7)
            entries[person.name]["token"] = secret
            continue
        raw = f"{number:040x}"
        secret = sessions.start(conn, account_id, "127.0.0.1", "tests")
        kept = {"_user_id": secret, "_fresh": True, "csrf_token": raw}
        entries[person.name] |= {
            "cookie": str(serializer.dumps(kept)),
            "csrf": str(forms.dumps(raw)),
            "secret": secret,
        }
    return entries


def without(told: str, names: tuple[str, ...]) -> str:
    """A text without what the request named, however it is written there."""
    for name in names:
        for form in (name, quote(name, safe=""), quote(name), quote_plus(name)):
            told = told.replace(form, "…")
    return told


def comparable(answer: Answer, call: Call) -> str:
    """What may not differ between what is hidden and what does not exist."""
    told = re.sub(r'nonce="[^"]*"|nonce-[\w-]+', "nonce", answer.text)
    # A form's token is made anew each second.
    told = re.sub(r'name="csrf[-_]token" (value|content)="[^"]*"', "token", told)
    told = re.sub(r"map_[0-9a-f]{32}|[0-9a-f]{32}", "map", told)
    return without(told, call.names)


def _read(made: TestResponse) -> Answer:
    body = made.get_data()
    kind = (made.content_type or "").split(";")[0]
    headers = {name: value for name, value in made.headers.items() if name not in _CHANGING}
    told = _AS_TEXT.get(kind, _plain)(body)
    made.close()
    return Answer(made.status_code, kind, headers, body, f"{told}\n{headers.get('Location', '')}")


_CHANGING = ("Date", "Set-Cookie", "Content-Security-Policy", "Content-Length")


def _plain(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _workbook(body: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        return "\n".join(_plain(packed.read(name)) for name in packed.namelist())


def _pdf(body: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)


def _geopackage(body: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".gpkg") as file:
        Path(file.name).write_bytes(body)
        base = sqlite3.connect(file.name)
        base.text_factory = lambda raw: raw.decode("utf-8", "replace")
        try:
            tables = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return "\n".join(
                str(row) for (name,) in tables for row in base.execute(f'SELECT * FROM "{name}"')
            )
        finally:
            base.close()


_AS_TEXT = {
    "application/pdf": _pdf,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _workbook,
    "application/geopackage+sqlite3": _geopackage,
}


def _joined(told: str) -> str:
    """Numbers without the marks between their thousands, whatever the language."""
    return re.sub(r"(?<=\d)[.,\u00a0\u202f ](?=\d{3}(?!\d))", "", told)
