"""Find the part of a text that is nearest to a quotation, and the words in which they differ (pure)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rapidfuzz.distance import Indel, Levenshtein
from rapidfuzz.fuzz import partial_ratio_alignment

from qa.quotations import WordDifference
from qa.text.folding import Word, words_of
from qa.types import Span

# An aligned part is widened and narrowed by up to this many words on either side.
_SHIFT = 3
# Below this score, in per cent, the letters are aligned too.
_FEW_EQUAL = 60


@dataclass(frozen=True, slots=True)
class Nearest:
    """The part of a text that is nearest to a quotation; the similarity is from 0 to 1."""

    span: Span
    similarity: float


def find_nearest(quotation: str, text: str, part: Span) -> Nearest | None:
    """Return the words of a part of a text that are nearest to a quotation; None if either has no word.

    Words are aligned first, and letters too if few words are equal. The edges are then set where the normalised indel
    similarity of the letters is highest; of equal ones, the shortest and first.
    """
    quoted = [word.form for word in words_of(quotation, Span(0, len(quotation)))]
    words = words_of(text, part)
    forms = [word.form for word in words]
    if not quoted or not forms:
        return None
    wanted = " ".join(quoted)
    ranges = [
        (start, end)
        for first, last in _align(quoted, forms)
        for start in _around(first, 0, len(words) - 1)
        for end in _around(last, 1, len(words))
        if start < end
    ]
    similarities = {(s, e): Indel.normalized_similarity(wanted, " ".join(forms[s:e])) for s, e in ranges}
    start, end = max(ranges, key=lambda edges: (similarities[edges], edges[0] - edges[1], -edges[0]))
    return Nearest(_extent(words[start:end]), similarities[start, end])


def _align(quoted: Sequence[str], forms: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield about where the words of a quotation begin and end among other words."""
    by_word = partial_ratio_alignment(list(map(_letters, quoted)), list(map(_letters, forms)))
    if by_word:
        yield by_word.dest_start, by_word.dest_end
    if not by_word or by_word.score < _FEW_EQUAL:
        by_letter = partial_ratio_alignment(" ".join(quoted), " ".join(forms))
        starts = [0, *accumulate(len(form) + 1 for form in forms)]
        start, end = (by_letter.dest_start, by_letter.dest_end) if by_letter else (0, 0)
        yield bisect_right(starts, start) - 1, bisect_right(starts, max(0, end - 1))


def _letters(form: str) -> str:
    """Return a word without its punctuation, unless that is all it is."""
    return "".join(filter(str.isalnum, form)) or form


def differences(quotation: str, text: str, span: Span) -> tuple[WordDifference, ...]:
    """Return the words in which a quotation and a span of a text differ, in order."""
    quoted, actual = words_of(quotation, Span(0, len(quotation))), words_of(text, span)
    edits: list[list[int]] = []
    for edit in Levenshtein.opcodes([word.form for word in quoted], [word.form for word in actual]):
        if edit.tag == "equal":
            continue
        if edits and edits[-1][1] == edit.src_start and edits[-1][3] == edit.dest_start:
            edits[-1][1], edits[-1][3] = edit.src_end, edit.dest_end
        else:
            edits.append([edit.src_start, edit.src_end, edit.dest_start, edit.dest_end])
    return tuple(
        _difference(quotation, quoted[quoted_from:quoted_to], text, actual, Span(actual_from, actual_to))
        for quoted_from, quoted_to, actual_from, actual_to in edits
    )


def _difference(
    quotation: str, quoted: Sequence[Word], text: str, words: Sequence[Word], edited: Span
) -> WordDifference:
    if len(edited):
        span = _extent(words[edited.start : edited.end])
    else:
        offset = words[edited.start - 1].span.end if edited.start else words[0].span.start
        span = Span(offset, offset)
    return WordDifference(_extent(quoted).of(quotation) if quoted else "", span.of(text), span)


def _around(position: int, lowest: int, highest: int) -> range:
    return range(max(lowest, position - _SHIFT), min(highest, position + _SHIFT) + 1)


def _extent(words: Sequence[Word]) -> Span:
    return Span(words[0].span.start, words[-1].span.end)
