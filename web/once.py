"""What a page shows once after a redirect, such as a new token: kept with the session's row."""

from typing import cast

from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Connection

from api.access import caller
from api.admission import SignedIn
from geo.accounts import once
from geo.errors import ForbiddenError


def keep(conn: Connection, what: str, text: str) -> None:
    """Keep a secret for the session's next page that asks for it; the cookie has nothing of it.

    Raises ForbiddenError for a token, which no page is shown to.
    """
    secret = _session()
    if secret is None:
        raise ForbiddenError(_("Mã truy cập không mở trang; hãy đăng nhập hoặc dùng API."))
    once.keep(conn, secret, what, text)


def take(conn: Connection, what: str) -> str | None:
    """The secret that was kept, which is gone with that; None when there is none."""
    secret = _session()
    return None if secret is None else once.take(conn, secret, what)


def _session() -> str | None:
    """The secret of the session that asks."""
    return cast(SignedIn, current_user).secret if caller().via == "session" else None
