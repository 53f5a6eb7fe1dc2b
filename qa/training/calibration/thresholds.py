"""Choose the confidence from which questions are answered, and the one from which a guess is shown (pure).

Answers are given from the lowest confidence that keeps two limits: few unanswerable questions are answered, and more of
the answers are right than wrong. The lowest such confidence gives the most right answers. A guess is shown from the
highest confidence that hides few right guesses.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Share of unanswerable questions that may be answered: of all, and of each group.
_MAX_ANSWERED, _MAX_ANSWERED_IN_GROUP = 0.12, 0.15
# Share of right guesses that may be hidden: of all, and of each group.
_MAX_HIDDEN, _MAX_HIDDEN_IN_GROUP = 0.03, 0.06
# In a smaller group, a few questions would decide whether a limit is kept.
_MIN_IN_GROUP = 40
# Confidence from which nothing is answered: no probability reaches it.
_NEVER = 1.0

Confidences = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Guess:
    """The best candidate of a question.

    Attributes:
        confidence: calibrated probability that it is right.
        right: whether it is right; false if the question is unanswerable.
        answerable: whether the documents answer the question.
        group: the data set or kind of document that the question is from.
    """

    confidence: float
    right: bool
    answerable: bool
    group: str


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of questions, from 0 to 1; NaN where there is no such question.

    Attributes:
        answered: answerable questions that are answered.
        wrongly_answered: unanswerable questions that are answered.
        hidden: right guesses that are not shown.
    """

    answered: float
    wrongly_answered: float
    hidden: float


def measure_shares(guesses: Sequence[Guess], answered: float, unsure: float) -> Shares:
    """Return the shares of questions that two thresholds give."""

    def share(flags: list[bool]) -> float:
        return sum(flags) / len(flags) if flags else math.nan

    return Shares(
        share([guess.confidence >= answered for guess in guesses if guess.answerable]),
        share([guess.confidence >= answered for guess in guesses if not guess.answerable]),
        share([guess.confidence < unsure for guess in guesses if guess.right]),
    )


def choose_answered(guesses: Sequence[Guess], unanswerable_share: float) -> float:
    """Return the lowest confidence from which answers keep the limits; 1.0 if there is none.

    Args:
        guesses: the best candidates.
        unanswerable_share: assumed share of unanswerable questions, from 0 to below 1. It is the weight that answers to
            them have among the wrong answers.
    """
    unanswerable = [guess for guess in guesses if not guess.answerable]
    right = _confidences(guess for guess in guesses if guess.right)
    wrong = _confidences(guess for guess in guesses if guess.answerable and not guess.right)
    odds = unanswerable_share / (1 - unanswerable_share)
    weight = odds * (len(right) + len(wrong)) / max(1, len(unanswerable))
    thresholds = np.unique(_confidences(guesses))
    wrong_answers = _count_from(thresholds, wrong) + weight * _count_from(thresholds, _confidences(unanswerable))
    kept = _count_from(thresholds, right) > wrong_answers
    for part, share in _limits(unanswerable, _MAX_ANSWERED, _MAX_ANSWERED_IN_GROUP):
        kept &= _count_from(thresholds, part) <= share * len(part)
    return float(thresholds[kept][0]) if kept.any() else _NEVER


def choose_unsure(guesses: Sequence[Guess]) -> float:
    """Return the highest confidence below which few right guesses are; 0.0 without a right guess."""
    right = [guess for guess in guesses if guess.right]
    limits = _limits(right, _MAX_HIDDEN, _MAX_HIDDEN_IN_GROUP)
    return min((float(part[int(share * len(part))]) for part, share in limits), default=0.0)


def _limits(guesses: Sequence[Guess], of_all: float, of_group: float) -> Iterator[tuple[Confidences, float]]:
    """Yield the ascending confidences of all guesses, and of each group that is large enough, with their limits."""
    groups: defaultdict[str, list[Guess]] = defaultdict(list)
    for guess in guesses:
        groups[guess.group].append(guess)
    if guesses:
        yield _confidences(guesses), of_all
    for group in groups.values():
        if len(group) >= _MIN_IN_GROUP:
            yield _confidences(group), of_group


def _confidences(guesses: Iterable[Guess]) -> Confidences:
    return np.sort([guess.confidence for guess in guesses])


def _count_from(thresholds: Confidences, confidences: Confidences) -> Confidences:
    """Return for each threshold how many of the ascending confidences are at least as high."""
    return (len(confidences) - np.searchsorted(confidences, thresholds)).astype(np.float64)
