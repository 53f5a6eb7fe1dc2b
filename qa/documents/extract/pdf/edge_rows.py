"""Read rows at the edges of PDF pages: page numbers that are set apart, and header rows of tables (pure).

A row of words that ends in a number, such as "Week 3", may be a heading that counts up with the pages. In a running
head, the page number is apart from the words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from qa.documents.extract.pdf.layout import LINE_STEP, Line

# In line heights: a gap this wide sets parts of a row apart, and one this wide may be between the cells of a table.
_WIDE_GAP, _CELL_GAP = 1.5, 0.8
# In points: edges that differ less are in one column.
_SAME_EDGE = 3.0
# The least number of left pages, and of right pages, that have the page number at the outer margin.
_MIN_SIDE = 2
_MAX_HEADER_ROWS = 3
# The step from the header of a table to its first row, as a ratio of that between rows, and in line heights.
_STEP_RATIO, _MAX_STEP = 1.3, 4.0
_NUMBER = r"(\d{1,4}|[ivxlc]{1,7})"
_LABEL = rf"(?:page|p\.|pg\.?|seite|p[áa]gina)\s*{_NUMBER}(?:\s*(?:of|/|von|de)\s*\d{{1,4}})?"
# A part that is a page number, with or without its label and the number of pages.
_ONLY_NUMBER = re.compile(rf"\W*(?:{_LABEL}|{_NUMBER}(?:\s*(?:of|/)\s*\d{{1,4}})?)\W*", re.IGNORECASE)
# A page number with its label at either end of a row.
_LABELLED = re.compile(rf"^\W*{_LABEL}\s*[.,:;|•·–—-]|\b{_LABEL}\W*$", re.IGNORECASE)
_SEPARATOR = re.compile(r"[|•·¦]+")

Word = tuple[str, float, float]
Words = Sequence[Word]


def is_page_number(text: str) -> bool:
    """Return whether a row is nothing but a page number."""
    return _ONLY_NUMBER.fullmatch(text) is not None


def words_of(lines: Sequence[Line]) -> Words:
    """Return the words of the lines of one row from left to right."""
    words = [word for line in lines for word in (line.words or [(line.text, line.left, line.right)])]
    return sorted(words, key=lambda word: word[1])


def find_page_numbers(rows: Mapping[int, Sequence[Line]]) -> dict[int, set[str]]:
    """Return the numbers of each row that may be page numbers, as they are written.

    They are alone in their row or have a label such as "Page", a wide gap or a bar is between them and the words, or
    they are at the outer margin, which is on the other side of every second page.

    Args:
        rows: the lines of a row at the same edge of each page, by page.
    """
    found: dict[int, set[str]] = {}
    first: dict[int, set[int]] = {}
    last: dict[int, set[int]] = {}
    words_by_page = {page: words_of(lines) for page, lines in rows.items()}
    for page, words in words_by_page.items():
        height = max(line.height for line in rows[page])
        parts = [" ".join(word for word, _, _ in part) for part in _split(words, _WIDE_GAP * height)]
        labelled = _LABELLED.search(" ".join(word for word, _, _ in words))
        matches = [*map(_ONLY_NUMBER.fullmatch, parts), labelled]
        found[page] = {value for match in matches if match for value in match.groups() if value}
        for places, (word, _, _) in ((first, words[0]), (last, words[-1])):
            if word.isdecimal():
                places.setdefault(int(word) - page, set()).add(page)
    for offset in first.keys() & last.keys():
        left, right = first[offset], last[offset]
        sides = {page % 2 for page in left}, {page % 2 for page in right}
        if min(len(left), len(right)) >= _MIN_SIDE and len(sides[0]) == len(sides[1]) == 1 and sides[0] != sides[1]:
            for page in left | right:
                found[page].add(words_by_page[page][0 if page in left else -1][0])
    return found


def _split(words: Words, gap: float) -> Iterator[Words]:
    """Yield the parts of a row between bars and gaps that are at least this wide."""
    part = [words[0]]
    for previous, word in pairwise(words):
        has_bar = _SEPARATOR.fullmatch(previous[0]) or _SEPARATOR.fullmatch(word[0])
        if has_bar or word[1] - previous[2] >= gap:
            yield part
            part = []
        part.append(word)
    yield part


def find_table_headers(rows_by_page: Mapping[int, Sequence[Sequence[Line]]]) -> set[int]:
    """Return the pages whose outermost row is the header of a table, which is repeated on each page.

    The next row that differs from page to page has the same columns, and is one normal step below.

    Args:
        rows_by_page: the outermost rows of each page, from the top.
    """
    texts = {page: [_text(row) for row in rows] for page, rows in rows_by_page.items()}
    counts = Counter((depth, text) for rows in texts.values() for depth, text in enumerate(rows))
    headers: set[int] = set()
    for page, rows in rows_by_page.items():
        steps = [above[0].bottom - below[0].bottom for above, below in pairwise(rows)]
        for depth, below in enumerate(rows[1 : _MAX_HEADER_ROWS + 1], 1):
            normal = max([_STEP_RATIO * step for step in steps[depth:]], default=0.0)
            if steps[depth - 1] > max(LINE_STEP * below[0].height, min(normal, _MAX_STEP * below[0].height)):
                break
            if counts[depth, texts[page][depth]] == 1:
                if _share_columns(rows[0], below):
                    headers.add(page)
                break
    return headers


def _text(row: Sequence[Line]) -> str:
    return " ".join(word for word, _, _ in words_of(row))


def _share_columns(header: Sequence[Line], row: Sequence[Line]) -> bool:
    """Return whether a row has the columns of a header: each of its parts is aligned with one of the header."""
    columns, cells = (
        [(part[0][1], part[-1][2]) for part in _split(words_of(lines), _CELL_GAP * max(line.height for line in lines))]
        for lines in (header, row)
    )
    aligned = sum(any(_is_aligned(cell, column) for column in columns) for cell in cells)
    return len(columns) > 1 and aligned > 1 and aligned == len(cells)


def _is_aligned(cell: tuple[float, float], column: tuple[float, float]) -> bool:
    edges = (cell[0] - column[0], cell[1] - column[1], (sum(cell) - sum(column)) / 2)
    return min(map(abs, edges)) <= _SAME_EDGE
