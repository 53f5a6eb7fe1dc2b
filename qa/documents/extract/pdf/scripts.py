"""Mark raised and lowered characters in the lines of a PDF page, and compose letters with their accents (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from qa.documents.extract.pdf.geometry import Places

SMALL = 0.92
"""A character below this share of the line's height may be raised or lowered."""

# In line heights: the least distance from the base line of raised and of lowered characters, and the greatest.
_RAISED, _LOWERED, _MAX_SHIFT = 0.12, 0.08, 0.9
_ORDINAL = re.compile(r"st|nd|rd|th|er|re|e|o|a|º|ª", re.IGNORECASE)
_NUMBER = re.compile(r"[+\-−–]?\d+(?:[.,/]\d+)*")
_SMALL_NUMBER = re.compile(r"[+\-−–]?\d")
_LAST_LETTERS = re.compile(r"[^\W\d_]+$")
_UNITS = frozenset(
    ("mm", "cm", "dm", "km", "nm", "µm", "μm", "ft", "in", "yd", "mi", "sec", "min", "hr", "kg", "mol", "px", "inch")
)
# Longer than any unit.
_LONGEST_UNIT = 10
_ACCENTS = {"´": "\u0301", "`": "\u0300", "¨": "\u0308", "ˆ": "\u0302", "˜": "\u0303", "¸": "\u0327", "ˇ": "\u030c"}
_ACCENTS |= {"¯": "\u0304", "˘": "\u0306", "˚": "\u030a", "˝": "\u030b", "˛": "\u0328", "˙": "\u0307"}
# A grave accent is mostly a quotation mark, unless it is before a vowel.
_ACCENT = re.compile(f"[{''.join(_ACCENTS).replace('`', '')}]|`[aeiouAEIOUı]")


class _Glyph(NamedTuple):
    """A character on a page, its box and its number; the box has room for the tallest letters of its font.

    The box of a space is not set, and the number of a character that is not on the page is -1.
    """

    text: str
    left: float
    bottom: float
    right: float
    top: float
    number: int


def has_accent(text: str) -> bool:
    """Return whether a text has separate accents, which may belong to the letters beside them."""
    return _ACCENT.search(text) is not None


def mark_words(
    text: str, numbers: Sequence[int], extent: tuple[float, float], places: Places
) -> list[tuple[str, float, float]]:
    """Return the words of a line with raised and lowered characters marked, and with accents composed.

    Args:
        text: the characters of the line.
        numbers: the number of each character on the page.
        extent: lower and upper edge of the characters of the usual height.
        places: where the characters are.
    """
    boxes = places.boxes_of(text, numbers)
    glyphs = [
        _Glyph(character, *box, number) if box else _space()
        for character, number, box in zip(text, numbers, boxes, strict=True)
    ]
    usual = next(glyph for glyph in glyphs if (glyph.bottom, glyph.top) == extent)
    glyphs = list(_mark_scripts(glyphs, usual, places))
    if has_accent(text):
        glyphs = list(_compose_accents(glyphs))
    words = [list(group) for is_space, group in groupby(glyphs, lambda glyph: glyph.text == " ") if not is_space]
    return [("".join([glyph.text for glyph in word]), word[0].left, word[-1].right) for word in words]


def _space() -> _Glyph:
    return _Glyph(" ", 0.0, 0.0, 0.0, 0.0, -1)


def _mark_scripts(glyphs: Sequence[_Glyph], usual: _Glyph, places: Places) -> Iterator[_Glyph]:
    """Yield the characters of a line, with a caret, an underscore or a space before those that need it."""
    height, base = usual.top - usual.bottom, places.baseline_of(usual.number)

    def shift(glyph: _Glyph) -> int:
        if glyph.text == " " or glyph.top - glyph.bottom >= SMALL * height:
            return 0
        distance = (places.baseline_of(glyph.number) - base) / max(height, 1.0)
        return (_RAISED <= distance <= _MAX_SHIFT) - (-_MAX_SHIFT <= distance <= -_LOWERED)

    parts = [(shifted, list(group)) for shifted, group in groupby(glyphs, shift)]
    for number, (shifted, group) in enumerate(parts):
        before, after = (
            "".join(glyph.text for glyph in parts[near][1]) if 0 <= near < len(parts) else ""
            for near in (number - 1, number + 1)
        )
        text = "".join(glyph.text for glyph in group)
        mark = ""
        if shifted > 0:
            mark = _mark_raised(before, text, after)
        elif shifted < 0 and before[-1:].isdecimal() and text[:1].isdecimal():
            mark = "_"
        if mark == " ":
            yield _space()
        elif mark:
            yield group[0]._replace(text=mark, right=group[0].left)
        yield from group
        is_mark = shifted > 0 and not before.rpartition(" ")[2] and text[-1:].isdecimal()
        if is_mark and after[:3].isalpha() and len(after) >= 3:
            yield _space()


def _mark_raised(before: str, raised: str, after: str) -> str:
    """Return what separates raised text from the text before it: a caret, a space or nothing."""
    last = before[-1:]
    if not last or last == " " or (last.isdecimal() and _ORDINAL.fullmatch(raised)):
        return ""
    if last.isdecimal() and raised.isdecimal() and after[:1] in ("/", "⁄"):
        return " "
    is_number = _NUMBER.fullmatch(raised) is not None
    if last.isdecimal() or last in ")]":
        return "^" if is_number or raised.isalnum() else ""
    letters = _LAST_LETTERS.search(before[-_LONGEST_UNIT:])
    if letters and (len(letters[0]) == 1 or (letters[0] in _UNITS and _SMALL_NUMBER.fullmatch(raised))):
        # In the logo LaTeX the raised letter is part of the word.
        is_letter = len(raised) == 1 and raised.isalpha() and not after[:1].isalpha()
        return "^" if is_number or is_letter else ""
    return " " if raised[0].isdecimal() and raised[-1] not in "+-−–" else ""


def _compose_accents(glyphs: Sequence[_Glyph]) -> Iterator[_Glyph]:
    """Yield characters, with each accent that is drawn over or under a letter as part of it."""
    pending: _Glyph | None = None
    for glyph in glyphs:
        if pending is None:
            pending = glyph
            continue
        composed = _compose(pending, glyph) or _compose(glyph, pending)
        if composed:
            pending = pending._replace(
                text=composed, left=min(pending.left, glyph.left), right=max(pending.right, glyph.right)
            )
        else:
            yield pending
            pending = glyph
    if pending:
        yield pending


def _compose(accent: _Glyph, letter: _Glyph) -> str:
    """Return the letter with the accent; empty if they are not one character."""
    mark = _ACCENTS.get(accent.text)
    shared = min(accent.right, letter.right) - max(accent.left, letter.left)
    if mark is None or not letter.text.isalpha() or shared < (accent.right - accent.left) / 2:
        return ""
    base = {"ı": "i", "ȷ": "j"}.get(letter.text, letter.text)
    composed = unicodedata.normalize("NFC", base + mark)
    return composed if len(composed) == 1 else ""
