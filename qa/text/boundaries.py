"""Word and grapheme boundaries: the positions at which a span of text may begin or end (pure).

A word is an unbroken run of letters, digits, underscores and the marks and joiners that belong to them. Apostrophes and
hyphens end a word, because answers often end there ("Maria" in "Maria's").
"""

from __future__ import annotations

import regex

from qa.types import Span

_WORD_PAIR = regex.compile(r"[\w\p{M}\u200c\u200d]{2}")
_GRAPHEME = regex.compile(r"\X")
# Regional indicators: two make a flag. Which two belong together depends on where their run begins.
_FLAGS = regex.compile(r"[\U0001F1E6-\U0001F1FF]+")
# Characters to look back for the start of a grapheme; longer than any grapheme in real text.
_LOOK_BACK = 64


def is_boundary(text: str, position: int) -> bool:
    """Return whether a span of `text` may begin or end at `position`; both ends of the text are boundaries."""
    if not 0 < position < len(text):
        return True
    pair = text[position - 1 : position + 1]
    if _WORD_PAIR.fullmatch(pair) or pair == "\r\n":
        return False
    if pair.isascii():
        return True
    # A slice, so that the search cannot run back over a text of a million flags.
    before = text[max(0, position - _LOOK_BACK) : position]
    if len(before) == _LOOK_BACK and _FLAGS.fullmatch(before):
        return False
    return any(match.end() == len(before) for match in _GRAPHEME.finditer(before + text[position]))


def widen(text: str, span: Span) -> Span:
    """Return the smallest span around `span` that begins and ends at boundaries."""
    start, end = span.start, span.end
    while not is_boundary(text, start):
        start -= 1
    while not is_boundary(text, end):
        end += 1
    return Span(start, end)


def boundary_before(text: str, position: int, lowest: int) -> int:
    """Return the last boundary in `(lowest, position]`, or `position` itself if there is none."""
    for candidate in range(position, lowest, -1):
        if is_boundary(text, candidate):
            return candidate
    return position
