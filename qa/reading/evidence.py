"""Units of a text that answer a question: sentences, list items, rows of tables, definitions, lines (pure).

The reader gives each token a logit; a unit's logit is the mean over its tokens. Its probability also depends on whether
the passage has a good answer span and on how well the passage was retrieved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from qa.reading.answers import MAX_ANSWER_CHARACTERS, find_context, locate
from qa.reading.calibration import EvidenceScale, UnitFeatures
from qa.reading.spans import PassageLogits, best_spans
from qa.results import Answer, Components, EvidenceUnit, Hit, Item, Support
from qa.text.boxes import rectangles_of
from qa.types import Mark, Span, mark_at

MAX_UNITS = 10
"""Maximum number of units in a result."""

# In logits: a larger margin of the passage's best span says no more.
_MAX_MARGIN = 12.0
# Logit in the place of a missing neighbour: that of a unit that certainly does not answer.
_NO_NEIGHBOUR = -8.0


@dataclass(frozen=True, slots=True)
class UnitCandidate:
    """A unit of a passage that was read.

    Attributes:
        hit: the passage.
        span: place in the document.
        logit: mean logit of its tokens.
        margin: best span logit of the passage minus its null logit, within -12 and 12.
        holds: whether the best span of the passage is in the unit.
        before, after: logits of the units before and after it in the passage; -8 where there is none.
    """

    hit: Hit
    span: Span
    logit: float
    margin: float
    holds: bool
    before: float = _NO_NEIGHBOUR
    after: float = _NO_NEIGHBOUR

    @property
    def text(self) -> str:
        """The text of the unit."""
        return self.span.shift(-self.hit.span.start).of(self.hit.text)

    def features(self, top: float, rank: int) -> UnitFeatures:
        """Return what its probability depends on.

        Args:
            top: highest logit of all units that were read for the question.
            rank: number of passages that are ranked before its passage.
        """
        return UnitFeatures(
            logit=self.logit,
            gap=self.logit - top,
            before=self.before,
            after=self.after,
            margin=self.margin,
            retrieval=self.hit.retrieval,
            rank=float(rank),
            holds=float(self.holds),
            held_margin=self.margin if self.holds else 0.0,
            length=math.log1p(len(self.text.split())),
        )


def unit_logits(logits: PassageLogits) -> list[tuple[Span, float]]:
    """Return the units of a passage with their logits; units without a token are missing.

    A unit that is in several windows has the logit of the window with the most of its tokens.
    """
    if not logits.units:
        return []
    starts = np.array([unit.start for unit in logits.units])
    ends = np.array([unit.end for unit in logits.units])
    token_starts = logits.offsets[:, 0]
    owner = np.searchsorted(starts, token_starts, side="right") - 1
    owner[(token_starts < 0) | (owner < 0) | (token_starts >= ends[owner])] = -1
    best_count = np.zeros(len(starts), np.int64)
    mean = np.zeros(len(starts))
    for window in logits.windows:
        inside = owner[window.first : window.first + len(window.evidence)]
        of_unit = inside >= 0
        count = np.bincount(inside[of_unit], minlength=len(starts))
        total = np.bincount(inside[of_unit], window.evidence[of_unit], minlength=len(starts))
        better = count > best_count
        mean[better] = total[better] / count[better]
        best_count = np.maximum(best_count, count)
    return [(unit, float(value)) for unit, value, count in zip(logits.units, mean, best_count, strict=True) if count]


def find_units(hit: Hit, logits: PassageLogits) -> list[UnitCandidate]:
    """Return the units of a passage that was read, in the order of the text."""
    best = next(iter(best_spans(logits, 1)), None)
    margin = min(_MAX_MARGIN, max(-_MAX_MARGIN, best.margin)) if best else -_MAX_MARGIN
    units = unit_logits(logits)
    values = [_NO_NEIGHBOUR, *(logit for _, logit in units), _NO_NEIGHBOUR]
    return [
        UnitCandidate(
            hit, unit.shift(hit.span.start), logit, margin, bool(best and best.span.overlaps(unit)), before, after
        )
        for (unit, logit), before, after in zip(units, values, values[2:], strict=False)
    ]


def features_of(passages: Sequence[Sequence[UnitCandidate]]) -> list[tuple[UnitCandidate, UnitFeatures]]:
    """Return the units of the passages that were read, best-ranked passage first, each with its features."""
    top = max((unit.logit for unit in chain.from_iterable(passages)), default=0.0)
    return [(unit, unit.features(top, rank)) for rank, units in enumerate(passages) for unit in units]


def select_units(
    passages: Sequence[Sequence[UnitCandidate]],
    scale: EvidenceScale,
    threshold: float | None = None,
    count: int = MAX_UNITS,
) -> list[tuple[float, UnitCandidate]]:
    """Return at most `count` units, each after its probability, best first, no two of which overlap.

    Passages overlap, so a unit may have been read twice; the better reading counts.

    Args:
        passages: the units of each passage that was read, best-ranked passage first.
        scale: maps features to probabilities.
        threshold: minimum probability; None for those of the scale.
        count: maximum number of units.
    """
    first, further = (scale.threshold, scale.further) if threshold is None else (threshold, threshold)
    scored = [(scale.probability(features), unit) for unit, features in features_of(passages)]
    likely = sorted(
        ((score, unit) for score, unit in scored if score >= further),
        key=lambda pair: (-pair[0], pair[1].hit.document_id, pair[1].span),
    )
    selected: list[tuple[float, UnitCandidate]] = []
    if not likely or likely[0][0] < first:
        return selected
    for score, unit in likely:
        if len(selected) == count:
            break
        if not any(_overlap(unit, better) for _, better in selected):
            selected.append((score, unit))
    return selected


def build_evidence_answer(units: Sequence[tuple[float, UnitCandidate]]) -> Answer:
    """Return the answer that units give where no short span is good.

    Its text is the best unit, with the units before and after it that follow one another without a gap, as the steps
    of an instruction do. Its items are all units of the document, in the order of the text.

    Args:
        units: probabilities and units, best first; at least one.
    """
    confidence, best = units[0]
    hit = best.hit
    in_document = sorted((unit for _, unit in units if unit.hit.document_id == hit.document_id), key=lambda u: u.span)
    span = best.span
    for unit in (*reversed(in_document), *in_document):
        joined = Span(min(span.start, unit.span.start), max(span.end, unit.span.end))
        if _is_adjacent(span, unit.span, hit) and len(joined) <= MAX_ANSWER_CHARACTERS:
            span = joined
    in_passage = span.shift(-hit.span.start)
    context = find_context(hit.text, in_passage)
    answer = Answer(
        text=in_passage.of(hit.text),
        score=best.logit,
        confidence=confidence,
        document_id=hit.document_id,
        title=hit.title,
        uri=hit.uri,
        meta=hit.meta,
        span=span,
        context=context.of(hit.text),
        context_span=in_passage.shift(-context.start),
        passage_id=hit.passage_id,
        components=Components(hit.lexical, hit.dense, best.logit, 0.0),
        support=(Support(hit.document_id, span),),
        kind="evidence",
        items=tuple(Item(unit.text, unit.span) for unit in in_document) if len(in_document) > 1 else (),
    )
    return locate(answer, hit.passage.marks, hit.passage.boxes, hit.passage.tables)


def _is_adjacent(span: Span, other: Span, hit: Hit) -> bool:
    """Return whether only white space of the passage is between two spans."""
    first, second = sorted((span, other))
    if first.start < hit.span.start or second.end > hit.span.end or second.start < first.end:
        return False
    return not Span(first.end, second.start).shift(-hit.span.start).of(hit.text).strip()


def build_unit(unit: UnitCandidate, score: float) -> EvidenceUnit:
    """Return a unit with its place in the document."""
    passage = unit.hit.passage
    mark = mark_at(passage.marks, unit.span.start) or Mark(0)
    return EvidenceUnit(
        document_id=unit.hit.document_id,
        span=unit.span,
        text=unit.text,
        score=score,
        page=mark.page,
        section=mark.section,
        rectangles=rectangles_of(passage.boxes, unit.span) if passage.boxes else (),
        uri=unit.hit.uri,
    )


def _overlap(a: UnitCandidate, b: UnitCandidate) -> bool:
    return a.hit.document_id == b.hit.document_id and a.span.overlaps(b.span)
