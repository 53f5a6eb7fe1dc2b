"""Split documents into passages: whole sentences, at most 200 tokens and 2,000 characters, with exact offsets.

langchain-text-splitters cuts the text into units: short paragraphs, else sentences, else lines, else clauses. Its
chunks carry no reliable offsets, so each unit is located in the text after the previous one. An edge inside a word or a
grapheme moves back to the last boundary, and a unit that is still too long is cut between words. A table that fits into
a passage is one unit; in a longer table, each row that fits is one. Units are then packed by counting token offsets,
because a length function that tokenises each piece again is far too slow.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from qa.text.boundaries import boundary_before, is_boundary
from qa.text.boxes import boxes_within
from qa.text.lead_in import find_lead_in
from qa.text.sentences import AFTER_PARAGRAPH, AFTER_SENTENCE, LONGEST_SENTENCE
from qa.text.tables import CELL_SEPARATOR, tables_within
from qa.types import Document, Passage, Span, marks_within

if TYPE_CHECKING:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

MAX_TOKENS = 200
MAX_CHARACTERS = 2_000
OVERLAP_TOKENS = 50
OVERLAP_CHARACTERS = 400
BLOCK_CHARACTERS = 50_000
# Identifies the rules that decide where passages begin and end and which headings they are searched and read under.
# Part of an index's specification and of the calibration.
IDENTITY = f"sentences-{MAX_TOKENS}t-{MAX_CHARACTERS}c-{OVERLAP_TOKENS}o-v3"
# Passages split by any of these versions can share an index.
MIXED_WITH = frozenset(f"sentences-{MAX_TOKENS}t-{MAX_CHARACTERS}c-{OVERLAP_TOKENS}o-v{number}" for number in (1, 2, 3))

TokenStarts = Callable[[str], Sequence[int]]
"""Returns the ascending code points at which the tokens of a text start."""

# One less than the limit: a passage that begins inside a token has one token more than the text around it.
_MAX_UNIT_TOKENS = MAX_TOKENS - 1
_SEPARATORS = [
    AFTER_PARAGRAPH,
    rf"(?<=[.!?…]){AFTER_SENTENCE}",
    r"\r?\n",
    r"(?<=[;:,)])\s+",
]
_LINE = re.compile(r"[^\n]+\n?|\n")
# A paragraph with at least this many rows, and rows in more than half of its lines, is a table.
_MIN_ROWS = 2


def split(document: Document, token_starts: TokenStarts) -> list[Passage]:
    """Split a document into passages.

    Args:
        document: any text; white space alone gives no passage.
        token_starts: the embedder's tokeniser.

    Returns:
        Passages in order; `passage.text == document.text[passage.span]`. Neighbours may share sentences.
        An edge falls inside a word only where the word alone is longer than a passage; `Passage.cut` marks such edges.
    """
    text = document.text
    passages = []
    for block in (block for part in _searchable_parts(document) for block in _cut_blocks(text, part)):
        starts = [block.start + start for start in token_starts(block.of(text))]
        for packed in _pack(list(_find_units(text, block, starts)), starts):
            span = _strip(text, packed)
            if len(span):
                cut = (not is_boundary(text, span.start), not is_boundary(text, span.end))
                marks, boxes = marks_within(document.marks, span), boxes_within(document.boxes, span)
                tables = tables_within(document.tables, span)
                lead_in = find_lead_in(text, span.start, tables)
                passages.append(Passage(document.id, span, span.of(text), cut, marks, boxes, tables, lead_in))
    return passages


def _searchable_parts(document: Document) -> Iterator[Span]:
    """Yield the parts of a text between its tables of contents and indexes; the whole text if these are all of it."""
    ends = [*(mark.start for mark in document.marks[1:]), len(document.text)]
    left_out = [Span(m.start, end) for m, end in zip(document.marks, ends, strict=False) if m.kind == "contents"]
    edges = [0, *(edge for span in left_out for edge in (span.start, span.end)), len(document.text)]
    parts = [Span(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]
    yield from parts or [Span(0, len(document.text))]


def _cut_blocks(text: str, part: Span) -> Iterator[Span]:
    """Cut a long text after a paragraph, a line or a word, so that later steps never see more than one block."""
    start = part.start
    while part.end - start > BLOCK_CHARACTERS:
        limit = start + BLOCK_CHARACTERS
        for separator in ("\n\n", "\n", " "):
            end = text.rfind(separator, start + BLOCK_CHARACTERS // 2, limit) + len(separator)
            if end >= len(separator) and is_boundary(text, end):
                break
        else:
            end = boundary_before(text, limit, limit - MAX_CHARACTERS)
        yield Span(start, end)
        start = end
    if start < part.end:
        yield Span(start, part.end)


def _unit_size(piece: str) -> int:
    """Return a size with which the splitter keeps short pieces whole, never joins two, and splits long ones.

    The splitter splits pieces of its chunk size of 5 or more, and joins neighbours only up to that size.
    """
    return 0 if not piece else 3 if len(piece) <= LONGEST_SENTENCE else 6


@cache
def _splitter() -> RecursiveCharacterTextSplitter:
    # The library takes about a second to import; commands that split no text do not wait for it.
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    return RecursiveCharacterTextSplitter(
        separators=_SEPARATORS,
        is_separator_regex=True,
        keep_separator="end",
        chunk_size=5,
        chunk_overlap=0,
        length_function=_unit_size,
        strip_whitespace=False,
    )


def _find_units(text: str, block: Span, token_starts: Sequence[int]) -> Iterator[Span]:
    """Yield the units of a block: together they cover it, and each is within the limits of a passage."""
    tables = list(_find_tables(text, block, token_starts))
    table_edges = [edge for span in tables for edge in (span.start, span.end)]
    # A position with an odd number of table edges at or before it is inside a table.
    outside = (edge for edge in _find_edges(text, block) if bisect_right(table_edges, edge) % 2 == 0)
    start = block.start
    for edge in sorted({*outside, *table_edges} - {block.start}):
        yield from _cut_to_limits(text, Span(start, edge), token_starts)
        start = edge


def _find_edges(text: str, block: Span) -> Iterator[int]:
    """Yield the ends of the splitter's pieces, moved out of words and graphemes, and the end of the block."""
    cursor, end = block.start, block.start
    for piece in _splitter().split_text(block.of(text)):
        start = text.find(piece, end, block.end)
        if start < 0:
            raise ValueError(f"the splitter returned a piece that is not in the text after offset {end}")
        end = start + len(piece)
        cursor = boundary_before(text, end, cursor) if end < block.end else end
        yield cursor
    if cursor < block.end:
        yield block.end


def _find_tables(text: str, block: Span, token_starts: Sequence[int]) -> Iterator[Span]:
    """Yield the tables of a block that fit into a passage; of a larger table, the rows that fit."""

    def fits(span: Span) -> bool:
        tokens = bisect_left(token_starts, span.end) - bisect_left(token_starts, span.start)
        return tokens <= _MAX_UNIT_TOKENS and len(span) <= MAX_CHARACTERS

    lines = (Span(*match.span()) for match in _LINE.finditer(text, block.start, block.end))
    for is_blank, group in groupby(lines, key=lambda line: not line.of(text).strip()):
        paragraph = list(group)
        rows = 0 if is_blank else sum(CELL_SEPARATOR in line.of(text) for line in paragraph)
        if rows >= _MIN_ROWS and 2 * rows > len(paragraph):
            table = Span(paragraph[0].start, paragraph[-1].end)
            yield from [table] if fits(table) else filter(fits, paragraph)


def _cut_to_limits(text: str, unit: Span, token_starts: Sequence[int]) -> Iterator[Span]:
    """Yield a unit in pieces that are within the limits of a passage."""
    start = unit.start
    while start < unit.end:
        beyond = bisect_left(token_starts, start) + _MAX_UNIT_TOKENS
        end = min(unit.end, start + MAX_CHARACTERS, token_starts[beyond] if beyond < len(token_starts) else unit.end)
        if end < unit.end:
            end = boundary_before(text, end, start)
        yield Span(start, end)
        start = end


def _pack(units: Sequence[Span], token_starts: Sequence[int]) -> Iterator[Span]:
    """Join neighbouring units up to the limits; begin each passage with the last units of the previous one."""

    def tokens(first: int, last: int) -> int:
        return bisect_left(token_starts, units[last].end) - bisect_left(token_starts, units[first].start)

    first = 0
    while first < len(units):
        last = first
        while (
            last + 1 < len(units)
            and tokens(first, last + 1) <= _MAX_UNIT_TOKENS
            and units[last + 1].end - units[first].start <= MAX_CHARACTERS
        ):
            last += 1
        yield Span(units[first].start, units[last].end)
        if last + 1 == len(units):
            return
        following = last + 1
        while (
            following - 1 > first
            and tokens(following - 1, last) <= OVERLAP_TOKENS
            and units[last].end - units[following - 1].start <= OVERLAP_CHARACTERS
            and tokens(following - 1, last + 1) <= _MAX_UNIT_TOKENS
            and units[last + 1].end - units[following - 1].start <= MAX_CHARACTERS
        ):
            following -= 1
        first = following


def _strip(text: str, span: Span) -> Span:
    """Return the span without white space at its ends, except where that would split a grapheme."""
    content = span.of(text)
    if content.isspace():
        return Span(span.start, span.start)
    start = span.end - len(content.lstrip())
    end = span.start + len(content.rstrip())
    while start > span.start and not is_boundary(text, start):
        start -= 1
    while end < span.end and not is_boundary(text, end):
        end += 1
    return Span(start, end)
