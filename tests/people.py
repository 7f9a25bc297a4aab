"""People for the tests: accounts with roles, signed in, as the application meets them."""

import secrets
from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Connection, func, insert, select

from geo import areas
from geo.account_tables import account, account_role
from geo.accounts import roles, sessions
from geo.areas import COUNTRY

EVERYTHING = tuple(f"{role}@{COUNTRY}" for role in roles.ROLES)


class SignedInClient(FlaskClient):
    """A browser that is signed in and sends the form token with what changes something."""

    csrf = ""

    def open(self, *args, **kwargs):
        if self.csrf and kwargs.get("method", "GET") not in ("GET", "HEAD"):
            kwargs["headers"] = {**dict(kwargs.get("headers") or {}), "X-CSRFToken": self.csrf}
        return super().open(*args, **kwargs)


def add(conn: Connection, *held: str, login: str | None = None, settled: bool = True) -> int:
    """An account with roles such as `officer@19`; its home is the first one's area."""
    where = [one.split("@") for one in held] or [["", COUNTRY]]
    province, commune = _place(conn, where[0][1])
    now = datetime.now(UTC) if settled else None
    number = conn.execute(select(func.count()).select_from(account)).scalar_one()
    account_id = conn.execute(
        insert(account)
        .values(
            login=login or f"user{number}",
            full_name=f"Người {number}",
            province_code=province,
            commune_code=commune,
            must_change_password=not settled,
            totp_confirmed_at=now,
        )
        .returning(account.c.account_id)
    ).scalar_one()
    for role, code in where:
        if role:
            give(conn, account_id, role, code)
    return account_id


def give(conn: Connection, account_id: int, role: str, code: str) -> None:
    """Give an account a role in an area."""
    province, commune = _place(conn, code)
    conn.execute(
        insert(account_role).values(
            account_id=account_id,
            role=role,
            area_code=code,
            province_code=province,
            commune_code=commune,
        )
    )


def _place(conn: Connection, code: str) -> tuple[str, str]:
    """How the tables hold an area; the country needs no gazetteer."""
    if code == COUNTRY:
        return "", ""
    made = roles.assignment("", areas.get(conn, code))
    return made.province_code or "", made.commune_code


def client(app: Flask, conn: Connection, *held: str, account_id: int | None = None) -> FlaskClient:
    """A signed-in browser of a new account with these roles, by default all in the country."""
    who = account_id or add(conn, *(held or EVERYTHING))
    app.test_client_class = SignedInClient
    made = app.test_client()
    raw = secrets.token_hex(20)
    with made.session_transaction() as kept:
        kept.update(_kept(conn, who), csrf_token=raw)
    assert isinstance(made, SignedInClient)
    made.csrf = str(URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(raw))
    return made


def cookie(app: Flask, conn: Connection, *held: str) -> dict[str, str]:
    """The cookie of a new signed-in account, for a real browser: name, value and path."""
    who = add(conn, *(held or EVERYTHING))
    serializer = app.session_interface.get_signing_serializer(app)
    return {"name": "ancu", "value": str(serializer.dumps(_kept(conn, who))), "path": "/"}


def _kept(conn: Connection, account_id: int) -> dict[str, object]:
    """What Flask-Login keeps in the cookie of a session that just began."""
    return {"_user_id": sessions.start(conn, account_id, "127.0.0.1", "tests"), "_fresh": True}
