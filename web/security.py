"""What keeps a page to itself: response headers, script nonces, and no posts from elsewhere."""

import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from api.admission import SAFE_METHODS
from api.hosts import is_known
from geo.config import settings
from geo.errors import UsageError
from web import basemap


def install(app: Flask) -> None:
    """Guard all of `app`'s answers and its posts."""
    trust_proxies(app)
    app.before_request(_refuse_foreign_names)
    app.before_request(_refuse_nul)
    app.before_request(_refuse_cross_site)
    app.after_request(_add_headers)
    app.jinja_env.globals["nonce"] = nonce


def trust_proxies(app: Flask) -> None:
    """Believe as many proxies as are configured about who asks, by what name and how."""
    count = settings().proxies
    if count:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )


def nonce() -> str:
    """The current answer's token; only inline scripts that carry it run."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def _refuse_foreign_names() -> None:
    """Refuse a request for another host: a foreign site can make its own name point here.

    Its pages would then be of the same origin as ours and could read all that is served.
    """
    if not is_known(urlsplit(f"//{request.host}").hostname):
        raise UsageError(
            f"“{request.host}” is not a name of this server; its administrator adds it to "
            "ANCU_TRUSTED_HOSTS."
        )


def _refuse_nul() -> None:
    """Refuse an address with a NUL character: no record holds one, and PostgreSQL takes none."""
    if "\0" in request.path or any("\0" in value for _name, value in request.args.items(True)):
        abort(400)


def _refuse_cross_site() -> None:
    """Refuse a changing request that another site's page made the browser send.

    Programs send neither header and pass; a browser always sends at least one of them.
    """
    if request.method in SAFE_METHODS:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(403)


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
    response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), payment=()")
    if settings().https:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        # What one person may see must not wait in a cache for the next.
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.vary.add("Cookie")
    response.headers.setdefault("Content-Security-Policy", _policy())
    return response


def _policy() -> str:
    # The API's own documentation pages carry inline scripts that cannot be given a nonce.
    inline = "'unsafe-inline'" if request.path.startswith("/openapi") else f"'nonce-{nonce()}'"
    tiles = basemap.origin()
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {inline}",
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' data: {tiles}".strip(),
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )
