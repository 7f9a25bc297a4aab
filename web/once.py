"""What a page shows once after a redirect, such as a new token: sealed in the session's cookie."""

import base64
import binascii

from flask import session

from geo.accounts.sealing import seal, unseal
from geo.errors import UnavailableError

_PREFIX = "once."


def keep(what: str, text: str) -> None:
    """Keep a secret for the next page that asks for it; the cookie does not tell it."""
    session[_PREFIX + what] = base64.b64encode(seal(text, _PREFIX + what)).decode()


def take(what: str) -> str | None:
    """The secret that was kept, which is gone with that; None when there is none."""
    try:
        return unseal(base64.b64decode(session.pop(_PREFIX + what, "")), _PREFIX + what)
    except (UnavailableError, binascii.Error):
        return None
