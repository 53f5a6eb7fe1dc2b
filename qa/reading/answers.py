"""Spans of several passages ─► answers: one scale, equal ones merged, overlapping ones thinned out (pure)."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

from qa.reading.calibration import Evidence, Scale
from qa.reading.spans import PassageLogits, best_spans
from qa.text.boundaries import widen
from qa.text.boxes import rectangles_of
from qa.types import Answer, Components, Hit, Mark, Span, Support, mark_at

SPANS_PER_PASSAGE = 5
# A sane answer is far shorter; this only stops the widening to a "word" of thousands of characters.
MAX_ANSWER_CHARACTERS = 500
# Logits; beyond this one answer is as good as alone.
_FARTHEST = 15.0
# Of the fused score; from this distance on a passage is wholly behind. A rank would jump where two change places, and
# copies would count.
_BEHIND = 0.02
_CONTEXT_CHARACTERS = 300
_LONGEST_CONTEXT = 800
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n\s*\n")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span of a passage that may be an answer, with its logit and that of "this window does not say"."""

    hit: Hit
    span: Span
    reader: float
    null: float
    best_of_passage: bool

    def score(self, retrieval_weight: float) -> float:
        """Return `reader - null + retrieval_weight * retrieval`: spans of different passages can be compared by it."""
        return self.reader - self.null + retrieval_weight * self.hit.retrieval

    @property
    def text(self) -> str:
        """What the span covers."""
        return self.span.of(self.hit.passage.text)

    @property
    def place(self) -> tuple[str, Span]:
        """The document, and the span within it."""
        return self.hit.passage.document_id, self.span.shift(self.hit.passage.span.start)


Found = Sequence[Sequence[Candidate]]
"""The candidates of each passage that was read."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Answers, best first, what speaks for each, and the probability that none of them is one."""

    answers: tuple[Answer, ...]
    evidence: tuple[Evidence, ...]
    no_answer: float


def candidates(hit: Hit, logits: PassageLogits, count: int) -> list[Candidate]:
    """Return the best spans of a passage, widened to whole words: enough of them for `count` answers."""
    text, cut = hit.passage.text, hit.passage.cut
    made: list[Candidate] = []
    for scored in best_spans(logits, max(SPANS_PER_PASSAGE, count)):
        span = widen(text, _trimmed(text, scored.span))
        if not 0 < len(span) <= MAX_ANSWER_CHARACTERS or _only_punctuation(span.of(text)):
            continue
        if (cut[0] and span.start == 0) or (cut[1] and span.end == len(text)):
            continue
        made.append(Candidate(hit, span, scored.logit, scored.null, not made))
    return made


def rank_answers(found: Found, retrieval_weight: float, scale: Scale, count: int) -> Ranked:
    """Return at most `count` answers, best first, no two of which overlap or say the same.

    Args:
        found: the candidates of each passage that was read.
        retrieval_weight: what the fused retrieval score of 1 is worth in logits.
        scale: turns evidence into probabilities.
        count: how many.
    """
    # The best answer is also judged by its lead over the second, whether that is wanted or not.
    chosen = _chosen(found, retrieval_weight, max(count, 2))
    if not chosen:
        return Ranked((), (), 1.0)
    scores = [candidate.score(retrieval_weight) for candidate, _ in chosen]
    nearest = max(candidate.hit.retrieval for candidate in chain.from_iterable(found))
    evidence = tuple(
        _evidence(candidate, len(places), len(found), nearest, scores, place)
        for place, (candidate, places) in enumerate(chosen[:count])
    )
    confidence, answers = 1.0, []
    for (candidate, places), score, speaks in zip(chosen, scores, evidence, strict=False):
        # What ranks lower is never surer.
        confidence = min(confidence, scale.right.probability(speaks))
        support = tuple(Support(*place) for place in places)
        answers.append(replace(_answer(candidate, score, confidence), support=support))
    return Ranked(tuple(answers), evidence, scale.unanswerable.probability(evidence[0]))


def _chosen(found: Found, retrieval_weight: float, count: int) -> list[tuple[Candidate, list[tuple[str, Span]]]]:
    """Return the best candidates, each with every place that says the same, its own first."""
    chosen: list[Candidate] = []
    support: list[dict[tuple[str, Span], None]] = []
    for candidate in sorted(chain.from_iterable(found), key=lambda c: (-c.score(retrieval_weight), c.place)):
        same = next((i for i, c in enumerate(chosen) if _says_the_same(c, candidate)), None)
        if same is not None:
            if candidate.best_of_passage:
                support[same].setdefault(candidate.place)
        elif len(chosen) < count and not any(_overlap(c, candidate) for c in chosen):
            chosen.append(candidate)
            support.append({candidate.place: None})
    return [(c, list(places)) for c, places in zip(chosen, support, strict=True)]


def _evidence(
    candidate: Candidate, places: int, read: int, nearest: float, scores: Sequence[float], place: int
) -> Evidence:
    best, second = scores[0], scores[1] if len(scores) > 1 else -math.inf
    return Evidence(
        reader=candidate.reader - candidate.null,
        null=candidate.null,
        retrieval=candidate.hit.retrieval,
        behind=min(1.0, (nearest - candidate.hit.retrieval) / _BEHIND),
        best=float(place == 0),
        lead=min(_FARTHEST, best - second) if place == 0 else 0.0,
        gap=min(_FARTHEST, best - scores[place]),
        support=math.log(places),
        depth=math.log(read),
        length=math.log(len(candidate.text.split())),
    )


def _trimmed(text: str, span: Span) -> Span:
    covered = span.of(text)
    start = span.start + len(covered) - len(covered.lstrip())
    return Span(start, max(start, span.start + len(covered.rstrip())))


def _only_punctuation(text: str) -> bool:
    return all(unicodedata.category(character).startswith("P") for character in text)


def _says_the_same(one: Candidate, other: Candidate) -> bool:
    return one.place == other.place or one.text.casefold() == other.text.casefold()


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one.place[0] == other.place[0] and one.place[1].overlaps(other.place[1])


def _answer(candidate: Candidate, score: float, confidence: float) -> Answer:
    hit = candidate.hit
    context = context_of(hit.passage.text, candidate.span)
    document, span = candidate.place
    answer = Answer(
        text=candidate.text,
        score=score,
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
    return located(answer, hit.passage.marks, hit.passage.boxes)


def located(answer: Answer, marks: Sequence[Mark], boxes: bytes) -> Answer:
    """Return an answer with the page, the section and the rectangles that its document gives it."""
    mark = mark_at(marks, answer.span.start)
    found = rectangles_of(boxes, answer.span) if boxes else ()
    return replace(answer, page=mark.page, section=mark.section, rectangles=found) if mark else answer


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
