"""Tables in plain text: columns that are aligned with spaces, and cells between bars (pure).

Extraction keeps such text as it is. To read a cell, its column's header is needed, so rows and columns are found here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.types import Span

_RULE_CHARACTERS = r" \t\r\-=+|_:*.~─━═┼│┌┐└┘├┤┬┴"
# Possessive, so that a long line of dashes with a word at its end does not take quadratic time.
RULE = re.compile(rf"^(?=[^\n]*?[-=+_~*.─━═]{{3}})[{_RULE_CHARACTERS}]++$", re.MULTILINE)
"""A line that only rules off, above a table or below a heading."""
_BAR = re.compile(r"[|│]")
_GAP = re.compile(r" {2,}|\t+")
# A list item's marker is not a cell, although the item is set apart from it.
_MARKER = re.compile(r"\(?(?:\w{1,4}[.)]|[-*+•‣▪◦–·†‡§])|\d{1,3}(?:\.\d{1,3})+\.?")
_DIGIT = re.compile(r"\d")
_MIN_ROWS, _MIN_COLUMNS = 2, 3
_MAX_HEADER_ROWS, _MAX_NAME = 3, 24
# Characters by which the cells of a column may begin apart, as right-aligned numbers do.
_DRIFT = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table in plain text; `header` names its column and is empty if nothing does."""

    span: Span
    header: str = ""


Row = tuple[Cell, ...]


def find_rows(text: str, lines: Sequence[Span]) -> list[Row]:
    """Return the rows of cells among the lines of a paragraph; a line without columns has a row of one cell.

    Args:
        text: the text.
        lines: the lines of a paragraph, without their line ends; none is blank.

    Returns:
        One row for each line. A line that only rules off has no cell. Empty if the paragraph has no columns.
    """
    barred, cells = _find_cells(text, lines)
    if not cells:
        return []
    header = _header(text, cells)
    if header is None:
        return [tuple(map(Cell, row)) for row in cells]
    names = [(_relative(span, lines[header]), span.of(text)) for span in cells[header]]
    for number in range(header - 1, -1, -1):
        # A name above several columns belongs to each of them.
        upper = [(_relative(span, lines[number]), span.of(text)) for span in cells[number]]
        if len(upper) < 2:
            break
        names = [
            (place, f"{_find_name(place, column, upper, barred=barred)} {name}".strip())
            for column, (place, name) in enumerate(names)
        ]
    return [
        tuple(
            Cell(span, _find_name(_relative(span, line), column, names, barred=barred) if below else "")
            for column, span in enumerate(row)
        )
        for number, (row, line) in enumerate(zip(cells, lines, strict=True))
        for below in (number > header and len(row) > 1,)
    ]


def find_header(text: str, lines: Sequence[Span]) -> Sequence[Span]:
    """Return the lines with the names of the columns, and the rules around them; empty if there are none.

    Args:
        text: the text.
        lines: as for `find_rows`.
    """
    _, cells = _find_cells(text, lines)
    header = _header(text, cells) if cells else None
    if header is None:
        return ()
    first = next(number for number, row in enumerate(cells) if len(row) > 1)
    return lines[first : header + 1 + (header + 1 < len(cells) and not cells[header + 1])]


def _find_cells(text: str, lines: Sequence[Span]) -> tuple[bool, list[list[Span]]]:
    """Return whether bars separate the cells, and the cells of each line; no line if there are no columns."""
    contents = [content for line in lines if not RULE.fullmatch(content := line.of(text))]
    barred = sum(len(_BAR.findall(content)) > 1 for content in contents) * 2 > len(contents)
    cells = [_cells(text, line, barred=barred) for line in lines]
    is_table = sum(len(row) > 1 for row in cells) >= _MIN_ROWS and (barred or _are_aligned(cells, lines))
    return barred, cells if is_table else []


def _cells(text: str, line: Span, *, barred: bool) -> list[Span]:
    content = line.of(text)
    if RULE.fullmatch(content):
        return []
    edges = [*(match.span() for match in (_BAR if barred else _GAP).finditer(content)), (len(content), len(content))]
    cells, start = [], 0
    for end, following in edges:
        piece = content[start:end]
        left = start + len(piece) - len(piece.lstrip())
        right = start + len(piece.rstrip())
        # Between bars an empty cell keeps its column; at the outer bars there is none.
        if left < right or (barred and start > 0 and end < len(content)):
            cells.append(Span(line.start + min(left, end), line.start + max(min(left, end), right)))
        start = following
    if not barred and len(cells) == 2 and _MARKER.fullmatch(cells[0].of(text)):
        cells[:2] = [Span(cells[0].start, cells[1].end)]
    return cells


def _are_aligned(cells: Sequence[Sequence[Span]], lines: Sequence[Span]) -> bool:
    """Return whether most rows begin or end a later cell where another row does."""
    edges = [
        {edge for span in row[1:] for edge in (("start", span.start - line.start), ("end", span.end - line.start))}
        for row, line in zip(cells, lines, strict=True)
    ]
    count = Counter(edge for row in edges for edge in row)
    rows = [row for row in edges if row]
    return 2 * sum(any(count[edge] > 1 for edge in row) for row in rows) > len(rows)


def _header(text: str, cells: Sequence[Sequence[Span]]) -> int | None:
    """Return the number of the row that names the columns: one above a rule, or words above columns of values."""
    first = next((number for number, row in enumerate(cells) if len(row) > 1), None)
    if first is None:
        return None
    ruled = next(
        (number for number in range(first, min(first + _MAX_HEADER_ROWS, len(cells) - 1)) if not cells[number + 1]),
        None,
    )
    if ruled is not None and ruled + 2 < len(cells) and len(cells[ruled]) > 1:
        return ruled
    names = [span.of(text) for span in cells[first]]
    below = [row for row in cells[first + 1 :] if len(row) > 1]
    if not below or any(_DIGIT.match(name.lstrip("*†.:")) for name in names[1:]):
        return None
    most = max(map(len, below))
    if max(len(names), most) < _MIN_COLUMNS or abs(len(names) - most) > 1:
        return None
    is_short = all(len(name) <= _MAX_NAME for name in names)
    is_capital = all(name.upper() == name for name in names)
    values = [span.of(text) for row in below for span in row[1:]]
    with_digits = sum(bool(_DIGIT.search(value)) for value in values)
    return first if is_short and (is_capital or 3 * with_digits >= len(values)) else None


def _relative(span: Span, line: Span) -> Span:
    return Span(span.start - line.start, span.end - line.start)


def _find_name(place: Span, column: int, names: Sequence[tuple[Span, str]], *, barred: bool) -> str:
    """Return the name of a cell's column: by number between bars, else the name that the cell is below."""
    if barred:
        return names[column][1] if column < len(names) else ""
    overlaps = [min(place.end, name.end + _DRIFT) - max(place.start, name.start - _DRIFT) for name, _ in names]
    best = max(range(len(names)), key=lambda number: overlaps[number])
    return names[best][1] if overlaps[best] > 0 else ""


def iter_lines(text: str, span: Span) -> Iterator[Span]:
    """Yield the lines of a span without their line ends."""
    start = span.start
    while start < span.end:
        end = text.find("\n", start, span.end)
        end = span.end if end < 0 else end
        yield Span(start, end - 1 if end > start and text[end - 1] == "\r" else end)
        start = end + 1
