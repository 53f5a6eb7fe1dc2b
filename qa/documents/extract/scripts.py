"""Superscripts and subscripts as they are written on one line: `10^6`, `x^(n+1)`, `H2O` (pure)."""

from __future__ import annotations

import re

_SIGN = "+\\-−–"
# One letter, number or name, or one group in brackets, needs no brackets around it.
_ATOM = re.compile(rf"[^\W\d_]|[{_SIGN}]?\d+(?:[.,]\d+)*|√?\([^()]*\)|\[[^\[\]]*\]|[A-Za-z]{{2,}}|\W")
# Neither does a charge, such as `2+`.
_CHARGE = re.compile(rf"\d+[{_SIGN}]")
# Raised text that continues a word as it is.
_PLAIN = re.compile(r"st|nd|rd|th|tm|sm|[®©™°ºª]|\[.*\]|\(.*\)|[*†‡′″‴]+", re.IGNORECASE)
_ORDINAL = re.compile(r"e|er|re|o|a", re.IGNORECASE)
_ABBREVIATION = re.compile(r"[^\W\d_]{2,}\.?")
# No exponent follows these.
_SENTENCE_MARKS = frozenset(".,;:!?\"'”’»")
_NOTES = re.compile(r"\d+(?:\s?[,–-]\s?\d+)*|\S")


def group(text: str) -> str:
    """Return a text in brackets, unless it is one letter, number or bracketed group."""
    return text if not text or _ATOM.fullmatch(text) else f"({text})"


def exponent(text: str) -> str:
    """Return an exponent with its sign: `^6`, or `^(n+1)` if it has more than one term."""
    return f"^{text}" if _CHARGE.fullmatch(text) else f"^{group(text)}"


def superscript(before: str, raised: str, *, is_link: bool = False) -> str:
    """Return raised text as it continues a text: `^6` after `10`, but `th` after `5`, and `[1]` after a full stop.

    A raised number is never joined to the word or number before it.

    Args:
        before: the text before it; its last character is enough.
        raised: the raised text, perhaps with white space around it.
        is_link: whether it links to a note.
    """
    text, last = raised.strip(), before[-1:]
    if not text or _PLAIN.fullmatch(text):
        return raised
    if is_link or last in _SENTENCE_MARKS:
        shown = f"[{text}]" if _NOTES.fullmatch(text) else f" {text}"
    elif not last.strip() or (_ORDINAL if last.isdecimal() else _ABBREVIATION).fullmatch(text):
        return raised
    else:
        shown = exponent(text)
    return raised.replace(text, shown, 1)


def subscript(before: str, lowered: str) -> str:
    """Return lowered text as it continues a text: joined as in `H2O`, but `_2` after a digit."""
    return f"_{lowered}" if before[-1:].isdecimal() and lowered[:1].isdecimal() else lowered
