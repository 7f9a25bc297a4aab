"""Forms that change something: done in one transaction, or refused in words beside the form."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from flask import request
from sqlalchemy import Connection

from api import entries
from api.errors import STATUS
from geo.errors import AncuError, UnavailableError
from web.own_areas import Option

Done = TypeVar("Done")


@dataclass(frozen=True)
class Refused:
    """Why a form was refused; `options` are the areas that a name in it may mean."""

    message: str
    status: int
    options: list[Option] = field(default_factory=list)


def typed(name: str) -> str:
    """What a field of the form holds, without NUL, which nothing stored can hold; '' if missing."""
    return request.form.get(name, "").replace("\0", "")


def all_typed() -> dict[str, str]:
    """The same of all fields: for the form that is shown again."""
    return {name: typed(name) for name in request.form}


def attempt(do: Callable[[Connection], Done]) -> Done | Refused:
    """What `do` returns, committed with its entry in the access log; or why nothing was stored."""
    try:
        with entries.change() as conn:
            return do(conn)
    except UnavailableError:
        raise
    except AncuError as error:
        status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
        return Refused(str(error), status, getattr(error, "options", []))
