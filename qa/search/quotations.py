"""Find quotations over a snapshot of an index: candidate passages by rare terms, then the text around them (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Protocol

from qa.quotations import QuoteMatch, QuoteResult
from qa.search.analysis import term_pairs
from qa.search.filters import Filter
from qa.text.boxes import rectangles_of
from qa.text.folding import skeleton
from qa.text.nearest import Nearest, differences, find_nearest
from qa.text.quotations import FoldedText, Quotation, surroundings
from qa.types import Document, Span, mark_at

MAX_PLACES = 20
"""Maximum number of exact places that are returned for a quotation."""

# Passages in which the nearest text is looked for, and the number of rare terms that select them.
_NEAREST_PASSAGES, _NEAREST_TERMS = 8, 12
# The rarest words of a quotation, for which hyphenation is considered.
_ANCHORS = 3
_CACHED_DOCUMENTS = 8
_WORD = re.compile(r"[^\W_]+")
# A hyphen at a line end leaves at least this many letters on either side.
_MIN_PART = 2

Place = tuple[str, Span]
"""The id of a document, and a place in its text."""


@dataclass(frozen=True, slots=True)
class PassageText:
    """The text of a stored passage, and its place in its document."""

    document_id: str
    span: Span
    text: str


class QuotationSnapshot(Protocol):
    """One revision of an index, as the search for quotations sees it."""

    def analyze(self, text: str) -> Iterable[str]:
        """Return the terms of a text as they are indexed; "" for a word that is not indexed."""

    def frequency(self, term: str) -> int:
        """Return the number of passages that contain a term; it may be too high, but 0 only if there is none."""

    def passages_with(self, terms: Sequence[str], filter: Filter | None) -> Iterator[PassageText]:
        """Yield all passages that contain any of the terms, in the order of the documents and their texts.

        A term is a stem, or two neighbouring stems joined by `_`.
        """

    def best_passages(self, terms: Sequence[str], limit: int, filter: Filter | None) -> Sequence[PassageText]:
        """Return the passages with the highest BM25 scores for terms, best first; ties by id."""

    def document(self, id: str) -> Document:
        """Return a stored document."""

    def texts(self, filter: Filter | None) -> Iterator[tuple[str, str]]:
        """Yield the id and text of every document that passes a filter."""


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A word of a quotation, its position in the quotation's skeleton, and the terms of passages that contain it."""

    word: str
    position: int
    terms: Sequence[str]


class QuotationFinder:
    """Finds quotations in the documents of one snapshot."""

    def __init__(self, snapshot: QuotationSnapshot) -> None:
        self._snapshot = snapshot
        self._document = lru_cache(_CACHED_DOCUMENTS)(snapshot.document)

    def find(self, text: str, filter: Filter | None, *, read_whole: bool = False) -> QuoteResult:
        """Return the exact places of a quotation, at most `MAX_PLACES`; without any, the nearest text.

        A place contains each word of the quotation, so the passages with its rarest word lead to all places.

        Args:
            text: the quotation.
            filter: restricts the documents.
            read_whole: read the documents from beginning to end, also those parts that are not searched.
        """
        quotation = Quotation(text)
        anchors = self._anchors(quotation)
        if read_whole or not anchors:
            places = self._read(quotation, filter)
        else:
            anchor = min(anchors, key=self._cost)
            passages = self._snapshot.passages_with(anchor.terms, filter)
            places = self._follow(quotation, (p for p in passages if _may_touch(p.text, quotation, anchor)))
        exact = list(islice(places, MAX_PLACES))
        if not exact:
            best = self._best_passages(quotation, filter)
            # A place is also found if its rarest word is indexed in parts, for example around a zero-width space.
            exact = list(islice(self._follow(quotation, best), MAX_PLACES))
            if not exact:
                return QuoteResult(tuple(self._nearest(quotation, best)))
        return QuoteResult(tuple(self._match(id, span) for id, span in _in_document_order(exact)))

    def _anchors(self, quotation: Quotation) -> list[_Anchor]:
        """Return the rarest words of a quotation that are indexed."""
        words: dict[str, tuple[str, int]] = {}
        joined = unicodedata.normalize("NFC", quotation.joined)
        for match in _WORD.finditer(joined):
            for term in filter(None, self._snapshot.analyze(match[0])):
                words.setdefault(term, (match[0], match.start()))
        # The accents of a text may be separate characters, which divide a word in the index.
        rarest = sorted(words, key=lambda term: (not words[term][0].isascii(), self._snapshot.frequency(term), term))
        return [
            _Anchor(skeleton(word), len(skeleton(joined[:start])), self._forms(term, word))
            for term, (word, start) in ((term, words[term]) for term in rarest[:_ANCHORS])
        ]

    def _forms(self, term: str, word: str) -> list[str]:
        """Return the terms by which a word is indexed: its stem, and its parts where a line end divides it."""
        forms = [term]
        if word.isascii() and word.isalpha():
            for at in range(_MIN_PART, len(word) - _MIN_PART + 1):
                parts = [*self._snapshot.analyze(word[:at]), *self._snapshot.analyze(word[at:])]
                forms += term_pairs(parts) if all(parts) else filter(None, parts)
        return [form for form in dict.fromkeys(forms) if self._snapshot.frequency(form)]

    def _cost(self, anchor: _Anchor) -> int:
        return sum(map(self._snapshot.frequency, anchor.terms))

    def _read(self, quotation: Quotation, filter: Filter | None) -> Iterator[Place]:
        """Yield the places of a quotation in documents that are read from beginning to end."""
        for id, text in self._snapshot.texts(filter):
            yield from ((id, span) for span in FoldedText(text).find(quotation))

    def _follow(self, quotation: Quotation, passages: Iterable[PassageText]) -> Iterator[Place]:
        """Yield the places of a quotation in passages and in the text around them."""
        places: list[Place] = []
        for passage in passages:
            text = self._document(passage.document_id).text
            for span in FoldedText(text, _window(text, passage, quotation)).find(quotation):
                # Neighbouring passages have much of their surroundings in common.
                if not any(id == passage.document_id and place.overlaps(span) for id, place in places):
                    places.append((passage.document_id, span))
                    yield places[-1]

    def _best_passages(self, quotation: Quotation, filter: Filter | None) -> Sequence[PassageText]:
        """Return the passages that have most of the rare terms of a quotation."""
        terms = {term: self._snapshot.frequency(term) for term in self._snapshot.analyze(quotation.joined) if term}
        rarest = sorted((term for term in terms if terms[term]), key=lambda term: (terms[term], term))
        return self._snapshot.best_passages(rarest[:_NEAREST_TERMS], _NEAREST_PASSAGES, filter)

    def _nearest(self, quotation: Quotation, passages: Sequence[PassageText]) -> Iterator[QuoteMatch]:
        """Yield the text in and around passages that is nearest to a quotation, if there is any."""
        best: tuple[str, Nearest] | None = None
        for passage in passages:
            text = self._document(passage.document_id).text
            nearest = find_nearest(quotation.text, text, _window(text, passage, quotation))
            if nearest and (best is None or nearest.similarity > best[1].similarity):
                best = passage.document_id, nearest
        if best:
            yield self._match(best[0], best[1].span, quotation, best[1].similarity)

    def _match(
        self, document_id: str, span: Span, differs_from: Quotation | None = None, similarity: float = 1.0
    ) -> QuoteMatch:
        """Return a place with its location; an exact one unless it differs from the quotation."""
        document = self._document(document_id)
        mark = mark_at(document.marks, span.start)
        return QuoteMatch(
            document_id,
            span,
            span.of(document.text),
            exact=differs_from is None,
            similarity=similarity,
            page=mark.page if mark else None,
            section=mark.section if mark else None,
            rectangles=rectangles_of(document.boxes, span),
            difference=differences(differs_from.text, document.text, span) if differs_from else (),
        )


def _may_touch(passage: str, quotation: Quotation, anchor: _Anchor) -> bool:
    """Return whether a place of a quotation whose anchor is in a passage may be in it, or reach into it."""
    wanted, text = quotation.skeleton, skeleton(passage)
    at = text.find(anchor.word)
    while at >= 0:
        start = at - anchor.position
        inside = Span(max(0, start), min(len(text), start + len(wanted)))
        if inside.of(text) == inside.shift(-start).of(wanted):
            return True
        at = text.find(anchor.word, at + 1)
    return False


def _window(text: str, passage: PassageText, quotation: Quotation) -> Span:
    """Return a passage with as much text around it as a place that touches the passage may have."""
    return surroundings(text, passage.span, len(quotation.skeleton))


def _in_document_order(places: Sequence[Place]) -> list[Place]:
    """Return places by document, in the order in which the documents appear, and in the order of the text."""
    order = {id: number for number, id in enumerate(dict.fromkeys(id for id, _ in places))}
    return sorted(places, key=lambda place: (order[place[0]], place[1]))
