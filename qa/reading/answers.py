"""Turn the spans of several passages into ranked answers on one scale (pure).

Equal answers are merged, and of overlapping ones only the best is kept.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

from qa.reading.calibration import AnswerFeatures, Scale
from qa.reading.spans import PassageLogits, best_spans
from qa.results import Answer, Components, Hit, Item, Support
from qa.text.boundaries import widen
from qa.text.boxes import rectangles_of
from qa.text.enumerations import split_enumeration
from qa.text.tables import sheet_cell
from qa.types import Mark, Span, Table, mark_at, marks_within

SPANS_PER_PASSAGE = 10
# Answers are far shorter; this limit only stops the widening to a "word" of thousands of characters.
MAX_ANSWER_CHARACTERS = 500
# In logits; larger leads and gaps are clamped to this value.
_MAX_LOGIT_GAP = 15.0
# Difference in fused score at which a passage counts as fully behind the best one. A rank would jump where two passages
# swap places, and copies of a passage would change it.
_MAX_RETRIEVAL_GAP = 0.02
_CONTEXT_CHARACTERS = 300
_MAX_CONTEXT_CHARACTERS = 800
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n\s*\n")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span of a passage that may be an answer, with its logit and the null logit of its window."""

    hit: Hit
    span: Span
    reader: float
    null: float
    best_of_passage: bool

    def score(self, retrieval_weight: float) -> float:
        """Return `reader - null + retrieval_weight * retrieval`, which is comparable across passages."""
        return self.reader - self.null + retrieval_weight * self.hit.retrieval

    @property
    def text(self) -> str:
        """The text of the span."""
        return self.span.of(self.hit.passage.text)

    @property
    def location(self) -> tuple[str, Span]:
        """The id of the document, and the span within the document."""
        return self.hit.passage.document_id, self.span.shift(self.hit.passage.span.start)


PassageCandidates = Sequence[Sequence[Candidate]]
"""The candidates of each passage that was read."""


@dataclass(frozen=True, slots=True)
class RankedAnswers:
    """Answers, best first, with the features of each.

    Attributes:
        answers: the answers, best first.
        features: the features of each answer.
        no_answer: probability that the question is unanswerable.
    """

    answers: tuple[Answer, ...]
    features: tuple[AnswerFeatures, ...]
    no_answer: float


def find_candidates(hit: Hit, logits: PassageLogits, count: int) -> list[Candidate]:
    """Return the best spans of a passage, widened to whole words; enough of them for `count` answers."""
    text, cut = hit.passage.text, hit.passage.cut
    candidates: list[Candidate] = []
    for scored in best_spans(logits, max(SPANS_PER_PASSAGE, count)):
        span = widen(text, _strip(text, scored.span))
        if not 0 < len(span) <= MAX_ANSWER_CHARACTERS or _is_punctuation(span.of(text)):
            continue
        if (cut[0] and span.start == 0) or (cut[1] and span.end == len(text)):
            continue
        candidates.append(Candidate(hit, span, scored.logit, scored.null, best_of_passage=not candidates))
    return candidates


def rank_answers(passages: PassageCandidates, retrieval_weight: float, scale: Scale, count: int) -> RankedAnswers:
    """Return at most `count` answers, best first, no two of which overlap or have the same text.

    Args:
        passages: the candidates of each passage that was read.
        retrieval_weight: logits that a fused retrieval score of 1 is worth.
        scale: maps features to probabilities.
        count: maximum number of answers.
    """
    # The lead of the best answer over the second is a feature, even where the caller asks for one answer.
    selected = _select(passages, retrieval_weight, max(count, 2))
    if not selected:
        return RankedAnswers((), (), 1.0)
    scores = [candidate.score(retrieval_weight) for candidate, _ in selected]
    best_retrieval = max(candidate.hit.retrieval for candidate in chain.from_iterable(passages))
    features = tuple(
        _features_of(candidate, len(locations), len(passages), best_retrieval, scores, rank)
        for rank, (candidate, locations) in enumerate(selected[:count])
    )
    confidence, answers = 1.0, []
    for (candidate, locations), score, of_answer in zip(selected, scores, features, strict=False):
        # A lower-ranked answer never gets a higher confidence.
        confidence = min(confidence, scale.right.probability(of_answer))
        support = tuple(Support(*location) for location in locations)
        answers.append(replace(_build_answer(candidate, score, confidence), support=support))
    answers[0] = replace(answers[0], items=_build_items(selected[0][0], passages, scale.item_gap))
    return RankedAnswers(tuple(answers), features, scale.unanswerable.probability(features[0]))


def find_items(best: Candidate, passage: Sequence[Candidate], gap: float) -> list[Span]:
    """Return the things in a passage that answer together, in the order of the text; empty if the answer is one thing.

    An answer that is an enumeration has its parts as items. Apart from that, the reader gives the parts of an answer
    that is several things nearly equal logits.

    Args:
        best: the best candidate.
        passage: all candidates of its passage.
        gap: how many logits below the best candidate a part may be.
    """
    parts = split_enumeration(best.text)
    if parts:
        return [part.shift(best.span.start) for part in parts]
    near = sorted((c for c in passage if best.reader - c.reader <= gap), key=lambda c: c.span)
    distinct = {candidate.text.casefold(): candidate.span for candidate in near}
    return list(distinct.values()) if len(distinct) > 1 else []


def _build_items(best: Candidate, passages: PassageCandidates, gap: float) -> tuple[Item, ...]:
    passage = next(candidates for candidates in passages if best in candidates)
    start, text = best.hit.passage.span.start, best.hit.passage.text
    return tuple(Item(span.of(text), span.shift(start)) for span in find_items(best, passage, gap))


def _select(
    passages: PassageCandidates, retrieval_weight: float, count: int
) -> list[tuple[Candidate, list[tuple[str, Span]]]]:
    """Return the best candidates, each with the locations of its duplicates, starting with its own."""
    selected: list[Candidate] = []
    locations: list[dict[tuple[str, Span], None]] = []
    for candidate in sorted(chain.from_iterable(passages), key=lambda c: (-c.score(retrieval_weight), c.location)):
        duplicate = next((i for i, c in enumerate(selected) if _is_duplicate(c, candidate)), None)
        if duplicate is not None:
            if candidate.best_of_passage:
                locations[duplicate].setdefault(candidate.location)
        elif len(selected) < count and not any(_overlap(c, candidate) for c in selected):
            selected.append(candidate)
            locations.append({candidate.location: None})
    return [(candidate, list(duplicates)) for candidate, duplicates in zip(selected, locations, strict=True)]


def _features_of(
    candidate: Candidate, support: int, depth: int, best_retrieval: float, scores: Sequence[float], rank: int
) -> AnswerFeatures:
    best, second = scores[0], scores[1] if len(scores) > 1 else -math.inf
    return AnswerFeatures(
        reader=candidate.reader - candidate.null,
        null=candidate.null,
        retrieval=candidate.hit.retrieval,
        behind=min(1.0, (best_retrieval - candidate.hit.retrieval) / _MAX_RETRIEVAL_GAP),
        best=float(rank == 0),
        lead=min(_MAX_LOGIT_GAP, best - second) if rank == 0 else 0.0,
        gap=min(_MAX_LOGIT_GAP, best - scores[rank]),
        support=math.log(support),
        depth=math.log(depth),
        length=math.log(len(candidate.text.split())),
    )


def _strip(text: str, span: Span) -> Span:
    covered = span.of(text)
    start = span.start + len(covered) - len(covered.lstrip())
    return Span(start, max(start, span.start + len(covered.rstrip())))


def _is_punctuation(text: str) -> bool:
    return all(unicodedata.category(character).startswith("P") for character in text)


def _is_duplicate(a: Candidate, b: Candidate) -> bool:
    return a.location == b.location or a.text.casefold() == b.text.casefold()


def _overlap(a: Candidate, b: Candidate) -> bool:
    return a.location[0] == b.location[0] and a.location[1].overlaps(b.location[1])


def _build_answer(candidate: Candidate, score: float, confidence: float) -> Answer:
    hit = candidate.hit
    context = find_context(hit.passage.text, candidate.span)
    document_id, span = candidate.location
    answer = Answer(
        text=candidate.text,
        score=score,
        confidence=confidence,
        document_id=document_id,
        title=hit.title,
        uri=hit.uri,
        meta=hit.meta,
        span=span,
        context=context.of(hit.passage.text),
        context_span=candidate.span.shift(-context.start),
        passage_id=hit.passage_id,
        components=Components(hit.lexical, hit.dense, candidate.reader, candidate.null),
    )
    return locate(answer, hit.passage.marks, hit.passage.boxes, hit.passage.tables)


def locate(answer: Answer, marks: Sequence[Mark], boxes: bytes, tables: Sequence[Table] = ()) -> Answer:
    """Return the answer with its page, section, rectangles and cell, as far as its document has them."""
    mark = mark_at(marks, answer.span.start) or Mark(0)
    return replace(
        answer,
        page=mark.page,
        section=mark.section,
        rectangles=rectangles_of(boxes, answer.span) if boxes else (),
        cell=sheet_cell(tables, answer.span.start),
        ocr=any(part.kind == "ocr" for part in marks_within(marks, answer.span)),
    )


def find_context(text: str, span: Span) -> Span:
    """Return the sentence around a span, with the previous one if it is short, or a part of it if it is long."""
    edges = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    first = max(i for i, edge in enumerate(edges) if edge <= span.start)
    last = min(i for i, edge in enumerate(edges) if edge >= span.end)
    if first > 0 and edges[last] - edges[first - 1] <= _CONTEXT_CHARACTERS:
        first -= 1
    context = Span(edges[first], edges[last])
    if len(context) > _MAX_CONTEXT_CHARACTERS:
        low, high = (
            max(context.start, span.start - _CONTEXT_CHARACTERS),
            min(context.end, span.end + _CONTEXT_CHARACTERS),
        )
        context = widen(text, Span(low, high))
    return Span(context.start, context.end - (len(context.of(text)) - len(context.of(text).rstrip())))
