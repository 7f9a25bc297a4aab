"""Vietnamese or English: chosen by ?lang=, remembered in a cookie, Vietnamese otherwise."""

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, Response, request
from flask_babel import Babel, Domain, get_locale

LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
COOKIE = "lang"
TIME_ZONE = "Asia/Ho_Chi_Minh"
CATALOGUES = Path(__file__).parent / "translations"
A_YEAR_S = 365 * 24 * 3600


def install(app: Flask) -> None:
    """Translate `app`'s pages; the source strings are Vietnamese."""
    babel = Babel(
        app, default_locale="vi", default_timezone=TIME_ZONE, locale_selector=chosen_language
    )
    babel.domain_instance = _Catalogues()
    app.after_request(_remember)


def chosen_language() -> str:
    """`vi` or `en` for the current request."""
    for wanted in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    return "vi"


def language() -> str:
    """The language that the current page is written in."""
    locale = get_locale()
    return locale.language if locale else "vi"


@lru_cache(maxsize=4)
def catalogue(code: str) -> NullTranslations:
    """The translations of one language, compiled in memory from its .po file.

    So no compiled file can be missing or out of date. Vietnamese has no catalogue.
    """
    path = CATALOGUES / code / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as source:
        messages = read_po(source, locale=code)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


class _Catalogues(Domain):
    def get_translations(self) -> NullTranslations:
        return catalogue(language())


def _remember(response: Response) -> Response:
    wanted = request.args.get("lang")
    if wanted in LANGUAGES:
        response.set_cookie(COOKIE, wanted, max_age=A_YEAR_S, samesite="Lax", path="/")
    return response
