"""The structure of a text that a reader does not see in its words: cells, items, lines and paragraphs (pure).

A passage is one sequence of words to the reader. Without line ends and columns, a cell is read beside the wrong header,
and an answer crosses from one item to the next. So words that stand for the structure are added where it is: the header
before a cell, a mark at the end of a line. They are never part of an answer and move no offset.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from qa.text.columns import RULE, find_rows, iter_lines
from qa.text.sentences import sentence_ends
from qa.text.tables import CELL_SEPARATOR, ROW_SEPARATOR
from qa.types import Span, Table

LINE_MARK, CELL_MARK = "¶", "|"
"""What the reader sees at the end of a line or paragraph, and between two cells that are aligned with spaces."""

_BLANK_LINE = re.compile(r"\n[ \t\r]*\n\s*")
# The marker of a list item: a bullet, a number, a letter, a clause number, or a footnote's mark.
_ITEM = re.compile(
    r"\s*(?:[-*+•‣▪◦–·o†‡§]\s|\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,4})[.)]\s|\d{1,3}(?:\.\d{1,3})+\.?\s|#{1,6}\s)"
)
_MAX_HEADER = 40
# Text that is wrapped has lines of at least this length.
_MIN_WRAPPED = 30
# Room that is left at the end of a line whose sentence continues.
_MAX_ROOM = 24


@dataclass(frozen=True, slots=True)
class Structure:
    """What is added to a text for the reader, and where no answer may cross.

    Attributes:
        added: offsets, ascending, and the words that are added there.
        edges: offsets, ascending; no answer contains one of them between its start and its end.
        rows: spans of the rows of tables, ascending; each is a unit of evidence.
        rules: spans of lines that only rule off, ascending; the reader does not see them.
    """

    added: tuple[tuple[int, str], ...]
    edges: tuple[int, ...]
    rows: tuple[Span, ...]
    rules: tuple[Span, ...] = ()

    def is_within(self, span: Span) -> bool:
        """Return whether a span crosses no edge."""
        return bisect_right(self.edges, span.start) >= bisect_right(self.edges, span.end - 1)


def find_structure(text: str, tables: Sequence[Table] = (), begin: int = 0) -> Structure:
    """Return the structure of a text.

    Args:
        text: a passage, perhaps below the lines that lead in to it, or a document.
        tables: its tables, ascending; offsets count in `text`, and rows may begin before it or end after it.
        begin: offset where the passage begins; the tables are in the passage.
    """
    added: list[tuple[int, str]] = []
    edges: set[int] = set()
    rows: list[Span] = []
    start = 0
    for table in tables:
        spans = [_clip(row, begin, len(text)) for row, _ in _rows(table)]
        if not any(spans):
            continue
        first, last = (next(span for span in order if span) for order in (spans, reversed(spans)))
        if first.start > start:
            _add_prose(text, Span(start, first.start), added, edges, rows)
        _add_table(text, table, begin, added, edges, rows)
        start = last.end
    if start < len(text):
        _add_prose(text, Span(start, len(text)), added, edges, rows)
    rules = tuple(Span(*match.span()) for match in RULE.finditer(text))
    return Structure(tuple(sorted(added, key=lambda item: item[0])), tuple(sorted(edges)), tuple(rows), rules)


def is_item(line: str) -> bool:
    """Return whether a line begins with the marker of a list item."""
    return bool(_ITEM.match(line))


def units(text: str, structure: Structure) -> Iterator[Span]:
    """Yield the units of evidence: rows of tables, and the sentences of the paragraphs, items and lines between them.

    Args:
        text: the text.
        structure: its structure.
    """
    cuts = {0, len(text), *structure.edges, *sentence_ends(text)}
    for row in structure.rows:
        cuts.difference_update(range(row.start + 1, row.end))
    for start, end in pairwise(sorted(cuts)):
        content = text[start:end]
        left, right = start + len(content) - len(content.lstrip()), start + len(content.rstrip())
        if any(character.isalnum() for character in text[left:right]):
            yield Span(left, right)


def _rows(table: Table) -> Iterator[tuple[tuple[int, int], list[tuple[int, int]]]]:
    """Yield start and end of each row, and of its cells; a row may begin before the text."""
    start = table.start
    for lengths in table.rows:
        cells = []
        position = start
        for length in lengths:
            cells.append((position, position + length))
            position += length + len(CELL_SEPARATOR)
        end = position - len(CELL_SEPARATOR)
        yield (start, end), cells
        start = end + len(ROW_SEPARATOR)


def _clip(place: tuple[int, int], begin: int, end: int) -> Span | None:
    """Return the part of a place that is in the text; None if there is none."""
    start, stop = max(begin, place[0]), min(end, place[1])
    return Span(start, stop) if start < stop else None


def _add_table(
    text: str, table: Table, begin: int, added: list[tuple[int, str]], edges: set[int], rows: list[Span]
) -> None:
    for number, (place, cells) in enumerate(_rows(table)):
        row = _clip(place, begin, len(text))
        if row is None:
            continue
        edges.update((row.start, row.end))
        rows.append(row)
        for column, cell_place in enumerate(cells):
            cell = _clip(cell_place, begin, len(text))
            if cell is None:
                continue
            edges.update((cell.start, cell.end))
            header = table.header[column] if number >= table.header_rows and column < len(table.header) else ""
            if header:
                added.append((cell.start, f"{_shorten(header)}:"))
        added.append((row.end, LINE_MARK))


def _add_prose(text: str, part: Span, added: list[tuple[int, str]], edges: set[int], rows: list[Span]) -> None:
    for paragraph in _paragraphs(text, part):
        lines = [line for line in iter_lines(text, paragraph) if line.of(text).strip()]
        if not lines:
            continue
        columns = find_rows(text, lines)
        edges.update((paragraph.start, paragraph.end))
        width = max(len(line.of(text).rstrip()) for line in lines)
        for number, line in enumerate(lines):
            cells = columns[number] if columns else ()
            if len(cells) > 1:
                rows.append(line)
                for cell in cells:
                    edges.update((cell.span.start, cell.span.end))
                    if cell.header and len(cell.span):
                        added.append((cell.span.start, f"{_shorten(cell.header)}:"))
                # Bars are in the text already.
                added.extend(
                    (cell.span.start, CELL_MARK) for cell in cells[1:] if not cell.header and "|" not in line.of(text)
                )
            last = number + 1 == len(lines)
            if last or _is_hard_end(
                text, line, lines[number + 1], width, cells, columns[number + 1] if columns else ()
            ):
                edges.add(line.end)
                if not last:
                    edges.add(lines[number + 1].start)
                added.append((line.end, LINE_MARK))


def _paragraphs(text: str, part: Span) -> Iterator[Span]:
    start = part.start
    for match in _BLANK_LINE.finditer(text, part.start, part.end):
        if start < match.start():
            yield Span(start, match.start())
        # Keep the indentation of the next line.
        start = text.rfind("\n", match.start(), match.end()) + 1
    if start < part.end:
        yield Span(start, part.end)


def _is_hard_end(
    text: str, line: Span, following: Span, width: int, cells: Sequence[object], following_cells: Sequence[object]
) -> bool:
    """Return whether a line ends because something else begins, and not because it is full."""
    content, after = line.of(text).rstrip(), following.of(text)
    indent, next_indent = _indent(content), _indent(after)
    if len(following_cells) > 1 or is_item(after) or (len(cells) > 1 and next_indent <= indent):
        return True
    if next_indent < indent and not _is_first_line_indent(content):
        return True
    first_word = after.split(maxsplit=1)[0]
    room = width - len(content) - 1 - len(first_word)
    # People who wrap lines by hand leave more room than one word.
    continues = not first_word[0].isupper() and content[-1] not in ".:;!?"
    return width < _MIN_WRAPPED or room >= (_MAX_ROOM if continues else 0)


def _is_first_line_indent(content: str) -> bool:
    """Return whether an indented line may begin a paragraph whose other lines are not indented."""
    return is_item(content) or content.lstrip()[:1].isupper()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _shorten(header: str) -> str:
    """Return a header cut after a word."""
    words = header.strip().rstrip(":").split()
    kept = ""
    for word in words:
        if kept and len(kept) + 1 + len(word) > _MAX_HEADER:
            break
        kept = f"{kept} {word}".strip()
    return kept[: _MAX_HEADER * 2]
