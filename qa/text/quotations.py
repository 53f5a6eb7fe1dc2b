"""Find a quotation in a text: the same words, however they are set (pure).

White space, quotation marks, dashes, ligatures, case and hyphens at line ends may differ. Skeletons are compared first,
then the gaps between their characters. Offsets always count in the original text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import regex

from qa.text.boundaries import is_boundary
from qa.text.folding import (
    DASH,
    QUOTE,
    SPACE,
    GapKind,
    core_of,
    gaps_of,
    has_attached_dash,
    is_word_character,
    skeleton,
)
from qa.types import Span

_DASH, _SPACE = regex.compile(f"[{DASH}]"), regex.compile(f"[{SPACE}]")
_DASHES_OR_QUOTES = regex.compile(f"[{DASH}]+|[{QUOTE}]+")
_AFTER_WORD = regex.compile(r"[^\w\p{M}]")
# The inside of a number, such as 2.5, 1,000 or 10:30; and a sign before a number.
_NUMBER = regex.compile(r"\d[.,:]\d")
_SIGNED = regex.compile(r"(?<![\w\p{P}\p{S}])[-\u2212\u2013]\d")
# Characters of a text that are folded together, so that a position in the skeleton is found among them.
_BLOCK = 512


@dataclass(frozen=True)
class Quotation:
    """A quotation, prepared for comparison."""

    text: str

    @cached_property
    def core(self) -> Span:
        """The text without the white space, quotation marks and dashes at its ends."""
        return core_of(self.text)

    @cached_property
    def skeleton(self) -> str:
        """The skeleton of the text; empty if there is nothing to look for."""
        return skeleton(self.text)

    @cached_property
    def gaps(self) -> dict[int, GapKind]:
        """The gaps between the characters of the skeleton, by the position of the character behind them."""
        return {gap.position: gap.kind for gap in gaps_of(self.core.of(self.text))}

    @cached_property
    def joined(self) -> str:
        """The core without hyphens at line ends."""
        core, end, parts = self.core.of(self.text), 0, []
        for gap in gaps_of(core):
            if gap.kind is GapKind.LINE_END_HYPHEN:
                parts.append(core[end : gap.span.start])
                end = gap.span.end
        return "".join([*parts, core[end:]])

    @cached_property
    def before(self) -> regex.Pattern[str]:
        """Matches the marks of the quotation's beginning, or the inner ones of them, at the end of a string."""
        pattern = ""
        space, marks = _mark_patterns(self.text[: self.core.start])
        for mark in marks:
            pattern = f"(?:{pattern}{mark}{space})?"
        return regex.compile(rf"{pattern}\Z")

    @cached_property
    def after(self) -> regex.Pattern[str]:
        """Matches the marks of the quotation's end, or the inner ones of them."""
        pattern = ""
        space, marks = _mark_patterns(self.text[self.core.end :])
        for mark in reversed(marks):
            pattern = f"(?:{space}{mark}{pattern})?"
        return regex.compile(pattern)

    @property
    def needs_dash(self) -> bool:
        """Whether the first word has a sign or is an option, such as -5 or --no-cache."""
        start = self.core.start
        return has_attached_dash(self.text[:start]) and is_word_character(self.text[start : start + 1])


class FoldedText:
    """A part of a text with its skeleton, whose positions it maps to offsets in the text."""

    def __init__(self, text: str, part: Span | None = None) -> None:
        """Fold a text, or a part of it; offsets and word boundaries are those of the whole text."""
        self._text = text
        self._part = part or Span(0, len(text))
        edges = [*range(self._part.start, self._part.end, _BLOCK), self._part.end]
        blocks = [skeleton(text[start:end]) for start, end in pairwise(edges)]
        self._skeleton = "".join(blocks)
        self._block_starts = [0, *accumulate(map(len, blocks))]

    def find(self, quotation: Quotation) -> Iterator[Span]:
        """Yield the places of a quotation in order; they begin and end at words and do not overlap."""
        wanted = quotation.skeleton
        position = self._skeleton.find(wanted) if wanted else -1
        while position >= 0:
            span, advance = self._check(quotation, position)
            if span is not None:
                yield span
            position = self._skeleton.find(wanted, position + advance)

    def _check(self, quotation: Quotation, position: int) -> tuple[Span | None, int]:
        """Return the place of a quotation whose skeleton is at a position, if it is one, and how far to advance."""
        length, text = len(quotation.skeleton), self._text
        start, is_first, _ = self._character(position)
        last, _, is_last = self._character(position + length - 1)
        if not is_first or not is_boundary(text, start):
            # No place begins inside a word, so the rest of a long one is skipped at once.
            following = _AFTER_WORD.search(text, start + 1, self._part.end)
            return None, max(1, len(skeleton(text[start : following.start() if following else self._part.end])))
        words = Span(start, last + 1)
        if not is_last or not is_boundary(text, words.end) or not _has_gaps(words.of(text), quotation):
            return None, 1
        span = _with_marks(text, words, quotation)
        if span is None or _is_in_number(text, span.start) or _is_in_number(text, span.end):
            return None, 1
        return span, length

    def _character(self, position: int) -> tuple[int, bool, bool]:
        """Return the offset of the character at a position, and whether the position is its first and its last."""
        block = bisect_right(self._block_starts, position) - 1
        at, offset = self._block_starts[block], self._part.start + block * _BLOCK
        while at + (width := len(skeleton(self._text[offset]))) <= position:
            at, offset = at + width, offset + 1
        return offset, at == position, at + width == position + 1


def surroundings(text: str, span: Span, characters: int) -> Span:
    """Return a span widened on either side by this number of characters of the skeleton, or more."""
    step = characters + characters // 2 + 1
    start, end = span.start, span.end
    before = after = 0
    while start > 0 and before < characters:
        start, edge = max(0, start - step), start
        before += len(skeleton(text[start:edge]))
    while end < len(text) and after < characters:
        end, edge = min(len(text), end + step), end
        after += len(skeleton(text[edge:end]))
    return Span(start, end)


def _has_gaps(text: str, quotation: Quotation) -> bool:
    """Return whether the gaps of a text agree with those of a quotation that has the same skeleton."""
    missing = dict(quotation.gaps)
    if any(not gap.kind.agrees_with(missing.pop(gap.position, GapKind.NONE)) for gap in gaps_of(text)):
        return False
    return all(kind.agrees_with(GapKind.NONE) for kind in missing.values())


def _with_marks(text: str, words: Span, quotation: Quotation) -> Span | None:
    """Return a place with the marks around it that the quotation has too; None if its sign is missing."""
    before = quotation.before.search(text, max(0, words.start - len(quotation.text)), words.start)
    after = quotation.after.match(text, words.end)
    span = Span(before.start() if before else words.start, after.end() if after else words.end)
    if quotation.needs_dash and not _DASH.search(text, span.start, words.start):
        return None
    return span


def _is_in_number(text: str, offset: int) -> bool:
    """Return whether an offset is inside a number or behind its sign."""
    pairs = ((offset - 2, offset + 1), (offset - 1, offset + 2))
    if any(start >= 0 and _NUMBER.fullmatch(text, start, end) for start, end in pairs):
        return True
    return offset > 0 and _SIGNED.match(text, offset - 1) is not None


def _mark_patterns(marks: str) -> tuple[str, list[str]]:
    """Return a pattern for the white space among the marks at an end of a quotation, and one for each run of marks."""
    runs = _DASHES_OR_QUOTES.findall(marks)
    space = f"[{SPACE}]*" if _SPACE.search(marks) else ""
    return space, [f"[{DASH if _DASH.match(run) else QUOTE}]+" for run in runs]
