"""The audit report of an area and a period as a file: PDF to print, XLSX to work with."""

from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from flask import Blueprint, Response, request, send_file

from api.access import asked, begin, current, needs, note, query_text
from geo.report import writing
from geo.report.gather import Asked
from web.desk import day_or_none
from web.language import language

pages = Blueprint("report", __name__, url_prefix="/audit")

ACTION = "records.export"
_IN_MEMORY = 8 * 1024 * 1024


@pages.get("/report.pdf")
@needs(ACTION)
def pdf() -> Response:
    """The report to print."""
    return _file("pdf")


@pages.get("/report.xlsx")
@needs(ACTION)
def xlsx() -> Response:
    """The report to work with."""
    return _file("xlsx")


def _file(format: str) -> Response:
    note(subject="report", query=query_text())
    days = [day_or_none(request.args.get(name, "")) for name in ("since", "until")]
    file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
    try:
        with begin() as conn:
            wanted = Asked(asked(conn, request.args.get("area")), *days)
            rows = writing.write(
                conn, wanted, current().full_name, format, language(), cast(BinaryIO, file)
            )
            note(rows=rows, durable=True)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    answer = send_file(
        cast(BinaryIO, file),
        mimetype=writing.FORMATS[format],
        as_attachment=True,
        download_name=f"ancu-report-{wanted.area.code}.{format}",
    )
    answer.call_on_close(file.close)
    return answer
