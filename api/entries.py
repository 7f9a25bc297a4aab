"""The entry that a request leaves in the access log, and changes that commit together with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import request
from sqlalchemy import Connection

from api import access
from api.access import caller
from geo import trail
from geo.accounts.roles import User

_SUBJECTS = {
    "/households/<": "household",
    "/sites/<": "site",
    "/surveys/<": "survey",
    "/photos/<": "photo",
}


@contextmanager
def change(action: str | None = None) -> Iterator[Connection]:
    """A transaction that changes something: its log entry is stored with it, or neither is.

    What the view knows of the change it must have told (`access.note`) before the block ends.
    """
    with access.begin(action) as conn:
        yield conn
        # Last, because other writers of the log wait until this transaction ends.
        trail.append(conn, of(200), durable=True)
    caller().recorded = True


def of(status: int) -> trail.Entry:
    """The entry of the present request, answered with `status`."""
    told = caller()
    note, user = told.note, told.user
    denied = told.denied or status in (401, 403) or _hidden(status)
    home = _home(user)
    subject, subject_id = (note.subject, note.subject_id) if note.subject else _named()
    return trail.Entry(
        account_id=note.account_id or (user.account_id if user else None),
        login=note.login or (user.login if user else ""),
        via=told.via or "none",
        address=request.remote_addr or "",
        action=note.action or told.action,
        route=f"{request.method} {request.url_rule.rule if request.url_rule else request.path}",
        subject=subject,
        subject_id=subject_id,
        province_code=note.province_code or home[0],
        commune_code=note.commune_code if note.province_code else home[1],
        # Of what was not answered all is kept that was asked, also where no view came to tell.
        query=note.query or (request.full_path.rstrip("?")[:500] if status >= 400 else ""),
        rows=note.rows if status < 400 else None,
        outcome="denied" if denied else ("allowed" if status < 400 else "failed"),
        reason=note.reason,
    )


def _hidden(status: int) -> bool:
    """Whether a single record was not there for the caller: it may well exist elsewhere."""
    return status == 404 and _named()[0] != ""


def _named() -> tuple[str, str]:
    """The record that the route names: kind and code, '' where it names none."""
    if request.url_rule is None or not request.view_args:
        return "", ""
    for part, subject in _SUBJECTS.items():
        if part in request.url_rule.rule:
            given = request.view_args
            names = (f"{subject}_code", f"{subject}_id", "code")
            return subject, str(next((given[name] for name in names if name in given), ""))
    return "", ""


def _home(user: User | None) -> tuple[str, str]:
    """Whose administrators see an entry that is about no area: those of the account's own."""
    if user is None:
        return "", ""
    first = next((one for one in user.assignments if one.area_code == user.home_code), None)
    return (first.province_code or "", first.commune_code) if first else ("", "")
