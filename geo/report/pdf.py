"""A report to print: A4, numbered pages, tables with repeated heads, and room to sign."""

import logging
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, VAlign
from fpdf.fonts import FontFace

from geo.errors import UnavailableError
from geo.report.tables import Table, written
from geo.report.words import Words
from geo.rules.telling import Numbers
from geo.writing.extract import DEMO_NOTE

FONTS = Path(__file__).resolve().parents[2] / "web" / "static" / "vendor" / "fonts"
"""Where set-up puts the fonts (web/assets.py)."""
MOST_IN_CELL = 420
"""Characters of a printed cell; a row must not be taller than a page."""
MOST_IN_FACT = 4000

_FAMILY = "DejaVu"
_MARGIN = 15.0
_HEAD = FontFace(emphasis="BOLD", fill_color=(228, 236, 234))
_NUMBERS = ("number", "points", "share", "chance", "metres")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")

# It warns of every character that the font does not have; these print as a box.
logging.getLogger("fpdf").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)


def write(
    title: str,
    facts: Sequence[tuple[str, str]],
    tables: Sequence[Table],
    demo: bool,
    words: Words,
    out: BinaryIO,
) -> int:
    """Print the report; the number of rows of its tables, printed or not.

    Raises UnavailableError where the fonts are missing.
    """
    page = _Page(title, words, demo)
    page.front(facts)
    for table in tables:
        if table.printed != 0 or table.empty:
            page.part(table)
    page.signatures()
    out.write(bytes(page.output()))
    return sum(len(table.rows) for table in tables)


class _Page(FPDF):
    """The document as it grows."""

    def __init__(self, title: str, words: Words, demo: bool):
        super().__init__(orientation="landscape", format="A4")
        self._title, self._words, self._demo = title, words, demo
        self._numbers = Numbers(words.language)
        for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
            if not (FONTS / name).is_file():
                raise UnavailableError(
                    "The fonts of printed reports are missing; run `make setup`, or ask for XLSX."
                )
            self.add_font(_FAMILY, style, FONTS / name)
        self.set_lang(words.language)
        self.set_title(title)
        self.set_creator("An Cư")
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(True, margin=18)
        self.add_page()

    def header(self) -> None:
        """Nothing on the first page but that data are made up, the title on the others."""
        self.set_font(_FAMILY, size=7.5)
        if self.page_no() > 1:
            self.cell(0, 5, _clean(self._title), new_x="LMARGIN", new_y="NEXT")
        if self._demo:
            self.set_font(_FAMILY, "B", 8)
            self.cell(0, 5, DEMO_NOTE, border=1, align="C", new_x="LMARGIN", new_y="NEXT")
        self.ln(2)

    def footer(self) -> None:
        """Which page of how many."""
        self.set_y(-13)
        self.set_font(_FAMILY, size=7.5)
        self.cell(0, 5, self._words("page", n=self.page_no()), align="R")

    def front(self, facts: Sequence[tuple[str, str]]) -> None:
        """The title and the head's facts."""
        self.set_font(_FAMILY, "B", 15)
        self.multi_cell(0, 8, _clean(self._title), new_x="LMARGIN", new_y="NEXT")
        self.ln(2)
        self.set_font(_FAMILY, size=8.5)
        with self.table(
            col_widths=(1, 4.6),
            borders_layout=TableBordersLayout.NONE,
            first_row_as_headings=False,
            line_height=4.6,
            text_align="LEFT",
            v_align=VAlign.T,
        ) as grid:
            for name, value in facts:
                row = grid.row()
                row.cell(_clean(name), style=FontFace(emphasis="BOLD"))
                row.cell(_clean(value, MOST_IN_FACT))

    def part(self, table: Table) -> None:
        """One table under its title, with what must be said about it."""
        rows = table.rows if table.printed is None else table.rows[: table.printed]
        self._room(40)
        self.ln(4)
        self.set_font(_FAMILY, "B", 11)
        self.start_section(_clean(table.title))
        self.multi_cell(0, 7, _clean(table.title), new_x="LMARGIN", new_y="NEXT")
        for note in table.notes if table.rows else ():
            self._say(note)
        if rows:
            self._grid(table, rows)
        elif table.empty:
            self._say(table.empty)
        if table.rows and len(rows) < len(table.rows):
            plain = self._numbers.plain
            self._say(self._words("shown", n=plain(len(rows)), all=plain(len(table.rows))))

    def _grid(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        places = [i for i, column in enumerate(table.columns) if column.width]
        columns = [table.columns[i] for i in places]
        self.set_font(_FAMILY, size=7)
        self.set_draw_color(150)
        self.ln(1)
        width = sum(column.width for column in columns)
        with self.table(
            col_widths=[column.width for column in columns],
            width=min(self.epw, 24 * width if len(columns) < 6 else self.epw),
            align="LEFT",
            borders_layout=TableBordersLayout.ALL,
            headings_style=_HEAD,
            line_height=3.6,
            padding=0.8,
            v_align=VAlign.T,
            text_align=["RIGHT" if one.kind in _NUMBERS else "LEFT" for one in columns],
        ) as grid:
            grid.row([_clean(column.head) for column in columns])
            for values in rows:
                row = grid.row()
                for i in places:
                    row.cell(_clean(written(values[i], table.columns[i].kind, self._numbers)))

    def _say(self, text: str) -> None:
        self.set_font(_FAMILY, size=8)
        self.multi_cell(0, 4.4, _clean(text), new_x="LMARGIN", new_y="NEXT")

    def _room(self, height: float) -> None:
        """Go on to the next page where less than this is left (mm)."""
        if self.will_page_break(height):
            self.add_page()

    def signatures(self) -> None:
        """Place and day, and room for three to sign."""
        self._room(60)
        self.ln(8)
        self.set_font(_FAMILY, size=9)
        self.cell(0, 6, self._words("place_day"), align="R", new_x="LMARGIN", new_y="NEXT")
        third = self.epw / 3
        for style, keys in (("B", ("signs", "checks", "heads")), ("", ("sign", "sign", "stamp"))):
            self.set_font(_FAMILY, style, 9)
            for key in keys:
                self.cell(third, 6, self._words(key), align="C")
            self.ln(6)
        self.ln(26)


def _clean(text: str, most: int = MOST_IN_CELL) -> str:
    """One paragraph of bounded length, in the form in which the font has its letters."""
    plain = " ".join(_UNPRINTABLE.sub(" ", unicodedata.normalize("NFC", text)).split(" "))
    return plain if len(plain) <= most else plain[: most - 1] + "…"
