"""Build the lines of a PDF page from its characters (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from qa.documents.extract.pdf.geometry import Box, Places
from qa.documents.extract.pdf.layout import Line
from qa.documents.extract.pdf.scripts import SMALL, has_accent, mark_words

# In line heights: the gap between two runs on one base line that is a space, and the one that still joins them.
_SPACE_GAP, _MAX_GAP, _MAX_OVERLAP = 0.075, 1.0, 0.3
# In line heights: beyond the usual gap between letters, the gap that is a space.
_MISSING_SPACE = 0.15
# Letters drawn apart: the number of letters from which on they may be words, their widest usual gap in line heights,
# and how much wider the gap between words is.
_MIN_SPACED, _MAX_SPACED_GAP, _WORD_GAP = 4, 0.8, 1.6
_SAMPLES = 9


@dataclass(slots=True)
class Run:
    """Characters that were drawn one after the other, measured.

    Attributes:
        text: the characters, at least one of them visible.
        numbers: the number of each character on the page.
        ends_mid_word: whether the last word continues in the next run.
        is_oblique: whether the characters are neither upright nor sideways.
        words: the words, each with its left and right edge.
        first: the box of the first visible character.
        last: the box of the last visible character.
        bottom: lower edge of the usual box.
        top: upper edge of the usual box.
        is_regular: whether no character seems to be raised or lowered, or is an accent.
    """

    text: str
    numbers: Sequence[int]
    ends_mid_word: bool
    is_oblique: bool
    words: list[tuple[str, float, float]]
    first: Box
    last: Box
    bottom: float
    top: float
    is_regular: bool


def measure_run(
    text: str, numbers: Sequence[int], places: Places, *, ends_mid_word: bool = False, is_oblique: bool = False
) -> Run:
    """Return a run with its words, and with the spaces that are only gaps."""
    boxes = places.boxes_of(text, numbers)
    visible = [box for box in boxes if box]
    bottom, top = _usual(visible)
    missing = _find_missing_spaces(boxes, top - bottom)
    if missing and not is_oblique:
        characters, numbers = list(text), list(numbers)
        for place in reversed(missing):
            characters.insert(place, " ")
            numbers.insert(place, -1)
            boxes.insert(place, None)
        text = "".join(characters)
    words: list[tuple[str, float, float]] = []
    start = 0
    for word in text.split(" "):
        end = start + len(word)
        if word and (left := boxes[start]) and (right := boxes[end - 1]):
            words.append((word, left[0], right[2]))
        start = end + 1
    smallest = SMALL * (top - bottom)
    is_regular = all(box[3] - box[1] >= smallest for box in visible) and not has_accent(text)
    return Run(text, numbers, ends_mid_word, is_oblique, words, visible[0], visible[-1], bottom, top, is_regular)


def _find_missing_spaces(boxes: Sequence[Box | None], height: float) -> list[int]:
    """Return the places of characters that are so far from the previous one that a space is missing."""
    gaps = [
        (after[0] - before[2], place) for place, (before, after) in enumerate(pairwise(boxes), 1) if before and after
    ]
    widest = [(gap, place) for gap, place in gaps if gap > _MISSING_SPACE * height]
    if not widest:
        return []
    # Letters may be drawn apart.
    usual = median(gap for gap, _ in gaps)
    return [place for gap, place in widest if gap > max(usual, 0.0) * _WORD_GAP + _MISSING_SPACE * height]


def _usual(boxes: Sequence[Box]) -> tuple[float, float]:
    """Return the lower and upper edge of a box of the usual height."""
    sample = sorted(boxes[:: max(1, len(boxes) // _SAMPLES)], key=lambda box: box[3] - box[1])
    _, bottom, _, top = sample[len(sample) // 2]
    return bottom, top


_NO_BOX = (0.0, 0.0, 0.0, 0.0)
_SPACE_RUN = Run(" ", (-1,), False, False, [], _NO_BOX, _NO_BOX, 0.0, 0.0, True)


def build_lines(runs: Sequence[Run], places: Places) -> list[Line]:
    """Return the lines of a page that run from left to right.

    A raised number gets a caret, as in `10^6`, after a digit, a unit or a single letter. After a word it is a
    reference mark, and gets a space. Lines that are drawn twice at one place are one.
    """
    lines: list[Line] = []
    seen: set[tuple[str, int, int]] = set()
    for run in _join_runs(runs, places):
        line = _build_line(run, places)
        x, y = round(line.left / 2), round(line.bottom / 2)
        if not any((line.text, x + dx, y + dy) in seen for dx in (0, -1, 1) for dy in (0, -1, 1)):
            lines.append(line)
        seen.add((line.text, x, y))
    return lines


def _join_runs(runs: Sequence[Run], places: Places) -> Iterator[Run]:
    """Yield runs, joined where a raised or lowered character broke a line."""
    current: Run | None = None
    pending: list[Run] = []
    for run in runs:
        gap = _gap(current, run) if current else None
        if current and gap is None:
            yield _join(pending, places)
            pending = []
        elif gap is not None and gap >= _SPACE_GAP:
            pending.append(_SPACE_RUN)
        pending.append(run)
        current = run
    if pending:
        yield _join(pending, places)


def _join(runs: Sequence[Run], places: Places) -> Run:
    if len(runs) == 1:
        return runs[0]
    text = "".join(run.text for run in runs)
    numbers = [number for run in runs for number in run.numbers]
    return measure_run(text, numbers, places, ends_mid_word=runs[-1].ends_mid_word)


def _gap(before: Run, after: Run) -> float | None:
    """Return the gap between two runs of one line, in line heights; None if they are on different lines."""
    if before.ends_mid_word or before.is_oblique or after.is_oblique:
        return None
    left, right = before.top - before.bottom, after.top - after.bottom
    height = max(left, right, 1.0)
    shared = min(before.top, after.top) - max(before.bottom, after.bottom)
    gap = (after.first[0] - before.last[2]) / height
    is_same_line = shared >= min(left, right) / 2 and abs(before.bottom - after.bottom) < height / 2
    return gap if is_same_line and -_MAX_OVERLAP <= gap <= _MAX_GAP else None


def _build_line(run: Run, places: Places) -> Line:
    bottom, top, words = run.bottom, run.top, run.words
    left, right = words[0][1], words[-1][2]
    if run.is_oblique:
        boxes = [box for box in places.boxes_of(run.text, run.numbers) if box]
        left, bottom = min(box[0] for box in boxes), min(box[1] for box in boxes)
        right, top = max(box[2] for box in boxes), max(box[3] for box in boxes)
    elif not run.is_regular:
        words = mark_words(run.text, run.numbers, (bottom, top), places)
    height = max(top - bottom, 1.0)
    if len(words) >= _MIN_SPACED and all(len(word) == 1 for word, _, _ in words):
        words = _join_letters(words, height)
    return Line(" ".join([word for word, _, _ in words]), left, right, bottom, height, run.ends_mid_word, words)


def _join_letters(letters: Sequence[tuple[str, float, float]], height: float) -> list[tuple[str, float, float]]:
    """Return the words of a line whose letters are drawn apart; each letter is a word if they are not."""
    gaps = [after[1] - before[2] for before, after in pairwise(letters)]
    usual = median(gaps)
    codes = [ord(letter) for letter, _, _ in letters]
    is_alphabet = all(after - before == 1 for before, after in pairwise(codes))
    words = [letters[0]]
    for gap, (letter, left, right) in zip(gaps, letters[1:], strict=True):
        if gap > max(_WORD_GAP * usual, usual + 0.1 * height):
            words.append((letter, left, right))
        else:
            words[-1] = (words[-1][0] + letter, words[-1][1], right)
    is_spaced = all(letter.isalpha() for letter, _, _ in letters) and usual <= _MAX_SPACED_GAP * height
    is_words = max(len(word) for word, _, _ in words) >= _MIN_SPACED and not is_alphabet
    return words if is_spaced and is_words else list(letters)
