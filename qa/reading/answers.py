"""Spans of several passages ─► answers: one scale, equal ones merged, overlapping ones thinned out (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.documents.boundaries import widen
from qa.reading.calibration import Scale
from qa.reading.spans import PassageLogits, best_spans
from qa.types import Answer, Components, Hit, Span, Support

SPANS_PER_PASSAGE = 5
# A sane answer is far shorter; this only stops the widening to a "word" of thousands of characters.
MAX_ANSWER_CHARACTERS = 500
_CONTEXT_CHARACTERS = 300
_LONGEST_CONTEXT = 800
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n\s*\n")


@dataclass(frozen=True, slots=True)
class _Candidate:
    hit: Hit
    span: Span
    score: float
    reader: float
    null: float
    best_of_passage: bool

    @property
    def text(self) -> str:
        return self.span.of(self.hit.passage.text)

    @property
    def place(self) -> tuple[str, Span]:
        return self.hit.passage.document_id, self.span.shift(self.hit.passage.span.start)


def rank_answers(
    hits: Sequence[Hit], logits: Sequence[PassageLogits], retrieval_weight: float, scale: Scale, count: int
) -> list[Answer]:
    """Return at most `count` answers, best first, no two of which overlap or say the same.

    `score = reader - null + retrieval_weight * retrieval`, so answers of different passages can be compared.

    Args:
        hits: the passages read.
        logits: what the reader gave for each of them, in the same order.
        retrieval_weight: what the fused retrieval score of 1 is worth in logits.
        scale: turns scores into confidences.
        count: how many.
    """
    ranked = sorted(
        (
            c
            for hit, read in zip(hits, logits, strict=True)
            for c in _candidates(hit, read, retrieval_weight, max(SPANS_PER_PASSAGE, count))
        ),
        key=lambda c: (-c.score, c.place),
    )
    chosen: list[_Candidate] = []
    support: list[dict[tuple[str, Span], None]] = []
    for candidate in ranked:
        same = next((i for i, c in enumerate(chosen) if _says_the_same(c, candidate)), None)
        if same is not None:
            if candidate.best_of_passage:
                support[same].setdefault(candidate.place)
        elif len(chosen) < count and not any(_overlap(c, candidate) for c in chosen):
            chosen.append(candidate)
            support.append({candidate.place: None})
    best = chosen[0].score if chosen else 0.0
    return [
        replace(_answer(c, scale.confidence(c.score, best)), support=tuple(Support(*place) for place in places))
        for c, places in zip(chosen, support, strict=True)
    ]


def _candidates(hit: Hit, logits: PassageLogits, retrieval_weight: float, count: int) -> list[_Candidate]:
    text, cut = hit.passage.text, hit.passage.cut
    made: list[_Candidate] = []
    for scored in best_spans(logits, count):
        span = widen(text, _trimmed(text, scored.span))
        if not 0 < len(span) <= MAX_ANSWER_CHARACTERS:
            continue
        if (cut[0] and span.start == 0) or (cut[1] and span.end == len(text)):
            continue
        score = scored.margin + retrieval_weight * hit.retrieval
        made.append(_Candidate(hit, span, score, scored.logit, scored.null, not made))
    return made


def _trimmed(text: str, span: Span) -> Span:
    covered = span.of(text)
    start = span.start + len(covered) - len(covered.lstrip())
    return Span(start, max(start, span.start + len(covered.rstrip())))


def _says_the_same(one: _Candidate, other: _Candidate) -> bool:
    return one.place == other.place or one.text.casefold() == other.text.casefold()


def _overlap(one: _Candidate, other: _Candidate) -> bool:
    return one.place[0] == other.place[0] and one.place[1].overlaps(other.place[1])


def _answer(candidate: _Candidate, confidence: float) -> Answer:
    hit = candidate.hit
    context = context_of(hit.passage.text, candidate.span)
    document, span = candidate.place
    return Answer(
        text=candidate.text,
        score=candidate.score,
        confidence=confidence,
        document_id=document,
        title=hit.title,
        uri=hit.uri,
        meta=hit.meta,
        span=span,
        context=context.of(hit.passage.text),
        context_span=candidate.span.shift(-context.start),
        passage_id=hit.passage_id,
        components=Components(hit.lexical, hit.dense, candidate.reader, candidate.null),
    )


def context_of(text: str, span: Span) -> Span:
    """Return the sentence around a span of a passage: with a neighbour where it is short, a part where it is long."""
    edges = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    first = max(i for i, edge in enumerate(edges) if edge <= span.start)
    last = min(i for i, edge in enumerate(edges) if edge >= span.end)
    if first > 0 and edges[last] - edges[first - 1] <= _CONTEXT_CHARACTERS:
        first -= 1
    covered = Span(edges[first], edges[last])
    if len(covered) > _LONGEST_CONTEXT:
        low, high = (
            max(covered.start, span.start - _CONTEXT_CHARACTERS),
            min(covered.end, span.end + _CONTEXT_CHARACTERS),
        )
        covered = widen(text, Span(low, high))
    return Span(covered.start, covered.end - (len(covered.of(text)) - len(covered.of(text).rstrip())))
