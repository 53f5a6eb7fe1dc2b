"""Remove the running heads and feet of PDF pages (pure).

A head or foot is a row at the edge of a page that recurs on other pages, apart from the page number. Left and right
pages may differ, and so may chapters. Rows count by their place on the page, not in the order in which they are drawn.
Headings that count up with the pages are kept, and so are the header rows that a table repeats on each page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf
from statistics import median

from qa.documents.extract.pdf.edge_rows import find_page_numbers, find_table_headers, is_page_number
from qa.documents.extract.pdf.layout import Line

_MIN_PAGES = 3
# The share of all pages on which a row recurs; left and right pages may differ, and some have none.
_COMMON_SHARE = 0.4
# The share of the pages with a row at one height on which it is a head, and their share of all pages.
_HEIGHT_SHARE, _HEIGHT_PAGES = 0.6, 0.2
_MAX_ROWS = 6
_MAX_NUMBERS = 4
_SAMPLES = 15
# A head is no taller than the lines of its page, within this ratio. A title may be numbered as pages are.
_MAX_HEIGHT_RATIO = 1.3
# In points: rows whose distance to the edge rounds to the same multiple have one height.
_HEIGHT_GRID = 4
# A row this many line heights away from the next one is apart from the text.
_FAR = 1.8
_DIGITS = re.compile(r"\d{1,9}")
_ROMAN = re.compile(r"(?<![\w.])(?=[ivxlc])(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})(?![\w.])")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_Pattern = tuple[str, tuple[tuple[int, int], ...]]
_Row = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Heads:
    """The pages whose outermost row is a head or foot.

    Attributes:
        common: those whose row recurs on many pages.
        placed: those whose row is where most pages have one that recurs nearby or has the page number.
        constant: those whose row recurs without a change.
    """

    common: set[int]
    placed: set[int]
    constant: set[int]


def find_copies(pages: Sequence[Sequence[Line]]) -> set[int]:
    """Return the pages, from 0, of several lines that differ from another page at most in numbers."""
    texts = [tuple(_DIGITS.sub("0", line.text) for line in lines) for lines in pages]
    counts = Counter(texts)
    return {number for number, lines in enumerate(texts) if len(lines) > 1 and counts[lines] > 1}


def remove_running_heads(
    pages: Sequence[Sequence[Line]],
    heights: Sequence[float],
    *,
    margins: Collection[int] = (),
    complete: Collection[int] = (),
) -> list[Sequence[Line]]:
    """Return pages without running heads and feet.

    A head without a page number stays on the first page that has it, and a foot on the last one, so that what it says
    is not lost. A page with a single row keeps it, unless it is a page number. Nothing is removed from files of fewer
    than three pages.

    Args:
        pages: the lines of each page.
        heights: the height of each page in points.
        margins: the pages, from 0, whose lines are beside other text that is not among them, so that even the only row
            may be a head.
        complete: the pages, from 0, that keep all of their lines.
    """
    ordered = [_move_edges(lines) for lines in pages]
    if len(pages) < _MIN_PAGES:
        return ordered
    trimmed = [() if number in complete else lines for number, lines in enumerate(ordered)]
    without_head = _trim_edge(trimmed, heights, margins, set(), is_foot=False)
    had_head = {number for number, lines in enumerate(without_head) if len(lines) < len(trimmed[number])}
    without_foot = _trim_edge(without_head, heights, margins, had_head, is_foot=True)
    return [ordered[number] if number in complete else lines for number, lines in enumerate(without_foot)]


def _trim_edge(
    pages: Sequence[Sequence[Line]],
    heights: Sequence[float],
    margins: Collection[int],
    had_head: set[int],
    *,
    is_foot: bool,
) -> list[Sequence[Line]]:
    """Return pages without the heads or feet; the outermost rows are removed one after the other.

    Args:
        pages: the lines of each page.
        heights: the height of each page.
        margins: the pages whose only row may be a head or foot.
        had_head: the pages that had a head. The only row that one of them has left may be a foot.
        is_foot: whether to remove feet.
    """
    removed: list[set[int]] = [set() for _ in pages]
    depths: Counter[int] = Counter()
    kept: dict[int, list[int]] = {}
    # A page has one page number at an edge.
    numbered: dict[int, _Row] = {}
    for _ in range(_MAX_ROWS):
        rows = {
            number: row
            for number, lines in enumerate(pages)
            if (row := _find_edge_row(lines, removed[number], is_foot=is_foot))
        }
        found = _find_heads(pages, rows, heights, set(numbered), is_foot=is_foot)
        headers = set() if is_foot else _find_headers(pages, rows, removed)
        last = {number for number, row in rows.items() if len(row) + len(removed[number]) == len(pages[number])}
        protected = {n for n in last if n not in margins and not _is_page_number(pages[n], rows[n])}
        heads = ((found.common - protected) | (found.placed - (protected - had_head))) - headers
        if not heads:
            break
        for number in heads:
            removed[number].update(rows[number])
            depths[number] += 1
        numbered |= {number: rows[number] for number in heads - found.constant}
        constant = heads & found.constant
        if constant:
            page = max(constant) if is_foot else min(constant)
            earlier = kept.get(page, [])
            kept[page] = [*rows[page], *earlier] if is_foot else [*earlier, *rows[page]]
    for number in (number for number, depth in depths.items() if depth == _MAX_ROWS):
        # Pages that share this number of rows are alike in content, such as forms.
        removed[number] = set(numbered.get(number, ()))
        kept.pop(number, None)
    trimmed: list[Sequence[Line]] = [
        [line for position, line in enumerate(lines) if position not in dropped]
        for lines, dropped in zip(pages, removed, strict=True)
    ]
    for page, positions in kept.items():
        lines = [pages[page][position] for position in positions]
        trimmed[page] = [*trimmed[page], *lines] if is_foot else [*lines, *trimmed[page]]
    return trimmed


def _is_page_number(lines: Sequence[Line], row: _Row) -> bool:
    return len(row) == 1 and is_page_number(lines[row[0]].text)


def _move_edges(lines: Sequence[Line]) -> Sequence[Line]:
    """Return lines with a foot that is drawn first at the end, and a head that is drawn last at the start."""
    if len(lines) < _MIN_PAGES:
        return lines
    lowest, highest = min(line.bottom for line in lines), max(line.bottom for line in lines)
    first, last = lines[0], lines[-1]
    if first.bottom == lowest < min(line.bottom for line in lines[1:]):
        lines = [*lines[1:], first]
    elif last.bottom == highest > max(line.bottom for line in lines[:-1]):
        lines = [last, *lines[:-1]]
    return lines


def _find_edge_row(lines: Sequence[Line], removed: set[int], *, is_foot: bool) -> _Row:
    """Return the positions of the outermost lines of one height; empty if no line is left."""
    left = [position for position in range(len(lines)) if position not in removed]
    if not left:
        return ()
    edge = (min if is_foot else max)(left, key=lambda position: lines[position].bottom)
    reach = lines[edge].height / 2
    row = [position for position in left if abs(lines[position].bottom - lines[edge].bottom) < reach]
    return tuple(sorted(row, key=lambda position: lines[position].left))


def _find_headers(pages: Sequence[Sequence[Line]], rows: Mapping[int, _Row], removed: Sequence[set[int]]) -> set[int]:
    """Return the pages whose outermost row is the header of a table."""
    rows_by_page: dict[int, list[Sequence[Line]]] = {}
    for number, row in rows.items():
        lines, taken = pages[number], set(removed[number])
        rows_by_page[number] = []
        while row and len(rows_by_page[number]) < _MAX_ROWS:
            rows_by_page[number].append([lines[position] for position in row])
            taken.update(row)
            row = _find_edge_row(lines, taken, is_foot=False)
    return find_table_headers(rows_by_page)


def _find_heads(
    pages: Sequence[Sequence[Line]],
    rows: Mapping[int, _Row],
    heights: Sequence[float],
    numbered: set[int],
    *,
    is_foot: bool,
) -> _Heads:
    """Find the pages whose outermost row is a head.

    Args:
        pages: the lines of each page.
        rows: the positions of the lines of the outermost row, by page.
        heights: the height of each page.
        numbered: the pages that had a page number at this edge already.
        is_foot: whether the row is a foot.
    """
    texts = {number: " ".join(pages[number][position].text for position in row) for number, row in rows.items()}
    page_numbers = _offsets(
        find_page_numbers({number: [pages[number][place] for place in row] for number, row in rows.items()})
    )
    by_pattern: dict[_Pattern, set[int]] = {}
    for number, text in texts.items():
        offsets = set[int]() if number in numbered else page_numbers[number]
        for pattern in _find_patterns(text, number):
            if all(value in offsets for value, step in pattern[1] if step):
                by_pattern.setdefault(pattern, set()).add(number)
    enough = max(_MIN_PAGES, _COMMON_SHARE * len(pages))
    common = {
        number
        for pattern, numbers in by_pattern.items()
        if len(numbers) >= enough
        for number in numbers
        if not _rises(pattern) or _is_small(pages[number], rows[number])
    }
    neighbours = {
        number
        for numbers in by_pattern.values()
        for number in numbers
        if any(near in numbers for near in (number - 2, number - 1, number + 1, number + 2))
    }
    by_height: dict[int, list[int]] = {}
    for number, row in rows.items():
        line = pages[number][row[0]]
        distance = line.bottom if is_foot else heights[number] - line.bottom
        by_height.setdefault(round(distance / _HEIGHT_GRID), []).append(number)
    placed: set[int] = set()
    for numbers in by_height.values():
        if len(numbers) >= max(_MIN_PAGES, _HEIGHT_PAGES * len(pages)):
            with_number = _find_numbered({number: page_numbers[number] for number in numbers}) - numbered
            recurring = {
                number for number in neighbours.intersection(numbers) if _is_apart(pages[number], rows[number])
            }
            furniture = {n for n in recurring | with_number if _is_small(pages[n], rows[n])}
            if len(furniture) >= max(_MIN_PAGES, _HEIGHT_SHARE * len(numbers)):
                placed |= furniture
    constant = {
        number
        for pattern, numbers in by_pattern.items()
        if len(numbers) > 1 and not _rises(pattern)
        for number in numbers
    }
    return _Heads(common, placed, constant)


def _is_small(lines: Sequence[Line], row: _Row) -> bool:
    """Return whether the lines of a row are no taller than those of its page."""
    tallest = max(lines[position].height for position in row)
    sample = [line.height for line in lines[:: max(1, len(lines) // _SAMPLES)]]
    return tallest <= _MAX_HEIGHT_RATIO * median(sample)


def _is_apart(lines: Sequence[Line], row: _Row) -> bool:
    """Return whether a row is far from the others."""
    bottom, height = lines[row[0]].bottom, lines[row[0]].height
    nearest = min((abs(line.bottom - bottom) for place, line in enumerate(lines) if place not in row), default=inf)
    return nearest >= _FAR * height


def _rises(pattern: _Pattern) -> bool:
    """Return whether a number of a pattern rises with the page."""
    return any(step for _, step in pattern[1])


def _offsets(numbers: Mapping[int, set[str]]) -> dict[int, set[int]]:
    """Return by how much the numbers of each page exceed the page."""
    return {
        page: {(int(value) if value.isdecimal() else _roman_value(value.casefold())) - page for value in values}
        for page, values in numbers.items()
    }


def _find_numbered(offsets_by_page: Mapping[int, set[int]]) -> set[int]:
    """Return the pages with the page number: the number that rises with the page on most of them."""
    reach = len(offsets_by_page) + _MAX_NUMBERS
    offsets = Counter(offset for values in offsets_by_page.values() for offset in values if abs(offset) <= reach)
    if not offsets:
        return set()
    offset, count = offsets.most_common(1)[0]
    if count < max(_MIN_PAGES, _HEIGHT_SHARE * len(offsets_by_page)):
        return set()
    return {number for number, values in offsets_by_page.items() if offset in values}


def _find_patterns(text: str, page: int) -> Iterator[_Pattern]:
    """Yield the patterns that a row may share with other pages: each number is constant or rises with the page."""
    text = _ROMAN.sub(lambda match: f"{_roman_value(match[0])}", text)
    numbers = [int(digits) for digits in _DIGITS.findall(text)]
    choices = (
        [((n, 0), (n - page, 1)) for n in numbers] if len(numbers) <= _MAX_NUMBERS else [((n, 0),) for n in numbers]
    )
    for choice in product(*choices):
        yield _DIGITS.sub("0", text), choice


def _roman_value(numeral: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))
