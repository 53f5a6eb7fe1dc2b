"""Document ─► passages: whole sentences, at most 200 tokens and 2,000 characters, each with its exact place.

langchain-text-splitters finds the units: short paragraphs, else sentences, else lines, else clauses. Its chunks carry
no trustworthy offsets, so each unit is looked up in the text behind the one before, edges that fall inside a word or a
grapheme are moved back to the last boundary, and what is still too long is cut between words. A table that fits into a
passage is one unit, of a longer one each row that does. Units are then packed by counting token offsets: a length
function that tokenises each piece anew would crawl.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from langchain_text_splitters import RecursiveCharacterTextSplitter

from qa.documents.extract.text_builder import CELLS_BETWEEN
from qa.text.boundaries import boundary_before, is_boundary
from qa.text.boxes import boxes_within
from qa.text.sentences import AFTER_PARAGRAPH, AFTER_SENTENCE, LONGEST_SENTENCE
from qa.types import Document, Passage, Span, marks_within

MAX_TOKENS = 200
MAX_CHARACTERS = 2_000
OVERLAP_TOKENS = 50
OVERLAP_CHARACTERS = 400
BLOCK_CHARACTERS = 50_000
# Names what decides where passages fall, and under which titles they are found and read; part of an index's
# specification and of the calibration's.
IDENTITY = f"sentences-{MAX_TOKENS}t-{MAX_CHARACTERS}c-{OVERLAP_TOKENS}o-v2"
# Passages of this way and of those that earlier versions had can stand in one index.
MIXED_WITH = frozenset({IDENTITY, f"sentences-{MAX_TOKENS}t-{MAX_CHARACTERS}c-{OVERLAP_TOKENS}o-v1"})

TokenStarts = Callable[[str], Sequence[int]]

# A passage that begins inside a token has one more than the text around it.
_TOKENS = MAX_TOKENS - 1
_SEPARATORS = [
    AFTER_PARAGRAPH,
    rf"(?<=[.!?…]){AFTER_SENTENCE}",
    r"\r?\n",
    r"(?<=[;:,)])\s+",
]
_LINE = re.compile(r"[^\n]+\n?|\n")
# Of a paragraph, with cells in them, for it to be a table; and more than half of its lines.
_FEWEST_ROWS = 2


def split(document: Document, token_starts: TokenStarts) -> list[Passage]:
    """Cut a document into passages.

    Args:
        document: any text; white space alone gives no passage.
        token_starts: gives, for a text, the ascending code points where its tokens start.

    Returns:
        Passages in order; `passage.text == document.text[passage.span]`. Neighbours may share sentences.
        An edge falls inside a word only where the word alone is longer than a passage; `Passage.cut` says so.
    """
    text = document.text
    passages = []
    for block in _blocks(text):
        starts = [block.start + start for start in token_starts(block.of(text))]
        for packed in _pack(list(_units(text, block, starts)), starts):
            span = _stripped(text, packed)
            if len(span):
                cut = (not is_boundary(text, span.start), not is_boundary(text, span.end))
                marks, boxes = marks_within(document.marks, span), boxes_within(document.boxes, span)
                passages.append(Passage(document.id, span, span.of(text), cut, marks, boxes))
    return passages


def _blocks(text: str) -> Iterator[Span]:
    """Cut a long text where a paragraph, a line or a word ends, so that no later step sees more than a block."""
    start = 0
    while len(text) - start > BLOCK_CHARACTERS:
        limit = start + BLOCK_CHARACTERS
        for separator in ("\n\n", "\n", " "):
            end = text.rfind(separator, start + BLOCK_CHARACTERS // 2, limit) + len(separator)
            if end >= len(separator) and is_boundary(text, end):
                break
        else:
            end = boundary_before(text, limit, limit - MAX_CHARACTERS)
        yield Span(start, end)
        start = end
    if start < len(text):
        yield Span(start, len(text))


def _unit_size(piece: str) -> int:
    """A size by which the splitter keeps short pieces whole, never joins two, and takes long ones apart.

    It splits what is not under its chunk size of 5, and joins neighbours only up to it.
    """
    return 0 if not piece else 3 if len(piece) <= LONGEST_SENTENCE else 6


_SPLITTER = RecursiveCharacterTextSplitter(
    separators=_SEPARATORS,
    is_separator_regex=True,
    keep_separator="end",
    chunk_size=5,
    chunk_overlap=0,
    length_function=_unit_size,
    strip_whitespace=False,
)


def _units(text: str, block: Span, token_starts: Sequence[int]) -> Iterator[Span]:
    """Yield the units of a block: together they cover it, and each is within the limits of a passage."""
    whole = list(_kept_whole(text, block, token_starts))
    inside = [place for span in whole for place in (span.start, span.end)]
    # Behind an odd number of those places one of them has begun and not ended.
    outside = (edge for edge in _edges(text, block) if bisect_right(inside, edge) % 2 == 0)
    start = block.start
    for edge in sorted({*outside, *inside} - {block.start}):
        yield from _within_limits(text, Span(start, edge), token_starts)
        start = edge


def _edges(text: str, block: Span) -> Iterator[int]:
    """Yield where the splitter's pieces end, moved out of words and graphemes, and the end of the block."""
    cursor, end = block.start, block.start
    for piece in _SPLITTER.split_text(block.of(text)):
        found = text.find(piece, end, block.end)
        if found < 0:
            raise ValueError(f"the splitter gave a piece that is not in the text behind {end}")
        end = found + len(piece)
        cursor = boundary_before(text, end, cursor) if end < block.end else end
        yield cursor
    if cursor < block.end:
        yield block.end


def _kept_whole(text: str, block: Span, token_starts: Sequence[int]) -> Iterator[Span]:
    """Yield the tables of a block that fit into a passage, and of those that do not the rows that do."""

    def fits(span: Span) -> bool:
        tokens = bisect_left(token_starts, span.end) - bisect_left(token_starts, span.start)
        return tokens <= _TOKENS and len(span) <= MAX_CHARACTERS

    lines = (Span(*found.span()) for found in _LINE.finditer(text, block.start, block.end))
    for is_blank, run in groupby(lines, key=lambda line: not line.of(text).strip()):
        rows = list(run)
        with_cells = 0 if is_blank else sum(CELLS_BETWEEN in row.of(text) for row in rows)
        if with_cells >= _FEWEST_ROWS and 2 * with_cells > len(rows):
            table = Span(rows[0].start, rows[-1].end)
            yield from [table] if fits(table) else filter(fits, rows)


def _within_limits(text: str, unit: Span, token_starts: Sequence[int]) -> Iterator[Span]:
    start = unit.start
    while start < unit.end:
        beyond = bisect_left(token_starts, start) + _TOKENS
        end = min(unit.end, start + MAX_CHARACTERS, token_starts[beyond] if beyond < len(token_starts) else unit.end)
        if end < unit.end:
            end = boundary_before(text, end, start)
        yield Span(start, end)
        start = end


def _pack(units: Sequence[Span], token_starts: Sequence[int]) -> Iterator[Span]:
    """Join neighbouring units up to the limits; begin each passage with the last units of the one before."""

    def tokens(first: int, last: int) -> int:
        return bisect_left(token_starts, units[last].end) - bisect_left(token_starts, units[first].start)

    first = 0
    while first < len(units):
        last = first
        while (
            last + 1 < len(units)
            and tokens(first, last + 1) <= _TOKENS
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
            and tokens(following - 1, last + 1) <= _TOKENS
            and units[last + 1].end - units[following - 1].start <= MAX_CHARACTERS
        ):
            following -= 1
        first = following


def _stripped(text: str, span: Span) -> Span:
    """Return the span without white space at its ends, as far as that leaves graphemes whole."""
    covered = span.of(text)
    if covered.isspace():
        return Span(span.start, span.start)
    start = span.end - len(covered.lstrip())
    end = span.start + len(covered.rstrip())
    while start > span.start and not is_boundary(text, start):
        start -= 1
    while end < span.end and not is_boundary(text, end):
        end += 1
    return Span(start, end)
