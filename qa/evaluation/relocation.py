"""Find the labels of a text again in another extraction of the same file (pure).

Labels are spans of the text as it was when they were written. Better extraction changes white space, the bars between
cells, and now and then a few words, so both texts are aligned word by word.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from difflib import SequenceMatcher

from qa.types import Span

# Words and punctuation marks, but not the bars between cells.
_TOKEN = re.compile(r"\w+|[^\w\s|]")
# A label may gain a cell that was lost before; a label that grows by more than this is aligned wrongly.
_MAX_GROWTH, _MAX_GAINED_CHARACTERS = 1.5, 40


class Relocation:
    """Maps spans of an old text to spans of a new one."""

    def __init__(self, old: str, new: str) -> None:
        """Align the texts by words."""
        self._old, self._new = old, new
        self._old_tokens = [Span(*match.span()) for match in _TOKEN.finditer(old)]
        self._new_tokens = [Span(*match.span()) for match in _TOKEN.finditer(new)]
        self._old_starts = [token.start for token in self._old_tokens]
        self._old_ends = [token.end for token in self._old_tokens]
        self._aligned = {} if old == new else self._align()

    def find(self, span: Span) -> Span | None:
        """Return the span of the new text with the same words; None if they are not there."""
        if self._old == self._new:
            return span
        first = bisect_right(self._old_ends, span.start)
        last = bisect_left(self._old_starts, span.end) - 1
        if first > last:
            return None
        start, end = self._aligned.get(first), self._aligned.get(last)
        if start is None or end is None or end < start:
            return self._search(span, first)
        found = Span(self._new_tokens[start].start, self._new_tokens[end].end)
        return found if len(found) <= _MAX_GROWTH * len(span) + _MAX_GAINED_CHARACTERS else self._search(span, first)

    def _align(self) -> dict[int, int]:
        old_words = [token.of(self._old) for token in self._old_tokens]
        new_words = [token.of(self._new) for token in self._new_tokens]
        blocks = SequenceMatcher(None, old_words, new_words, autojunk=False).get_matching_blocks()
        return {old + i: new + i for old, new, size in blocks for i in range(size)}

    def _search(self, span: Span, first: int) -> Span | None:
        """Return the occurrence of the words that is nearest to where the text before them is."""
        words = [re.escape(match[0]) for match in _TOKEN.finditer(span.of(self._old))]
        before = next((self._aligned[i] for i in range(first, -1, -1) if i in self._aligned), 0)
        expected = self._new_tokens[before].start if self._new_tokens else 0
        matches = re.finditer(r"[\s|]*".join(words), self._new)
        spans = [s for s in (Span(*m.span()) for m in matches) if s.is_of_whole_words(self._new)]
        return min(spans, key=lambda s: abs(s.start - expected), default=None)
