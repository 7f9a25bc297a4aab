"""Writes an audit report as a file of one of FORMATS."""

from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from geo.errors import UsageError
from geo.report import content, pdf, workbook
from geo.report.gather import Asked, gather
from geo.report.words import Words
from geo.writing import MEDIA_TYPES
from geo.writing.whole import whole

FORMATS = {"pdf": "application/pdf", "xlsx": MEDIA_TYPES["xlsx"]}
LANGUAGES = ("vi", "en")


def write(
    conn: Connection,
    asked: Asked,
    by: str,
    format: str,
    language: str,
    out: BinaryIO | Path,
) -> int:
    """Write the report that is asked for; the number of rows in it, printed or not.

    by: the name of who makes it. A path gets its file only when all of it is written.
    Raises UsageError for another format or language, RejectedError for too large an area,
    UnavailableError where the fonts of printed reports are missing.
    """
    for value, allowed in ((format, FORMATS), (language, LANGUAGES)):
        if value not in allowed:
            raise UsageError(f"{value!r} is none of: {', '.join(allowed)}.")
    report, words = gather(conn, asked, by), Words(language)
    title, facts = content.title(report, words), content.facts(report, words)
    tables = content.tables(report, words)
    demo = report.data["demo"]
    if isinstance(out, Path):
        with whole(out) as file:
            return _write(format, title, facts, tables, demo, words, file)
    return _write(format, title, facts, tables, demo, words, out)


def _write(
    format: str,
    title: str,
    facts: list[tuple[str, str]],
    tables: list[content.Table],
    demo: bool,
    words: Words,
    out: BinaryIO,
) -> int:
    if format == "pdf":
        return pdf.write(title, facts, tables, demo, words, out)
    return workbook.write(words("front"), [(title, ""), *facts], tables, demo, out)
