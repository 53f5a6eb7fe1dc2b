"""Score what a result shows of answers from documents, by the lenient rule (pure).

The gold answers of a document need not be all that are right, and a person reads the status, the best guess and the
alternatives, not only the first answer. See `qa.evaluation.metrics.is_right` for the rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.intervals import (
    UNDEFINED,
    Estimate,
    estimate,
    estimate_calibration_error,
    estimate_mean,
)
from qa.evaluation.metrics import auroc, is_right
from qa.evaluation.outcomes import Outcome
from qa.evaluation.parts import GENRE, as_figures, measure_parts, partition
from qa.results import Status

_STATUSES: tuple[Status, ...] = ("answered", "unsure", "not_found", "nothing_to_search")


@dataclass(frozen=True, slots=True)
class Judgement:
    """How one result counts.

    Attributes:
        question: the labelled question.
        status: the status of the result.
        best_right: whether the best candidate is right, given or not.
        shown_right: whether any candidate is right: the answers, or the best guess and the alternatives.
        confidence: of the best candidate; 0 without one, None where the system reports none.
    """

    question: LabelledQuestion
    status: Status
    best_right: bool
    shown_right: bool
    confidence: float | None

    @property
    def right_given(self) -> bool:
        """Whether the best candidate is right and was given; for an unanswerable question, whether none was given."""
        given = self.status == "answered"
        return given and self.best_right if self.question.answerable else not given


def judge(dataset: Dataset, question: LabelledQuestion, outcome: Outcome) -> Judgement:
    """Judge one outcome."""
    golds = dataset.gold_texts(question)
    right = [is_right(candidate.text, golds) for candidate in outcome.candidates]
    return Judgement(question, outcome.shown_status, any(right[:1]), any(right), outcome.confidence)


@dataclass(frozen=True, slots=True)
class _Share:
    """A share of the answerable or of the unanswerable questions."""

    of_answerable: bool
    counts: Callable[[Judgement], bool]
    lower_is_better: bool = False

    def values(self, judgements: Sequence[Judgement]) -> list[float]:
        return [float(self.counts(j)) for j in judgements if j.question.answerable is self.of_answerable]


_SHARES = {
    "right_given": _Share(True, lambda j: j.right_given),
    "right_guess": _Share(True, lambda j: j.best_right),
    "right_shown": _Share(True, lambda j: j.shown_right),
    "unanswerable_answered": _Share(False, lambda j: j.status == "answered", lower_is_better=True),
    "right_guess_not_found": _Share(True, lambda j: j.best_right and j.status == "not_found", lower_is_better=True),
}
MEASURES = (*_SHARES, "lenient_ece", "confidence_auroc")


def measure(judgements: Sequence[Judgement]) -> dict[str, Estimate]:
    """Return each of `MEASURES`; the shares range from 0 to 100.

    - `right_given`, `right_guess`, `right_shown`: of the answerable questions, those whose best candidate is right and
      given, is right, or that have any right candidate.
    - `unanswerable_answered`: of the unanswerable questions, those with status `answered`.
    - `right_guess_not_found`: of the answerable questions, those with a right best guess and status `not_found`.
    - `lenient_ece`: calibration error of the best candidates' confidence.
    - `confidence_auroc`: how well that confidence separates answerable questions from others.
    """
    estimates = dict.fromkeys(MEASURES, UNDEFINED)
    for name, share in _SHARES.items():
        estimates[name] = estimate_mean(share.values(judgements), 100)
    confidences = np.array([j.confidence for j in judgements if j.confidence is not None])
    if len(confidences) == len(judgements):
        right = np.array([j.best_right for j in judgements], bool)
        answerable = np.array([j.question.answerable for j in judgements], bool)
        estimates["lenient_ece"] = estimate_calibration_error(confidences, right)
        estimates["confidence_auroc"] = estimate(lambda r: auroc(confidences[r], answerable[r]), len(judgements))
    return estimates


def score_results(dataset: Dataset, outcomes: Sequence[Outcome]) -> tuple[dict[str, Any], list[dict[str, object]]]:
    """Judge the outcomes of a data set's questions, given in their order.

    Returns:
        `metrics` and `intervals`; `statuses`, counted by answerability; `parts`, the metrics by genre, kind and style.
        The metrics also hold `NAME@worst_genre` for all measures and `NAME@mean_genre` for the shares. Beside these
        figures, a record for each question.
    """
    questions = dataset.questions
    judgements = [judge(dataset, *pair) for pair in zip(questions, outcomes, strict=True)]
    parts = partition(judgements, [question.labels for question in questions])
    measured = measure_parts(parts, measure)
    genres = [part for (by, _), part in parts.items() if by == GENRE]
    metrics = measure(judgements)
    metrics |= {f"{name}@worst_genre": _worst(measured, name) for name in MEASURES}
    metrics |= {f"{name}@mean_genre": _mean(genres, share) for name, share in _SHARES.items()}
    figures = {
        **as_figures(metrics),
        "statuses": {
            name: _count_statuses([j for j in judgements if j.question.answerable is answerable])
            for name, answerable in (("answerable", True), ("unanswerable", False))
        },
        "parts": measured,
    }
    return figures, [
        {"status": j.status, "right_given": float(j.right_given), "right_guess": j.best_right} for j in judgements
    ]


def _count_statuses(judgements: Sequence[Judgement]) -> dict[str, int]:
    counts = Counter(judgement.status for judgement in judgements)
    return {status: counts[status] for status in _STATUSES}


def _worst(parts: Sequence[Mapping[str, Any]], name: str) -> Estimate:
    """Return the measure of the genre where it is worst, with the interval of that genre."""
    genres = [part for part in parts if part["by"] == GENRE and part["metrics"][name] is not None]
    if not genres:
        return UNDEFINED
    lower_is_better = name == "lenient_ece" or (name in _SHARES and _SHARES[name].lower_is_better)
    worst = (max if lower_is_better else min)(genres, key=lambda part: part["metrics"][name])
    return Estimate(worst["metrics"][name], worst["intervals"][name])


def _mean(genres: Sequence[Sequence[Judgement]], share: _Share) -> Estimate:
    """Return the mean of a share over genres, each with the same weight."""
    values = [part for judgements in genres if (part := share.values(judgements))]
    if not values:
        return UNDEFINED
    numbers = np.concatenate([np.array(part) for part in values])
    genre = np.repeat(np.arange(len(values)), [len(part) for part in values])

    def mean_of_means(rows: NDArray[np.intp]) -> float:
        counts = np.bincount(genre[rows], minlength=len(values))
        sums = np.bincount(genre[rows], numbers[rows], minlength=len(values))
        return 100 * float(np.mean(sums[counts > 0] / counts[counts > 0]))

    return estimate(mean_of_means, len(numbers))
