"""Upload of files: what was stored, what was refused and why, what was kept aside."""

import tempfile
from pathlib import Path
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from api.access import begin, may, needs, note
from api.entries import change
from geo.config import settings
from geo.errors import RejectedError
from geo.intake import imports
from geo.intake import log as intake_log
from web import labels
from web.shell import chosen, page, uuid_or_none

pages = Blueprint("intake", __name__, url_prefix="/import")

ACTIONS = {"households": "records.send", "surveys": "surveys.send", "sites": "records.send"}
"""What sending each kind needs."""


@pages.get("")
@needs("surveys.send")
def index() -> str:
    """The form and the latest imports; `report` names the one whose report stands above."""
    wanted = request.args.get("report")
    with begin() as conn:
        report = intake_log.report_of(conn, uuid_or_none(wanted)) if wanted else None
        kind = report["kind"] if report else chosen("kind", _kinds(), next(iter(_kinds())))
        return _page(conn, kind=kind, report=report)


@pages.post("")
@needs("surveys.send")
def upload() -> tuple[str, int] | str | Response:
    """Take in one file, all of it or nothing; what is stored is reported on a page of its own.

    So that to load that page again does not send the file again.
    """
    kind = request.form.get("kind", "")
    note(subject=kind[:40], durable=True)
    dry_run = request.form.get("dry_run") == "1"
    sent = request.files.get("file")
    values: dict[str, Any] = {"kind": kind, "dry_run": dry_run}
    try:
        if kind not in _kinds():
            raise RejectedError(_("Chọn loại dữ liệu."))
        if sent is None or not sent.filename:
            raise RejectedError(_("Chọn một tệp."))
        with change(ACTIONS[kind]) as conn:
            report = _import(conn, kind, sent, dry_run)
            note(rows=report.rows)
    except RejectedError as error:
        failure = {"message": str(error), "problems": error.problems}
        with begin() as conn:
            return _page(conn, failure=failure, **values), 422
    if not dry_run:
        return redirect(url_for("intake.index", report=report.import_id), 303)
    with begin() as conn:
        return _page(conn, report=report, **values)


def _kinds() -> dict[str, Any]:
    """The kinds that the user may send, with their labels."""
    return {kind: label for kind, label in labels.IMPORT_KINDS.items() if may(ACTIONS[kind])}


def _import(conn: Connection, kind: str, sent: FileStorage, dry_run: bool) -> Any:
    name = Path(str(sent.filename).replace("\\", "/")).name
    with tempfile.TemporaryDirectory(prefix="ancu-upload-") as folder:
        # The sender's name is kept for the report only; no part of it becomes a path.
        path = Path(folder) / ("upload" + Path(name).suffix[:12])
        sent.save(path)
        try:
            return imports.import_file(conn, kind, path, dry_run=dry_run, source=name)
        except RejectedError as error:
            # Readers name the file that they opened; the sender knows it by another name.
            said = str(error)
            if said.startswith(path.name):
                said = name + said.removeprefix(path.name)
            raise RejectedError(said, error.problems) from error


def _page(conn: Connection, **values: Any) -> str:
    return page(
        conn,
        "import.html",
        active="intake",
        title=_("Nhập dữ liệu"),
        kind_labels=_kinds(),
        jobs=intake_log.recent_imports(conn),
        conflicts=intake_log.recent_conflicts(conn),
        max_upload_mb=settings().max_upload_mb,
        **values,
    )
