"""Fit the probability that a unit of text answers, and from which probability it is evidence or an answer (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from sklearn.linear_model import LogisticRegression

from qa.evaluation.evidence import covered_units
from qa.reading.calibration import EvidenceScale, UnitFeatures
from qa.reading.evidence import UnitCandidate, select_units
from qa.types import Span

# Share of the unanswerable questions that may get evidence, and that units may answer where no span does.
_MAX_MARKED, _MAX_ANSWERED = 0.15, 0.03
_INVERSE_PENALTY = 100.0
_UNFITTED = UnitFeatures(*[0.0] * len(UnitFeatures._fields))


@dataclass(frozen=True, slots=True)
class QuestionUnits:
    """The units of the passages that were read for a question.

    Attributes:
        passages: the units of each passage.
        document_id: the document that the question is on.
        evidence: labelled spans of that document; empty if it does not answer the question.
    """

    passages: Sequence[Sequence[UnitCandidate]]
    document_id: str
    evidence: Sequence[Span]

    def answers(self, units: Sequence[UnitCandidate]) -> list[bool]:
        """Return whether each unit is labelled."""
        own = sorted({unit.span for unit in units if unit.hit.document_id == self.document_id})
        gold = set(covered_units(self.evidence, own))
        return [unit.hit.document_id == self.document_id and unit.span in gold for unit in units]


def fit_evidence(questions: Sequence[QuestionUnits]) -> EvidenceScale:
    """Fit the scale of units to questions whose evidence is labelled completely.

    The threshold has the highest F1 over units among those that mark few unanswerable questions.

    Args:
        questions: at least one with labelled evidence, and at least one without.
    """
    units = [list(chain.from_iterable(question.passages)) for question in questions]
    rows = np.array([unit.features for own in units for unit in own], np.float64)
    labels = [label for question, own in zip(questions, units, strict=True) for label in question.answers(own)]
    regression = LogisticRegression(C=_INVERSE_PENALTY, max_iter=10_000).fit(rows, labels)
    weights = UnitFeatures(*regression.coef_[0].tolist())
    scale = EvidenceScale(weights, float(regression.intercept_[0]), 0.0, 1.0)
    judged = [_judge(question, scale) for question in questions]
    top_of_unanswerable = np.array(
        [
            max((score for score, _ in own), default=0.0)
            for q, own in zip(questions, judged, strict=True)
            if not q.evidence
        ]
    )
    threshold = _best_threshold(judged, top_of_unanswerable)
    answered = float(np.quantile(top_of_unanswerable, 1 - _MAX_ANSWERED)) if len(top_of_unanswerable) else 1.0
    return replace(scale, threshold=threshold, answered=max(threshold, answered))


def _judge(question: QuestionUnits, scale: EvidenceScale) -> list[tuple[float, bool]]:
    """Return the probability of each distinct unit, and whether it is labelled."""
    selected = select_units(question.passages, scale, threshold=0.0, count=len(question.passages) * 100)
    labels = question.answers([unit for _, unit in selected])
    return [(score, label) for (score, _), label in zip(selected, labels, strict=True)]


def _best_threshold(judged: Sequence[Sequence[tuple[float, bool]]], top_of_unanswerable: np.ndarray) -> float:
    """Return the probability with the highest F1 that marks at most the allowed share of unanswerable questions."""
    scores, labels = (np.array(part) for part in zip(*chain.from_iterable(judged), strict=True))
    total = labels.sum()
    candidates = np.linspace(0.05, 0.95, 91)
    if len(top_of_unanswerable):
        allowed = np.array([np.mean(top_of_unanswerable >= t) <= _MAX_MARKED for t in candidates])
        candidates = candidates[allowed] if allowed.any() else candidates[-1:]

    def f1(threshold: float) -> float:
        marked = scores >= threshold
        return float(2 * (labels & marked).sum() / max(1, marked.sum() + total))

    return round(float(max(candidates, key=f1)), 4)
