"""Intake over HTTP: households, surveys and sites as JSON or as an uploaded file."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from werkzeug.datastructures import FileStorage

from api import answers
from api.access import needs, note
from api.entries import change
from api.errors import PROBLEMS, problem
from geo.errors import RejectedError, UsageError
from geo.intake import imports
from geo.intake.records import MODELS
from geo.intake.session import ImportReport

blueprint = APIBlueprint(
    "api_imports", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="intake")],
    abp_responses=PROBLEMS,
)  # fmt: skip

_KIND_WORDS = {"households": "household", "surveys": "survey", "sites": "site"}


class IntakeQuery(BaseModel):
    dry_run: bool = Field(False, description="Do everything but storing.")


class IntakeReport(BaseModel):
    """What became of the rows."""

    import_id: str
    kind: str
    source: str
    rows: int
    added: int
    updated: int
    unchanged: int
    conflicts: int
    rejected: int
    problems: list[dict[str, Any]]
    notes: dict[str, int]
    dry_run: bool
    seconds: float
    verdicts: dict[str, int]


def _documented(kind: str) -> dict[str, Any]:
    """The operation's texts and its request body for the OpenAPI document."""
    row = MODELS[kind].model_json_schema(ref_template="#/components/schemas/{model}")
    row.pop("$defs", None)
    body = {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        row,
                        {"type": "object", "properties": {"rows": {"type": "array", "items": row}}},
                    ]
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
    return {
        "summary": f"Send {kind}",
        "description": (
            'One JSON object, {"rows": [...]}, or a CSV, XLSX, GeoJSON or GeoPackage file as '
            "the part `file`. All rows are stored or none: 201 when something was added or "
            "changed, 200 when all was known, 422 with every problem when a row is refused, 409 "
            "when a single row contradicts the stored one (the copy is kept aside)."
        ),
        "responses": {200: IntakeReport, 201: IntakeReport, **_refusals()},
        "openapi_extensions": {"requestBody": body},
    }


def _refusals() -> dict[int, Any]:
    described = {409: "Contradicts what is stored", 413: "Too large", 422: "Refused"}
    return {status: {**PROBLEMS[400], "description": text} for status, text in described.items()}


@blueprint.post("/households", **_documented("households"))
@needs("records.send")
def send_households(query: IntakeQuery) -> Response:
    return _receive("households", query)


@blueprint.post("/surveys", **_documented("surveys"))
@needs("surveys.send")
def send_surveys(query: IntakeQuery) -> Response:
    return _receive("surveys", query)


@blueprint.post("/sites", **_documented("sites"))
@needs("records.send")
def send_sites(query: IntakeQuery) -> Response:
    return _receive("sites", query)


def _receive(kind: str, query: IntakeQuery) -> Response:
    note(subject=kind, durable=True)
    if request.mimetype == "multipart/form-data":
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise UsageError("The form has no part `file` with a file.")
        report = _from_upload(kind, sent, query.dry_run)
    else:
        rows = _rows(request.get_data())
        with change() as conn:
            report = imports.import_rows(
                conn, kind, list(enumerate(rows, 1)), source="api", dry_run=query.dry_run
            )
            note(rows=report.rows)
    return _answer(kind, report)


def _from_upload(kind: str, sent: FileStorage, dry_run: bool) -> ImportReport:
    """Import an uploaded file; its name is only reported, no part of it becomes a path."""
    name = Path(str(sent.filename).replace("\\", "/")).name[:100]
    with tempfile.TemporaryDirectory(prefix="ancu-upload-") as folder:
        path = Path(folder) / Path(folder).name  # a name that no sender's file has
        sent.save(path)
        with change() as conn, _named(path, name):
            report = imports.import_file(conn, kind, path, dry_run=dry_run, source=name)
            note(rows=report.rows)
            return report


@contextmanager
def _named(path: Path, name: str) -> Iterator[None]:
    """Let refusals name the file as its sender does, not as the copy that readers open."""
    try:
        yield
    except RejectedError as error:
        said = str(error)
        if said.startswith(path.name):
            raise RejectedError(name + said.removeprefix(path.name), error.problems) from error
        raise


def _rows(body: bytes) -> list[dict[str, object]]:
    """The rows of a JSON body: one object, a list, or {"rows": list}. Raises RejectedError."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"The body is not JSON: {error}.") from None
    if isinstance(content, dict) and isinstance(content.get("rows"), list):
        content = content["rows"]
    rows = content if isinstance(content, list) else [content]
    odd: list[tuple[int | None, str]] = [
        (i, "is not a JSON object") for i, row in enumerate(rows, 1) if not isinstance(row, dict)
    ]
    if odd:
        raise RejectedError("Some rows are not JSON objects. Nothing was stored.", odd[:20])
    if not rows:
        raise RejectedError("There are no rows.")
    return rows


def _answer(kind: str, report: ImportReport) -> Response:
    if report.rows == report.conflicts == 1:
        word = _KIND_WORDS[kind]
        return problem(
            409,
            f"This {word} is stored with other content, which was kept. "
            "The copy sent now was put aside for somebody to decide.",
        )
    answer = answers.json(report.as_dict())
    changed = report.added or report.updated
    answer.status_code = 201 if changed and not report.dry_run else 200
    return answer
