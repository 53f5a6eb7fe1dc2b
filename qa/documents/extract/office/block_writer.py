"""Adds the paragraphs, list items and table cells of a word processor's document to its text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qa.documents.extract.pdf.titles import clean_title
from qa.documents.extract.table_headers import Cell
from qa.documents.extract.text_builder import ExtractedText, TextBuilder
from qa.text.tables import CELL_SEPARATOR
from qa.types import Meta

BULLET = "-"
# A longer paragraph in the style of a heading is a numbered clause.
_MAX_HEADING = 150
# A longer list item is a paragraph.
_MAX_ITEM = 300


class BlockWriter:
    """Adds blocks to a text.

    Attributes:
        builder: receives the text; while a cell is read, that of the cell.
        title: the first paragraph in the style of a title; empty if there is none.
        is_in_cell: whether a table cell is being read.
    """

    def __init__(self) -> None:
        self.builder = TextBuilder()
        self.title = ""
        self.is_in_cell = False
        self._cell_is_bold = True
        self._is_after_item = False
        self._first_level = 0

    def build(self, title: str, meta: Meta) -> ExtractedText:
        """Return the document with the title and the other properties of its file."""
        return self.builder.build(clean_title(title, self.builder.build().text) or self.title, meta)

    def end_list(self) -> None:
        """Begin a new block with the next paragraph, even if it is a list item."""
        self._is_after_item = False

    def add_paragraph(
        self,
        text: str,
        number: str = "",
        level: int = 0,
        *,
        is_heading: bool = False,
        is_title: bool = False,
        is_contents: bool = False,
        is_bold: bool = False,
    ) -> None:
        """Add a paragraph.

        Args:
            text: the text without its number; blank paragraphs are skipped, but not their number in a table.
            number: its automatic number, or a bullet.
            level: its level in a list, from 0.
            is_heading: whether it is a heading, which it is only if it is short.
            is_title: whether it is the title of the document.
            is_contents: whether it belongs to a table of contents or an index.
            is_bold: whether all of it is bold.
        """
        self.builder.start_kind("contents" if is_contents else "text")
        if not text:
            # In a table, a number may be all that a cell shows.
            if self.is_in_cell and number != BULLET:
                self.builder.add_block(number)
            return
        self._cell_is_bold &= is_bold
        if (is_heading or is_title) and len(text) <= _MAX_HEADING and not is_contents:
            self.builder.add_heading(text if number == BULLET else f"{number} {text}")
            if is_title and not self.title:
                self.title = text
            self._is_after_item = False
            return
        is_item = is_contents or bool(number and len(text) <= _MAX_ITEM)
        if not self._is_after_item:
            self._first_level = level
        indent = "  " * max(0, level - self._first_level)
        self.builder.add_block(f"{number} {text}", f"\n{indent}" if is_item and self._is_after_item else "\n\n")
        self._is_after_item = is_item

    @contextmanager
    def cell(self) -> Iterator[list[Cell]]:
        """Collect what is added as the text of a table cell, which the list has at the end."""
        outer = self.builder, self.is_in_cell, self._cell_is_bold
        self.builder, self.is_in_cell, self._cell_is_bold = TextBuilder(), True, True
        self._is_after_item = False
        cells: list[Cell] = []
        try:
            yield cells
            text = " ".join(self.builder.build().text.replace(CELL_SEPARATOR, " ").split())
            cells.append(Cell(text, self._cell_is_bold and bool(text)))
        finally:
            self.builder, self.is_in_cell, self._cell_is_bold = outer
            self._is_after_item = False
