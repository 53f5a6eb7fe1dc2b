"""Fit the probability that a unit of text answers, and from which probability it is evidence or an answer (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from qa.evaluation.evidence import covered_units
from qa.reading.calibration import EvidenceScale, UnitFeatures
from qa.reading.evidence import UnitCandidate, features_of, select_units
from qa.types import Span

# Share of the unanswerable questions that may get evidence, and that units may answer where no span does.
_MAX_MARKED, _MAX_ANSWERED = 0.17, 0.03
_THRESHOLDS = np.linspace(0.05, 0.95, 91)
_INVERSE_PENALTY = 100.0


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


@dataclass(frozen=True, slots=True)
class _JudgedQuestion:
    """The distinct units of a question.

    Attributes:
        scores: their probabilities, best first, shape (units,).
        labels: whether each is labelled, shape (units,).
        answerable: whether the document answers the question.
    """

    scores: NDArray[np.float64]
    labels: NDArray[np.bool_]
    answerable: bool

    @property
    def top(self) -> float:
        """The probability of the best unit; 0.0 without units."""
        return float(self.scores[0]) if len(self.scores) else 0.0

    def f1(self, threshold: float) -> float:
        """Return the F1 of the units from a probability upwards; 1.0 if there are none and none answers."""
        marked = self.scores >= threshold
        if not self.answerable or not marked.any():
            return float(not self.answerable and not marked.any())
        return float(2 * (self.labels & marked).sum() / (marked.sum() + self.labels.sum()))


def fit_evidence(questions: Sequence[QuestionUnits]) -> EvidenceScale:
    """Fit the scale of units to questions whose evidence is labelled completely.

    The thresholds give the highest mean F1 over the units of a question, among those that mark few unanswerable
    questions.

    Args:
        questions: at least one with labelled evidence, and at least one without.
    """
    units = [features_of(question.passages) for question in questions]
    rows = np.array([features for own in units for _, features in own], np.float64)
    labels = [
        label
        for question, own in zip(questions, units, strict=True)
        for label in question.answers([unit for unit, _ in own])
    ]
    regression = LogisticRegression(C=_INVERSE_PENALTY, max_iter=10_000).fit(rows, labels)
    weights = UnitFeatures(*regression.coef_[0].tolist())
    scale = EvidenceScale(weights, float(regression.intercept_[0]), 0.0, 0.0, 1.0)
    judged = [_judge(question, scale) for question in questions]
    tops = np.array([question.top for question in judged if not question.answerable])
    threshold, further = _choose_thresholds(judged, tops)
    answered = float(np.quantile(tops, 1 - _MAX_ANSWERED)) if len(tops) else 1.0
    return replace(scale, threshold=threshold, further=further, answered=max(threshold, answered))


def _judge(question: QuestionUnits, scale: EvidenceScale) -> _JudgedQuestion:
    count = sum(map(len, question.passages))
    selected = select_units(question.passages, scale, threshold=0.0, count=count)
    labels = question.answers([unit for _, unit in selected])
    return _JudgedQuestion(
        np.array([score for score, _ in selected]), np.array(labels, np.bool_), bool(question.evidence)
    )


def _choose_thresholds(
    questions: Sequence[_JudgedQuestion], tops_of_unanswerable: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the thresholds of the best unit and of the others that give the highest mean F1 and keep the limit."""
    tops = np.array([question.top for question in questions])
    without = np.array([question.f1(1.1) for question in questions])
    allowed = [t for t in _THRESHOLDS if not np.mean(tops_of_unanswerable >= t) > _MAX_MARKED] or [_THRESHOLDS[-1]]
    scores = {}
    for further in _THRESHOLDS:
        marked = np.array([question.f1(further) for question in questions])
        for threshold in allowed:
            if threshold >= further:
                scores[threshold, further] = np.where(tops >= threshold, marked, without).mean()
    threshold, further = max(scores, key=lambda pair: (scores[pair], pair))
    return round(float(threshold), 4), round(float(further), 4)
