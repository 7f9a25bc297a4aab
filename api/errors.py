"""Errors of the API and the tiles as `application/problem+json` (RFC 9457)."""

import logging
from http import HTTPStatus
from typing import Any, cast

import orjson
from flask import Response, request
from flask_openapi3 import OpenAPI
from pydantic import BaseModel, Field, ValidationError
from werkzeug.exceptions import HTTPException

from geo.errors import (
    AncuError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
    SignInError,
    UnavailableError,
    UsageError,
)

log = logging.getLogger(__name__)

STATUS: dict[type[AncuError], int] = {
    UsageError: 400,
    SignInError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    RejectedError: 422,
    UnavailableError: 503,
}


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field("about:blank", description="Always about:blank: status and title tell.")
    title: str
    status: int
    detail: str = Field(description="What is wrong and what to do.")
    problems: list[dict[str, str | None]] = Field(
        default=[], description="Each thing that is wrong: where (parameter or line) and reason."
    )


PROBLEMS: dict[str | int | HTTPStatus, Any] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    for status in (400, 401, 403, 404, 429, 503)
}


def problem(
    status: int, detail: str, problems: list[dict[str, str | None]] | None = None
) -> Response:
    """The answer that tells of an error."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "problems": problems or [],
    }
    answer = Response(orjson.dumps(body), status, content_type="application/problem+json")
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def register(app: OpenAPI) -> None:
    """Answer every error of `app` with a problem; a factory may answer people's pages otherwise."""
    app.register_error_handler(AncuError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
    app.validation_error_callback = invalid
    app.validation_error_status = "400"
    app.validation_error_model = Problem


def invalid(error: ValidationError) -> Response:
    """A request whose parameters do not fit: each is named."""
    parts = [_invalid_part(dict(one)) for one in error.errors()]
    named = "; ".join(f"{part['where']}: {part['reason']}" for part in parts)
    return problem(400, f"The request does not fit: {named}", parts)


def _invalid_part(error: dict[str, Any]) -> dict[str, str | None]:
    where = ".".join(map(str, error["loc"])) or "request"
    reason = str(error["msg"]).removeprefix("Value error, ")
    return {"where": where, "reason": reason}


def _ours(error: AncuError) -> Response:
    status = STATUS.get(type(error), 500)
    parts = [
        {"where": None if line is None else f"line {line}", "reason": reason}
        for line, reason in getattr(error, "problems", [])
    ]
    return problem(status, str(error), parts)


def _http(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 500) < 400:
        return cast(Response, error.get_response())
    answer = problem(error.code or 500, error.description or "")
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            answer.headers[name] = value
    return answer


def _unexpected(_error: Exception) -> Response:
    log.exception("A request failed: %s %s", request.method, request.path)
    return problem(500, "Something failed here. It is in the server's log; try again later.")
