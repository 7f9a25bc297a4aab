"""What a request needs from the application that serves it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import cast

from flask import Flask, current_app
from sqlalchemy import Connection

Begin = Callable[[], AbstractContextManager[Connection]]


def install(app: Flask, begin: Begin) -> None:
    """Give `app` its way to open a transaction."""
    app.extensions["ancu.begin"] = begin


def begin() -> AbstractContextManager[Connection]:
    """A transaction for the current request: `with begin() as conn:`."""
    return cast(Begin, current_app.extensions["ancu.begin"])()
