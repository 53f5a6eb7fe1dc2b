"""Fold text to a form in which the same words compare equal, however they are set (pure).

A skeleton is a text in lower case without white space, quotation marks, dashes and invisible characters. What was
between two characters of a skeleton is a gap. "The rapist" and "therapist" have one skeleton, but not the same gaps.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import regex

from qa.types import Span

DASH = r"\p{Pd}\u2212"
"""Regular expression, within brackets, for dashes; the others are for quotation marks and for white space."""
QUOTE = r"\"'`´\u02bc\u201a\u201e\u2032\u2033\p{Pi}\p{Pf}"
# Extraction writes bars between the cells of a table. A soft hyphen, a zero-width space and the like show nothing.
SPACE = r"\s|"
_INVISIBLE = r"\p{Cf}\ufe00-\ufe0f"
GAP = regex.compile(f"[{SPACE}{DASH}{QUOTE}{_INVISIBLE}]+")
"""Matches what a skeleton leaves out."""

_HAS_DASH, _HAS_SPACE, _HAS_QUOTE = (regex.compile(f"[{characters}]") for characters in (DASH, SPACE, QUOTE))
_LINE_END_HYPHEN = regex.compile(r"[-\u00ad\u2010\u2011]\s+")
_WORD_CHARACTER = regex.compile(r"[\w\p{M}]")
_JOINING_DASH = regex.compile(r"[\p{Pd}\u2212--\u2014\u2015]", regex.V1)
# Compatibility characters with these tags differ in meaning: 10² is not 102.
_DISTINCT = ("<super>", "<sub>", "<fraction>", "<circle>")
_LIGATURES = {"Æ": "ae", "æ": "ae", "Œ": "oe", "œ": "oe"}


class GapKind(Enum):
    """What is between two neighbouring characters of a skeleton; the value is its form in words."""

    NONE = ""
    SPACE = " "
    APOSTROPHE = "'"
    DASH = "-"
    LINE_END_HYPHEN = "\n"

    def agrees_with(self, other: GapKind) -> bool:
        """Return whether two gaps may be of the same text; a hyphen at a line end may belong to the word or not."""
        either_hyphen = GapKind.LINE_END_HYPHEN in (self, other)
        return self is other or (either_hyphen and not {self, other} & {GapKind.SPACE, GapKind.APOSTROPHE})


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap within a text: its place, and the position in the skeleton of the character behind it."""

    span: Span
    position: int
    kind: GapKind


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, with its punctuation: its form for comparison, and its place."""

    form: str
    span: Span


class _Folding(dict[int, str]):
    """What each character contributes to a skeleton, for `str.translate`; filled when a character is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = fold_character(chr(code))
        return folded


def fold_character(character: str) -> str:
    """Return what a character contributes to a skeleton: lower case, without ligatures, with separate accents."""
    tag = unicodedata.decomposition(character).partition(" ")[0]
    letters = _LIGATURES.get(character, character)
    is_compatible = tag.startswith("<") and tag not in _DISTINCT
    decomposed = unicodedata.normalize("NFKD", letters) if is_compatible else unicodedata.normalize("NFD", letters)
    return GAP.sub("", decomposed.casefold())


_FOLDING = _Folding()


def skeleton(text: str) -> str:
    """Return the skeleton of a text: the contributions of its characters."""
    return text.translate(_FOLDING)


def core_of(text: str) -> Span:
    """Return the part of a text between the gaps at its ends; empty if there is nothing else."""
    lead = GAP.match(text)
    start = lead.end() if lead else 0
    trail = (match.start() for match in GAP.finditer(text, start) if match.end() == len(text))
    return Span(start, next(trail, len(text)))


def gaps_of(text: str, *, beside_punctuation: bool = False) -> Iterator[Gap]:
    """Yield the gaps within a text that matter.

    Args:
        text: any text; what is in front of its first character and behind its last is no gap.
        beside_punctuation: also yield white space between a word and a punctuation mark, which may differ.
    """
    position, end = 0, 0
    for match in GAP.finditer(text):
        position += len(skeleton(text[end : match.start()]))
        end = match.end()
        if match.start() > 0 and end < len(text):
            kind = _classify(text[match.start() - 1], match[0], text[end], beside_punctuation)
            if kind is not GapKind.NONE:
                yield Gap(Span(match.start(), end), position, kind)


def words_of(text: str, part: Span) -> list[Word]:
    """Return the words of a part of a text, each with the dash in front of it.

    A hyphen without white space, or at the end of a line, joins what is around it.
    """
    content = part.of(text)
    core = core_of(content)
    words = []
    form, start = _begin_word(content, core.start, after_dash=False)
    end = core.start
    for gap in gaps_of(core.of(content), beside_punctuation=True):
        span = gap.span.shift(core.start)
        form += skeleton(content[end : span.start])
        end = span.end
        is_dash = gap.kind is GapKind.DASH and not _JOINING_DASH.fullmatch(span.of(content))
        if is_dash or gap.kind is GapKind.SPACE:
            words.append(Word(form, Span(start, span.start).shift(part.start)))
            form, start = _begin_word(content, end, after_dash=is_dash)
        elif gap.kind is not GapKind.LINE_END_HYPHEN:
            form += gap.kind.value
    if end < core.end:
        words.append(Word(form + skeleton(content[end : core.end]), Span(start, core.end).shift(part.start)))
    return words


def _begin_word(text: str, offset: int, *, after_dash: bool) -> tuple[str, int]:
    """Return the beginning of a word's form, and where it starts: at its sign, or at the dash of an option."""
    if has_attached_dash(text[max(0, offset - 1) : offset]):
        return GapKind.DASH.value, offset - 1
    return (GapKind.DASH if after_dash else GapKind.NONE).value, offset


def has_attached_dash(marks: str) -> bool:
    """Return whether the marks in front of a word end with its sign or, as in --no-cache, the dash of an option."""
    return marks.endswith(("-", "\u2212"))


def is_word_character(character: str) -> bool:
    """Return whether a character is a letter, digit, underscore or combining mark."""
    return _WORD_CHARACTER.fullmatch(character) is not None


def _classify(before: str, gap: str, after: str, beside_punctuation: bool) -> GapKind:
    if before.isalpha() and after.isalpha() and _LINE_END_HYPHEN.fullmatch(gap):
        return GapKind.LINE_END_HYPHEN
    if _HAS_DASH.search(gap):
        return GapKind.DASH
    between_words = is_word_character(before) and is_word_character(after)
    if _HAS_SPACE.search(gap):
        return GapKind.SPACE if between_words or beside_punctuation else GapKind.NONE
    return GapKind.APOSTROPHE if between_words and _HAS_QUOTE.search(gap) else GapKind.NONE
