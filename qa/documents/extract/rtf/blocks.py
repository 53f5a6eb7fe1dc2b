"""Blocks of an RTF document: paragraphs and tables, with the notes and text boxes that are anchored to them (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

# Rows whose edges differ by less, in twips of 1/20 point, have the same columns.
_TOLERANCE = 60
_MAX_EDGES = 200


@dataclass(slots=True)
class Paragraph:
    """A paragraph.

    Attributes:
        label: its automatic number or bullet, as the file stores it.
        level: its level in a list, from 0.
        anchored: its notes and text boxes.
    """

    text: str = ""
    label: str = ""
    level: int = 0
    is_heading: bool = False
    is_title: bool = False
    is_contents: bool = False
    is_bold: bool = False
    anchored: list[Note] = field(default_factory=list)

    def paragraphs(self) -> Iterator[Paragraph]:
        """Yield the paragraph itself."""
        yield self


@dataclass(slots=True)
class CellDefinition:
    """Where a cell ends, in twips from the left margin, and whether it continues a merged one (`above` or `left`)."""

    right: int = 0
    continued: str = ""


@dataclass(slots=True)
class TableRow:
    """A row: for each cell its blocks and its definition."""

    cells: list[list[Block]]
    definitions: list[CellDefinition]
    is_header: bool

    def continued(self) -> list[str]:
        """Return for each cell whether it continues a merged one."""
        known = [definition.continued for definition in self.definitions[: len(self.cells)]]
        return known + [""] * (len(self.cells) - len(known))


@dataclass(slots=True)
class Table:
    """A table."""

    rows: list[TableRow] = field(default_factory=list)

    def paragraphs(self) -> Iterator[Paragraph]:
        """Yield the paragraphs of all cells."""
        for row in self.rows:
            for cell in row.cells:
                for block in cell:
                    yield from block.paragraphs()

    def is_grid(self) -> bool:
        """Return whether the table has several rows, and one of several cells."""
        return len(self.rows) > 1 and any(len(row.cells) > 1 for row in self.rows)

    def column_spans(self) -> list[list[int]]:
        """Return for each row the number of columns that each cell spans, by the edges of all rows."""
        edges: list[int] = []
        for edge in sorted({d.right for row in self.rows for d in row.definitions}):
            if not edges or edge - edges[-1] > _TOLERANCE:
                edges.append(edge)
        if len(edges) > _MAX_EDGES:
            return [[1] * len(row.cells) for row in self.rows]
        spans = []
        for row in self.rows:
            row_spans, place = [], 0
            for number in range(len(row.cells)):
                right = row.definitions[number].right if number < len(row.definitions) else 0
                end = place + 1
                while end < len(edges) and right - edges[end] >= -_TOLERANCE:
                    end += 1
                row_spans.append(max(1, min(end, max(len(edges), place + 1)) - place))
                place = end
            spans.append(row_spans)
        return spans


@dataclass(slots=True)
class Story:
    """A run of blocks: the body, a note, a text box or a running head."""

    blocks: list[Block] = field(default_factory=list)
    has_page_number: bool = False


def add_row(blocks: list[Block], row: TableRow) -> None:
    """Add a row to the table that blocks end with, or begin one."""
    table = blocks[-1] if blocks else None
    if not isinstance(table, Table):
        table = Table()
        blocks.append(table)
    table.rows.append(row)


@dataclass(slots=True)
class Note:
    """A footnote, an endnote or a text box (`kind`); whether its mark is a number that is counted."""

    kind: str
    story: Story = field(default_factory=Story)
    is_numbered: bool = False


Block: TypeAlias = Paragraph | Table
