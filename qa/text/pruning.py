"""Cut a text down to some of its parts and the headings above them (pure)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from qa.text.columns import iter_lines
from qa.text.structure import find_structure, is_item
from qa.text.tables import row_spans, table_span
from qa.types import Mark, Span, Table, mark_at

# A longer line is a sentence.
_MAX_HEADING = 80
_MARKDOWN_HEADING = re.compile(r"\s{0,3}#{1,6}\s")
_NUMBERED = re.compile(r"\s*\d")
# The end of a sentence, or of a line that continues.
_SENTENCE_MARKS = ".!?…;,"


def prune(text: str, parts: Iterable[Span], marks: Sequence[Mark] = (), tables: Sequence[Table] = ()) -> str:
    """Return the parts of a text that are kept, in the order of the text, below their headings.

    The headings are the section that the marks name and the header rows of a table. Where the marks name no sections,
    as in plain text, a short line above a paragraph is a heading.

    Args:
        text: the text.
        parts: what is kept, in any order.
        marks: the sections of the text, ascending.
        tables: its tables, ascending.

    Returns:
        Pieces of the text, verbatim, with their white space if they were neighbours; empty without parts.
    """
    parts = list(parts)
    if not parts:
        return ""
    if any(mark.section for mark in marks):
        headings = [heading for part in parts for heading in _section_heading(text, marks, part.start)]
    else:
        lines = find_headings(text)
        headings = [heading for part in parts for heading in _headings_above(text, lines, part.start)]
    header_rows = [row for part in parts for row in _header_rows(tables, part.start)]
    return _join(text, _merge([*parts, *headings, *header_rows]))


def find_headings(text: str) -> list[Span]:
    """Return the lines of a plain text that are headings: short, first in a paragraph, and without a full stop."""
    hard_ends = set(find_structure(text).edges)
    lines = [line for line in iter_lines(text, Span(0, len(text))) if line.of(text).strip()]
    headings: list[Span] = []
    end_above = 0
    for line, below in pairwise(lines):
        content = line.of(text)
        # A heading may be right above the next one.
        begins_paragraph = text.count("\n", end_above, line.start) != 1 or (headings and headings[-1].end >= end_above)
        if _MARKDOWN_HEADING.match(content) or (
            begins_paragraph and line.end in hard_ends and _is_title(content, below.of(text))
        ):
            headings.append(line)
        end_above = line.end
    return [_strip(text, heading) for heading in headings]


def _is_title(content: str, following: str) -> bool:
    """Return whether a line may be the title of what follows."""
    title = content.strip()
    if len(title) > _MAX_HEADING or "|" in title or title[-1] in _SENTENCE_MARKS or title[0].islower():
        return False
    # A numbered line is a heading, unless the next one continues a list.
    if is_item(content):
        return bool(_NUMBERED.match(content)) and not is_item(following)
    return any(character.isalpha() for character in title)


def _headings_above(text: str, headings: Sequence[Span], offset: int) -> Iterator[Span]:
    """Yield the heading nearest above an offset, and those with nothing between them and it."""
    number = bisect_right(headings, offset, key=lambda heading: heading.end) - 1
    while number >= 0:
        yield headings[number]
        if number == 0 or text[headings[number - 1].end : headings[number].start].strip():
            return
        number -= 1


def _section_heading(text: str, marks: Sequence[Mark], offset: int) -> Iterator[Span]:
    """Yield the heading of the section at an offset, if the text has it as the beginning of a line."""
    mark = mark_at(marks, offset)
    if mark is None or not mark.section:
        return
    # A section continues on the next page.
    first = marks.index(mark)
    while first > 0 and marks[first - 1].section == mark.section:
        first -= 1
    found = re.compile(rf"^[ \t]*{re.escape(mark.section)}", re.MULTILINE).search(text, marks[first].start, offset)
    if found:
        yield _strip(text, Span(*found.span()))


def _header_rows(tables: Sequence[Table], offset: int) -> Iterator[Span]:
    """Yield the header rows of the table at an offset."""
    number = bisect_right(tables, offset, key=lambda table: table.start) - 1
    if number >= 0 and offset < table_span(tables[number]).end:
        table = tables[number]
        yield from (row for row, _ in zip(row_spans(table), range(table.header_rows), strict=False))


def _merge(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that overlap as one."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _join(text: str, pieces: Sequence[Span]) -> str:
    """Return pieces as one text, which is never longer than the text they come from."""
    joined = [pieces[0].of(text)]
    for before, piece in pairwise(pieces):
        gap = text[before.end : piece.start]
        if gap.strip():
            gap = "\n\n" if re.search(r"\n[ \t\r]*\n", gap) else "\n" if "\n" in gap else " "
        joined += [gap, piece.of(text)]
    return "".join(joined)


def _strip(text: str, span: Span) -> Span:
    content = span.of(text)
    return Span(span.start + len(content) - len(content.lstrip()), span.start + len(content.rstrip()))
