"""Answers in two forms: JSON for programmes, and a plain page of the same for people."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, render_template, request
from flask_babel import get_locale

from api.answers import json
from geo.errors import UsageError

JSON, HTML = "application/json", "text/html"
GEOJSON, SCHEMA = "application/geo+json", "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
FORMS = ("json", "html")

Link = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """A piece of text on a page, with the address that it leads to."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Table:
    """A table on a page, or a list where it has no head."""

    title: str
    rows: list[list[Cell]]
    head: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """What a page shows: under `crumbs` its title, what it is about, and tables."""

    title: str
    about: str
    tables: list[Table]
    crumbs: list[Cell] = field(default_factory=list)
    next_url: str = ""


def said(vi: str, en: str) -> str:
    """The words in the page's language."""
    locale = get_locale()
    return en if locale is not None and locale.language == "en" else vi


def address(*parts: str, **query: str) -> str:
    """The whole address of a resource below /ogc."""
    path = "/".join(quote(part, safe="") for part in parts)
    asked = f"?{urlencode(query)}" if query else ""
    return f"{request.url_root}ogc{'/' if path else ''}{path}{asked}"


def link(rel: str, href: str, kind: str = JSON, title: str = "", **more: Any) -> Link:
    """A link of an answer."""
    named = {"title": title} if title else {}
    return {"rel": rel, "type": kind, "href": href, **named, **more}


def written_base() -> str:
    """The address of the request without its parameters, fit to be written: percent-encoded."""
    named = (request.view_args or {}).get("feature_id", "")
    path = quote(request.path.removesuffix(named), safe="/") + quote(named, safe="")
    return f"{request.url_root.rstrip('/')}{path}"


def itself(kind: str = JSON) -> list[Link]:
    """The links of a resource to itself and to its other form."""
    given, base = request.args.to_dict(), written_base()
    own = f"{base}?{urlencode(given)}" if given else base
    alternate = f"{base}?{urlencode({**given, 'f': 'html'})}"
    return [
        link("self", own, kind, "This document"),
        link("alternate", alternate, HTML, "This document as a page"),
    ]


def for_people() -> bool:
    """Whether the request is for a page; raises UsageError for a form that does not exist."""
    chosen = request.args.get("f", FORMS[0])
    if chosen not in FORMS:
        raise UsageError(f"{chosen[:20]!r} is no form of this; f is one of: {', '.join(FORMS)}.")
    return prefers_page()


def prefers_page() -> bool:
    """Whether a person reads the answer, also where that tells of an error."""
    chosen = request.args.get("f")
    if chosen is None:
        kinds = request.accept_mimetypes
        return kinds.best_match((JSON, GEOJSON, SCHEMA, HTML), default=JSON) == HTML
    return chosen == "html"


def answer(value: object, page: Page, kind: str = JSON) -> Response:
    """A resource in the form that is asked for."""
    if for_people():
        text = render_template("ogc/page.html", page=page, said=said, other=_other_language())
        made = Response(text, content_type="text/html; charset=utf-8")
    else:
        made = json(value, kind)
    made.vary.add("Accept")
    return made


def _other_language() -> Cell:
    wanted, name = (("vi", "Tiếng Việt"), ("en", "English"))[said("vi", "en") == "vi"]
    return Cell(name, f"?{urlencode({**request.args.to_dict(), 'lang': wanted})}")
