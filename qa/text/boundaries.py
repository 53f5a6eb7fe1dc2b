"""Where a span of text may begin and end: never inside a word, never inside a grapheme (pure).

A word is an unbroken run of letters, digits, underscores and the marks and joiners that belong to them. Apostrophes and
hyphens end a word, as answers often do ("Maria" in "Maria's").
"""

from __future__ import annotations

import regex

from qa.types import Span

_WORD_PAIR = regex.compile(r"[\w\p{M}\u200c\u200d]{2}")
_GRAPHEME = regex.compile(r"\X")
# Flags are pairs of these: which two belong together is counted from where their run begins.
_FLAGS = regex.compile(r"[\U0001F1E6-\U0001F1FF]+")
# Far enough back to find where the grapheme around a place begins, for any that people write.
_REACH = 64


def is_boundary(text: str, place: int) -> bool:
    """Tell whether a span of `text` may begin or end at `place`; both ends of the text count as boundaries."""
    if not 0 < place < len(text):
        return True
    pair = text[place - 1 : place + 1]
    if _WORD_PAIR.fullmatch(pair) or pair == "\r\n":
        return False
    if pair.isascii():
        return True
    # A slice, so that the search cannot run back over a text of a million flags.
    before = text[max(0, place - _REACH) : place]
    if len(before) == _REACH and _FLAGS.fullmatch(before):
        return False
    return any(match.end() == len(before) for match in _GRAPHEME.finditer(before + text[place]))


def widen(text: str, span: Span) -> Span:
    """Return the smallest span around `span` that begins and ends at boundaries."""
    start, end = span.start, span.end
    while not is_boundary(text, start):
        start -= 1
    while not is_boundary(text, end):
        end += 1
    return Span(start, end)


def boundary_before(text: str, place: int, lowest: int) -> int:
    """Return the last boundary in `(lowest, place]`, or `place` itself if there is none."""
    for candidate in range(place, lowest, -1):
        if is_boundary(text, candidate):
            return candidate
    return place
