"""Sentence boundaries in plain English text (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_SENTENCE = 400
"""Characters. A longer piece is a table or a list, and is split into lines."""

_ABBREVIATIONS = ("Mr", "Mrs", "Ms", "Dr", "Prof", "St", "No", "vs", "Gen", "Sen", "Rep", "Gov", "Inc", "Fig", "etc")
_NOT_AFTER_ABBREVIATION = "".join(rf"(?<!\b{word}\.)" for word in _ABBREVIATIONS) + r"(?<!\b[A-Z]\.)"
AFTER_SENTENCE = rf"{_NOT_AFTER_ABBREVIATION}[\"'”’»)\]]*\s+"
AFTER_PARAGRAPH = r"\r?\n[ \t]*\r?\n\s*"
_PARAGRAPH_END = re.compile(AFTER_PARAGRAPH)
# Beginning with the full stop itself, it is found several times as fast.
_SENTENCE_END = re.compile(rf"[.!?…]{AFTER_SENTENCE}")


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text without what ends them; of what is too long for one, a table or a list, lines."""
    for paragraph in _PARAGRAPH_END.split(text):
        for piece in _SENTENCE_END.split(paragraph):
            yield from piece.splitlines() if len(piece) > LONGEST_SENTENCE else (piece,)
