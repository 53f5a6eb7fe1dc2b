"""Rows of an extraction as CSV (RFC 4180), safe to open in a spreadsheet (pure)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from qa.results import Answer
from qa.rows import Cell, ExtractedRow

# A spreadsheet takes a cell that begins with one of these as a formula. Some strip white space first, and some take the
# full-width forms for the same.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
_DOCUMENT_COLUMNS = ("document_id", "title", "uri", "meta")


def rows_to_csv(names: Sequence[str], rows: Iterable[ExtractedRow]) -> Iterator[str]:
    """Yield the lines of a table: the header, then one for each row.

    Each question has four columns: its answer, or the best guess if the status is `unsure`; the status; the confidence;
    and the place in the document.

    Args:
        names: the names of the questions.
        rows: with a cell for each name.
    """
    header = [f"{name}{suffix}" for name in names for suffix in ("", " status", " confidence", " place")]
    yield _line([*_DOCUMENT_COLUMNS, *header])
    for row in rows:
        meta = json.dumps(dict(row.meta), ensure_ascii=False) if row.meta else ""
        cells = [text for name in names for text in _columns(row.cells[name])]
        yield _line([row.document_id, row.title or "", row.uri or "", meta, *cells])


def escape_formula(text: str) -> str:
    """Return a text before which a spreadsheet sees an apostrophe if it would run the text as a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def describe_place(answer: Answer) -> str:
    """Return the page, section and offsets of an answer, such as `page 3, Fees, 120-134`."""
    page = f"page {answer.page}" if answer.page else ""
    parts = (page, answer.section, answer.cell, f"{answer.span.start}-{answer.span.end}")
    return ", ".join(part for part in parts if part)


def _columns(cell: Cell) -> tuple[str, str, str, str]:
    if cell.shown is None:
        return "", cell.status, "", ""
    return cell.shown.text, cell.status, f"{cell.shown.confidence:.3f}", describe_place(cell.shown)


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([escape_formula(cell) for cell in cells])
    return line.getvalue()
