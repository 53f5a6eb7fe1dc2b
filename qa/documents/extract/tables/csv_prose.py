"""Distinguish prose under the name of a table from a table (pure)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

# Characters that are looked at, words of a line that may be a sentence, and part of the characters in such lines.
_SAMPLE, _MIN_WORDS, _MIN_SENTENCES = 50_000, 4, 0.5
# Part of the delimiters that white space follows in prose, and part of the lines with equally many in a table.
_MIN_SPACED, _MIN_EVEN = 0.8, 0.8
_SENTENCE_END = (".", "!", "?")
_QUOTED_CELLS = re.compile(r'"[,;]"')


def is_prose(text: str, delimiter: str | None, text_column: str) -> bool:
    """Return whether a text has sentences and no structure of a table.

    Args:
        text: the whole file.
        delimiter: the delimiter of the most likely table; None if it has one column.
        text_column: the name of the text column; a first line with it is a header.
    """
    sample = text[:_SAMPLE]
    lines = [line.strip() for line in sample.splitlines()]
    filled = list(filter(None, lines))
    if not filled or filled[0].startswith('"') or _QUOTED_CELLS.search(sample):
        return False
    header = {cell.strip(" \"'").casefold() for cell in re.split(r"[,;\t|]", filled[0])}
    sentences = sum(len(line) for line in filled if len(line.split()) >= _MIN_WORDS)
    if text_column.casefold() in header or sentences < _MIN_SENTENCES * sum(map(len, filled)):
        return False
    return _is_wrapped(lines) if delimiter is None else _has_odd_delimiters(filled, delimiter)


def _is_wrapped(lines: Sequence[str]) -> bool:
    """Return whether lines are those of a letter or of paragraphs, rather than the cells of a column."""
    first = next(filter(None, lines))
    has_paragraphs = any(not before and line for before, line in pairwise(lines[lines.index(first) :]))
    continued = sum(
        1 for before, line in pairwise(lines) if before and line[:1].islower() and not before.endswith(_SENTENCE_END)
    )
    return has_paragraphs or first.endswith((",", ":")) or continued > len(lines) / 4


def _has_odd_delimiters(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether delimiters are punctuation: before spaces, and not equally many in each line."""
    if delimiter not in ",;":
        return False
    text = "\n".join(lines)
    spaced = len(re.findall(rf"{delimiter}(?:\s|$)", text))
    counts = Counter(line.count(delimiter) for line in lines)
    is_even = len(lines) > 1 and counts.most_common(1)[0][1] >= _MIN_EVEN * len(lines)
    return spaced >= _MIN_SPACED * text.count(delimiter) and not is_even
