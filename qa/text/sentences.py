"""Sentence boundaries in plain English text (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_SENTENCE = 400
"""Characters. A longer piece is a table or a list and is split into lines."""

_ABBREVIATIONS = ("Mr", "Mrs", "Ms", "Dr", "Prof", "St", "No", "vs", "Gen", "Sen", "Rep", "Gov", "Inc", "Fig", "etc")
_NOT_AFTER_ABBREVIATION = "".join(rf"(?<!\b{word}\.)" for word in _ABBREVIATIONS) + r"(?<!\b[A-Z]\.)"
AFTER_SENTENCE = rf"{_NOT_AFTER_ABBREVIATION}[\"'”’»)\]]*\s+"
"""Regular expression for what follows the full stop of a sentence: closing quotes and brackets, then white space."""

AFTER_PARAGRAPH = r"\r?\n[ \t]*\r?\n\s*"
"""Regular expression for the blank lines between two paragraphs."""

_PARAGRAPH_END = re.compile(AFTER_PARAGRAPH)
# A pattern that begins with the full stop itself matches several times as fast as one with a look-behind.
_SENTENCE_END = re.compile(rf"[.!?…]{AFTER_SENTENCE}")


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text without their end marks; pieces over `LONGEST_SENTENCE` are yielded as lines."""
    for paragraph in _PARAGRAPH_END.split(text):
        for piece in _SENTENCE_END.split(paragraph):
            yield from piece.splitlines() if len(piece) > LONGEST_SENTENCE else (piece,)


def sentence_ends(text: str) -> Iterator[int]:
    """Yield the offsets after the sentences of a text and the white space behind them; paragraphs end sentences too."""
    for pattern in (_PARAGRAPH_END, _SENTENCE_END):
        yield from (match.end() for match in pattern.finditer(text))
