"""Cut a text into the units in which evidence is scored: table rows, and the sentences of each line (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from qa.text.sentences import AFTER_SENTENCE
from qa.text.tables import row_spans
from qa.types import Span, Table

_LINE = re.compile(r"[^\n]*\S[^\n]*")
_SENTENCE_END = re.compile(rf"(?<=[.!?…]){AFTER_SENTENCE}")


def find_units(text: str, tables: Sequence[Table] = ()) -> list[Span]:
    """Return the units of a text, ascending; none overlap."""
    units: list[Span] = []
    start = 0
    for row in (row for table in tables for row in row_spans(table)):
        units += _sentences(text, start, row.start)
        units.append(row)
        start = row.end
    return [*units, *_sentences(text, start, len(text))]


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    for line in _LINE.finditer(text, start, end):
        first = line.start() + len(line[0]) - len(line[0].lstrip())
        for match in _SENTENCE_END.finditer(text, first, line.end()):
            if match.end() < line.end():
                yield Span(first, match.start())
                first = match.end()
        last = line.start() + len(line[0].rstrip())
        if first < last:
            yield Span(first, last)
