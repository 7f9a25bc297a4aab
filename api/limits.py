"""Limits on how often one address may ask, counted in each server process.

They keep the service usable; what guards passwords is the lock of the account itself.
"""

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from api import admission, counts
from geo.config import settings

SIGN_IN = "30 per minute"

limiter = Limiter(
    get_remote_address,
    default_limits=[lambda: f"{settings().rate_per_minute} per minute"],
    storage_uri=f"{counts.SCHEME}://",
)


def install(app: Flask) -> None:
    """Limit all requests of `app` but those for its own files."""
    limiter.init_app(app)
    limiter.request_filter(_is_static)
    limiter.request_filter(_is_known_map)
    app.after_request(_say_when)


def _is_static() -> bool:
    return request.endpoint == "static"


def _is_known_map() -> bool:
    """Whether somebody known asks for a tile: a look at a map asks dozens."""
    return request.endpoint == "tiles.tile" and admission.is_known()


def _say_when(response: Response) -> Response:
    """Tell a client that asked too often when to come again; the limits are by the minute."""
    if response.status_code == 429:
        response.headers["Retry-After"] = "60"
    return response
