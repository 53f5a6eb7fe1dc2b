"""Mark program listings: lines in a font whose characters all have the same width (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from qa.documents.extract.pdf.blocks import split_line
from qa.documents.extract.pdf.layout import LISTING_STEP, Line, restore_hyphen

# How far the widths of characters may differ, and how far a gap between words may be from a multiple of that width.
_TOLERANCE, _GAP_TOLERANCE = 0.015, 0.15
# Characters that are narrow or wide in other fonts. Digits are not among them: they have one width in most fonts.
_NARROW, _WIDE = frozenset("ijlt.,:;'|()[]{}f-"), frozenset("mwMWABCDEGHKNOPQRSUVXYZ@%&abdeghknopqsuvxyz")
# A single line needs as many words as this to be sure.
_MIN_WORDS = 3
# Lines are prose if this share of them has at least this many words and this share of plain words; lines of a table if
# this share has wide gaps.
_PROSE_LINES, _PROSE_WORDS, _PLAIN_WORDS = 0.5, 5, 0.8
_TABLE_LINES = 0.6
# Lines in a font of other widths are a listing if at least this many are statements of few words.
_MIN_STATEMENTS, _STATEMENT_WORDS = 3, 8
_STATEMENT = re.compile(
    r"[^\W\d]\w*\([^)]*\)?.*[):;,{]$|(?:^|[\w\])] )[-+*/:|&]?= ?\S|[{}]\)?;?$|^\W*\w[\w.\[\]]*:$|^(?://|>>>|\$) "
)
# In line heights.
_CHARACTER_WIDTH = 0.5
_PLAIN_WORD = re.compile(r"[(\[\"'“‘]*[^\W\d_]+(?:[-'’][^\W\d_]+)*[)\]\"'”’.,;:!?]*")
# Characters that programs have and the tables of a typewriter do not.
_CODE = re.compile(r"[{}\[\]\\;<>=#$@|]|\(\)|::|->|==|--\w")


def mark_listings(lines: Sequence[Line]) -> list[Line]:
    """Return the lines of a page with `Line.is_code` where they belong to a program listing.

    The lines of a listing keep their indentation. Prose and tables in such a font, as of a typewriter, are no listings.
    """
    marked = list(lines)
    for start, end, width in [*_find_even(lines), *_find_statements(lines)]:
        block = marked[start:end]
        if not any(line.is_code for line in block):
            left = min(_code_words(line)[0][1] for line in block)
            marked[start:end] = [_indent(line, round((_code_words(line)[0][1] - left) / width)) for line in block]
    return marked


def _find_even(lines: Sequence[Line]) -> Iterator[tuple[int, int, float]]:
    """Yield the start and end of listings in a font of one width, and that width."""
    pitches = [_find_pitch(line) for line in lines]
    start = 0
    for end in range(1, len(lines) + 1):
        pitch = pitches[start]
        if pitch and end < len(lines) and _is_next(lines[end - 1], lines[end]) and _is_same(pitch, pitches[end]):
            continue
        block = lines[start:end]
        if pitch and _is_certain(block) and not _is_prose(block) and not _is_table(block):
            yield start, end, pitch
        start = end


def _find_statements(lines: Sequence[Line]) -> Iterator[tuple[int, int, float]]:
    """Yield the start and end of listings in other fonts, and the width of their characters."""
    are_statements = [
        len(line.words) <= _STATEMENT_WORDS and _STATEMENT.search(line.text) is not None and len(split_line(line)) == 1
        for line in lines
    ]
    start: int | None = None
    last = 0
    for number, is_statement in enumerate([*are_statements, False]):
        is_inside = start is not None and number < len(lines) and _is_next(lines[number - 1], lines[number])
        # One short line between statements, such as a return, may look like prose.
        if start is not None and not (is_inside and (is_statement or last == number - 1)):
            if sum(are_statements[start : last + 1]) >= _MIN_STATEMENTS:
                yield start, last + 1, lines[start].height * _CHARACTER_WIDTH
            start = None
        if is_statement:
            start = number if start is None else start
            last = number


def _code_words(line: Line) -> Sequence[tuple[str, float, float]]:
    """Return the words of a line without the number in front of it, which is in another font."""
    has_number = len(line.words) > 1 and line.words[0][0].isdecimal()
    return line.words[1:] if has_number else line.words


def _find_pitch(line: Line) -> float | None:
    """Return the width of the characters of a line if all words and gaps agree on it, otherwise None."""
    words = _code_words(line)
    if line.row or not words:
        return None
    # The first word is enough to reject most lines.
    pitch = (words[-1][2] - words[-1][1]) / len(words[-1][0])
    if pitch <= 0 or any(abs((b - a) / len(word) - pitch) > _TOLERANCE * pitch for word, a, b in words):
        return None
    gaps = ((after[1] - before[2]) / pitch for before, after in pairwise(words))
    return pitch if all(gap > 0.5 and abs(gap - round(gap)) <= _GAP_TOLERANCE for gap in gaps) else None


def _is_next(above: Line, line: Line) -> bool:
    return 0 < above.bottom - line.bottom <= LISTING_STEP * line.height


def _is_same(pitch: float, other: float | None) -> bool:
    return other is not None and abs(pitch - other) <= 2 * _TOLERANCE * pitch


def _is_certain(lines: Sequence[Line]) -> bool:
    """Return whether the words of lines are such that another font could not give them one width."""
    words = [word for line in lines for word, _, _ in _code_words(line)]
    letters = set("".join(words))
    return len(words) >= _MIN_WORDS and bool(letters & _NARROW) and bool(letters & _WIDE)


def _is_prose(lines: Sequence[Line]) -> bool:
    prose = 0
    for line in lines:
        plain = sum(_PLAIN_WORD.fullmatch(word) is not None for word, _, _ in line.words)
        prose += len(line.words) >= _PROSE_WORDS and plain >= _PLAIN_WORDS * len(line.words)
    return prose >= _PROSE_LINES * len(lines)


def _is_table(lines: Sequence[Line]) -> bool:
    fragments = [len(split_line(line)) for line in lines if len(_code_words(line)) == len(line.words)]
    wide = sum(count > 2 for count in fragments) >= _TABLE_LINES * len(lines)
    code = sum(_CODE.search(line.text) is not None for line in lines)
    split = sum(count > 1 for count in fragments) >= _TABLE_LINES * len(lines)
    return len(lines) > 1 and (wide or (split and code < (1 - _TABLE_LINES) * len(lines)))


def _indent(line: Line, columns: int) -> Line:
    """Return a line of a listing with its indentation in characters, behind the number in front of it."""
    if line.ends_mid_word:
        line = replace(restore_hyphen(line), ends_mid_word=False)
    words = _code_words(line)
    number = "".join(word + " " for word, _, _ in line.words[: len(line.words) - len(words)])
    text = " ".join(word for word, _, _ in words)
    return replace(line, text=number + " " * columns + text, is_code=True)
