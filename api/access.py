"""Who asks, for what, and where: each route names its action, each transaction carries its scope.

`api/admission.py` admits or refuses a request by these names before its view runs.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from flask import Flask, current_app, g, has_request_context, request
from sqlalchemy import Connection

from geo import areas
from geo.accounts import passes, roles
from geo.accounts.roles import User
from geo.areas import Area
from geo.errors import ForbiddenError, SignInError
from geo.scope import NOBODY, Scope

Begin = Callable[[Scope], AbstractContextManager[Connection]]
View = TypeVar("View", bound=Callable[..., Any])

PUBLIC = "public"
"""A route that anybody may call, signed in or not."""
SIGNED_IN = "signed in"
"""A route for everybody who is signed in: names and borders of areas, one's own account."""
_LONGEST_QUERY = 1900


@dataclass
class Note:
    """What a view tells the access log about the request; the rest is known without it."""

    action: str = ""
    subject: str = ""
    subject_id: str = ""
    province_code: str = ""
    commune_code: str = ""
    query: str = ""
    rows: int | None = None
    reason: str = ""
    login: str = ""
    account_id: int | None = None
    durable: bool = False
    wanted: bool = False
    look: str = ""
    """Requests of one look leave one entry for a while; see api.looks."""


@dataclass
class Caller:
    """What is known of a request once it is admitted.

    denied: refused, although the answer leads elsewhere instead of saying 401 or 403.
    recorded: the log entry was stored with what the request changed.
    unproved: the pass that `user` rests on, until the first transaction has proved it.
    """

    user: User | None = None
    via: str = ""
    action: str = PUBLIC
    unsettled: str = ""
    denied: bool = False
    recorded: bool = False
    unproved: passes.Pass | None = None
    note: Note = field(default_factory=Note)


class PassOverError(Exception):
    """A pass that a request came with holds no more: who asks is to be read anew.

    Not one of `geo.errors`: it is never told to anybody.
    """


def needs(action: str) -> Callable[[View], View]:
    """Mark a view as for those who may do `action`; goes under the route's decorator."""
    if action not in roles.ACTIONS:
        raise KeyError(action)
    return _marked(action)


def public(view: View) -> View:
    """Mark a view as open to everybody."""
    return _marked(PUBLIC)(view)


def signed_in(view: View) -> View:
    """Mark a view as for everybody who is signed in."""
    return _marked(SIGNED_IN)(view)


def while_unsettled(view: View) -> View:
    """Let in also those who must first choose a password or set up their second factor."""
    cast(Any, view).while_unsettled = True
    return view


def proved_within(view: View) -> View:
    """A view whose first transaction, opened by `begin`, may prove who asks: one less a request.

    Only for views that read, and that tell nothing before they have opened it.
    """
    cast(Any, view).proved_within = True
    return view


def _marked(action: str) -> Callable[[View], View]:
    def mark(view: View) -> View:
        cast(Any, view).action = action
        return view

    return mark


def install(app: Flask, begin: Begin) -> None:
    """Give `app` its way to open a transaction."""
    app.extensions["ancu.begin"] = begin


def opener() -> Begin:
    """What the application opens transactions with."""
    return cast(Begin, current_app.extensions["ancu.begin"])


def caller() -> Caller:
    """The present request's caller; nobody outside of a request."""
    if not has_request_context():
        return Caller()
    if "caller" not in g:
        g.caller = Caller()
    return cast(Caller, g.caller)


def current() -> User:
    """Who is signed in; raises SignInError."""
    user = caller().user
    if user is None:
        raise SignInError("Sign in first.")
    return user


def may(action: str) -> bool:
    """Whether who asks may do the action anywhere."""
    user = caller().user
    return user is not None and user.may(action)


def scope(action: str | None = None) -> Scope:
    """The scope of a transaction for `action`, by default the route's own.

    Raises SignInError, ForbiddenError.
    """
    wanted = action or caller().action
    if wanted == PUBLIC:
        return NOBODY
    user = current()
    if wanted == SIGNED_IN:
        return Scope(write=True, account_id=user.account_id)
    reach = roles.reach(user, wanted)
    if reach.empty:
        raise ForbiddenError(f"Your roles do not allow this: {roles.ACTIONS[wanted].en}.")
    return reach


def seen(action: str | None = None) -> tuple[object, ...]:
    """The areas whose data an answer may show, for keys of answers that are kept."""
    held = scope(action)
    return (
        held.everything,
        held.figures_elsewhere,
        sorted(held.provinces),
        sorted(held.communes),
    )


@contextmanager
def begin(action: str | None = None) -> Iterator[Connection]:
    """A transaction for the current request, with the scope of its user and action.

    Raises PassOverError where it should have proved who asks and could not.
    """
    told = caller()
    with opener()(scope(action)) as conn:
        if told.unproved is not None:
            if not passes.holds(conn, told.unproved):
                raise PassOverError
            told.unproved = None
        yield conn


def asked(conn: Connection, code: str | None, action: str | None = None) -> Area:
    """The present area that a request asks for, by default its user's own.

    Raises NotFoundError for an unknown one, ForbiddenError unless all of it is the user's for the
    action; figures of other areas are the planner's, who gets them with small cells hidden.
    """
    wanted = action or caller().action
    user = current()
    area = areas.get(conn, code or own_area(user, wanted))
    told = note()
    told.province_code = area.province_code or ""
    told.commune_code = area.commune_code
    elsewhere = wanted == "figures.read" and user.may("figures.elsewhere")
    if not (elsewhere or roles.can(user, wanted, area)):
        raise ForbiddenError(f"{area.full_name} ({area.code}) is not one of your areas.")
    return area


def own_area(user: User, action: str) -> str:
    """The code of the area where the user begins: home, else the first that the action has."""
    held = [one.area_code for one in user.assignments if action in roles.ROLES[one.role].actions]
    return user.home_code if user.home_code in held or not held else held[0]


def note(**told: Any) -> Note:
    """Tell the access log more about this request; it is then sure to be logged."""
    kept = caller().note
    for name, value in told.items():
        setattr(kept, name, value)
    kept.wanted = kept.wanted or bool(told)
    return kept


def query_text() -> str:
    """The parameters of the request as the access log keeps them: each once, as it is understood.

    Of one that is given again and again only the first value counts, here as everywhere. What is
    cut at the end is told by a digest of the whole.
    """
    text = urlencode(request.args.to_dict(), safe=",:/@;")
    if len(text) <= _LONGEST_QUERY:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{text[:_LONGEST_QUERY]}… (sha256 {digest})"
