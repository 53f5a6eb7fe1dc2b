"""The common result of extraction: text, with its pages, sections, tables and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from qa.text.tables import CELL_SEPARATOR, ROW_SEPARATOR
from qa.types import Mark, Meta, SourceFile, Table, TextKind, Unread
from qa.validation import MAX_META_VALUE

_BLOCK_SEPARATOR = "\n\n"
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """The text of one document of a file.

    Attributes:
        text: the text.
        title: None where the file has none.
        meta: the file's properties, or the other columns of a row.
        marks: where pages and sections begin.
        boxes: where the words are on the pages; see `qa.text.boxes`.
        tables: the structure of the text's tables, ascending.
        unread: what could not be read.
        id: the document's id, if the file has one.
        row: the row of a table, counted from 1; None for a file that is one document.
        part: distinguishes the document from others of the same file, such as an attachment of a mail; None for the
            file's main document.
        file: the original of this document, if it is not the whole file.
    """

    text: str
    title: str | None = None
    meta: Meta = field(default_factory=dict)
    marks: Sequence[Mark] = ()
    boxes: bytes = b""
    tables: Sequence[Table] = ()
    unread: Sequence[Unread] = ()
    id: str | None = None
    row: int | None = None
    part: str | None = None
    file: SourceFile | None = None


class TextBuilder:
    """Joins blocks of text and records where pages, sections and tables are, and what could not be read."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._marks: list[Mark] = []
        self._page: int | None = None
        self._section: str | None = None
        self._kind: TextKind = "text"
        # The page, section and kind of the last mark.
        self._last_place: tuple[int | None, str | None, TextKind] = (None, None, "text")
        self._tables: list[Table] = []
        self._unread: list[Unread] = []

    def add_block(self, text: str, separator: str = _BLOCK_SEPARATOR) -> None:
        """Add a paragraph or a list, after a separator; skip a blank one."""
        text = text.strip()
        if text:
            self._append(text, separator)

    def add_table(
        self,
        rows: Sequence[Sequence[str]],
        *,
        header_rows: int = 0,
        labelled: bool = False,
        numbers: Sequence[int] = (),
        first_column: int = 1,
    ) -> None:
        """Add a table, one line for each row; skip blank rows.

        Args:
            rows: the cells of each row. A cell that spans rows or columns is repeated in each of them.
            header_rows: number of rows at the start that name the columns.
            labelled: whether the first cell of a row names what the row is about.
            numbers: for each row, its number in the sheet of a workbook, from 1.
            first_column: number of the first column in the sheet, from 1.
        """
        cells = [[" ".join(cell.split()) for cell in row] for row in rows]
        kept = [number for number, row in enumerate(cells) if any(row)]
        if not kept:
            return
        header = [number for number in kept if number < header_rows]
        columns = max((len(cells[number]) for number in header), default=0)
        # A header cell above several columns is repeated in each of them, so each column joins the words above it.
        names = [
            " ".join(dict.fromkeys(cells[n][column] for n in header if column < len(cells[n]) and cells[n][column]))
            for column in range(columns)
        ]
        start = self._append(ROW_SEPARATOR.join(CELL_SEPARATOR.join(cells[n]) for n in kept), _BLOCK_SEPARATOR)
        lengths = tuple(tuple(map(len, cells[number])) for number in kept)
        kept_numbers = tuple(numbers[number] for number in kept) if numbers else ()
        self._tables.append(Table(start, lengths, tuple(names), len(header), labelled, kept_numbers, first_column))

    def _append(self, text: str, separator: str) -> int:
        """Append text and return its offset."""
        part = separator + text if self._parts else text
        start = self._length + len(part) - len(text)
        place = (self._page, self._section, self._kind)
        if place != self._last_place:
            self._marks.append(Mark(start, *place))
            self._last_place = place
        self._parts.append(part)
        self._length += len(part)
        return start

    def add_heading(self, text: str) -> None:
        """Add a heading; it begins the section that follows and is part of it."""
        text = " ".join(text.split())
        if text:
            self._section = text
            self.add_block(text)

    def start_section(self, title: str) -> None:
        """Begin a section without adding its title to the text."""
        self._section = title

    def start_page(self, number: int) -> None:
        """Begin a page."""
        self._page = number

    def start_kind(self, kind: TextKind) -> None:
        """Begin a text of another kind."""
        self._kind = kind

    def report_unread(self, reason: str, page: int | None = None) -> None:
        """Record a part of the file that cannot be read."""
        self._unread.append(Unread(page, reason))

    def build(self, title: str | None = None, meta: Meta | None = None) -> ExtractedText:
        """Return the text of all blocks with its marks."""
        title = _UNSTORABLE.sub("", title or "").strip()
        return ExtractedText(
            "".join(self._parts),
            title or None,
            meta or {},
            tuple(self._marks),
            tables=tuple(self._tables),
            unread=tuple(self._unread),
        )


def clean_properties(**values: str | datetime | None) -> Meta:
    """Return a file's properties as metadata: dates in ISO form, empty values dropped, long values cut.

    Characters that cannot be stored are dropped too: a fault in the properties is no reason to reject the text.
    """
    texts = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    clean = {name: _UNSTORABLE.sub("", text).strip()[:MAX_META_VALUE] for name, text in texts.items() if text}
    return {name: text for name, text in clean.items() if text}
