"""JSON that requests send, read strictly: no lone surrogates, no endless nesting, no NaN."""

from typing import Any

import orjson
from flask import Flask
from flask.json.provider import DefaultJSONProvider


class StrictBodies(DefaultJSONProvider):
    """Flask's own for answers; what comes in must be JSON as its standard has it (RFC 8259)."""

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        """The value; raises ValueError, which the API answers with 400."""
        return orjson.loads(s)


def install(app: Flask) -> None:
    """Make `app` read bodies so."""
    app.json = StrictBodies(app)
