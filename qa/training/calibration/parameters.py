"""Evidence of held-out questions ─► the parameters of a calibration (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from qa.evaluation.metrics import f1
from qa.reading.answers import Found, Ranked, rank_answers
from qa.reading.calibration import Evidence, Scale, Weights
from qa.reading.early_stopping import passages_needed
from qa.training.calibration.annotator_agreement import AnnotatorAgreement, annotator_agreement
from qa.types import Hit

WEIGHTS_TRIED = (0.0, 8.0, 12.0, 16.0, 20.0, 25.0, 30.0, 35.0, 40.0, 50.0, 60.0)
MARGINS_TRIED = (0.0, 2.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 15.0)
# In at most one question of 200 may reading on have changed the best answer.
SAME_ANSWERS = 0.995
# F1, from 0 to 1: less than what chance makes of a thousand questions.
_AS_GOOD = 0.002
# F1 that is given up to refuse more: a wrong answer is worse than none.
_FOR_REFUSALS = 0.006
# From this confidence on an answer behind the best one is given: where it is right at least one time in five.
_OTHERS_GIVEN = 0.2
ANSWERS_FITTED = 3
# How many of the questions that are asked are taken to have no answer. Nobody knows; with a tenth the error is smaller
# where all have one, with a fifth where a third has none.
ASSUMED_UNANSWERABLE = 0.15
# Almost none: there are far more questions than weights; it only keeps a weight finite that nothing decides.
_INVERSE_PENALTY = 100.0
_FOLDS = 5
# What tells whether there is an answer. How far the best is ahead, and how high the logit of none is for a margin, tell
# which file a question is from, too, and those that people asked in vain are all from one: among questions on the
# same contexts they mislead.
_OF_NO_ANSWER = ("reader", "retrieval", "behind")
# What tells how sure one is where no passage was withdrawn: the logit of none misleads there, too, and a level of the
# best answers' own made the error larger.
_OF_SINGLE_TEXTS = tuple(name for name in Evidence._fields if name not in ("null", "best"))

# Gives no probabilities that are used: while fitting, only evidence and scores are looked at.
_EVEN = Weights(*[0.0] * (len(Evidence._fields) + 1))
UNFITTED = Scale(_EVEN, _EVEN, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's gold answers, and the passages found for it with the candidates in each.

    Attributes:
        golds: none, if nothing that was searched says it.
        hits: the passages, best first.
        found: the candidates of each.
        withdrawn: its own passage was taken out of those that were found.
    """

    golds: tuple[str, ...]
    hits: Sequence[Hit]
    found: Found
    withdrawn: bool = False

    def until_settled(self, weight: float, margin: float) -> Asked:
        """Return what is left if reading stops by the rule."""
        count = passages_needed(self.found, self.hits, weight, margin)
        return replace(self, hits=self.hits[:count], found=self.found[:count])


@dataclass(frozen=True, slots=True)
class _Row:
    """A question for which there was an answer, with those answers, and whether its own passage was withdrawn."""

    golds: tuple[str, ...]
    ranked: Ranked
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class _Opinions:
    """The best answer and those behind it are right in spite of the gold answer in different shares."""

    best: AnnotatorAgreement
    others: AnnotatorAgreement

    @staticmethod
    def of(rows: Sequence[_Row]) -> _Opinions:
        several = [row for row in rows if len(row.golds) > 1]
        return _Opinions(
            annotator_agreement((row.ranked.answers[0].text, row.golds) for row in several),
            annotator_agreement((answer.text, row.golds) for row in several for answer in row.ranked.answers[1:]),
        )

    def rightness(self, row: _Row) -> list[float]:
        best, *others = (answer.text for answer in row.ranked.answers)
        return [
            self.best.rightness(best, row.golds),
            *(self.others.rightness(text, row.golds) for text in others),
        ]


def best_weight(asked: Sequence[Asked]) -> float:
    """Return the largest retrieval weight with which answers are as good as with any other: it settles them soonest."""
    scores = {weight: mean_f1(asked, weight) for weight in WEIGHTS_TRIED}
    return max(weight for weight, score in scores.items() if score >= max(scores.values()) - _AS_GOOD)


def smallest_margin(asked: Sequence[Asked], weight: float) -> float:
    """Return the smallest margin with which stopping nearly never changes the best answer; else the largest tried."""
    whole = [_best_text(_ranked(a, weight)) for a in asked]
    for margin in MARGINS_TRIED:
        stopped = [_best_text(_ranked(a.until_settled(weight, margin), weight)) for a in asked]
        if np.mean([one == other for one, other in zip(whole, stopped, strict=True)]) >= SAME_ANSWERS:
            return margin
    return MARGINS_TRIED[-1]


def mean_f1(asked: Sequence[Asked], weight: float) -> float:
    """Return the mean F1, from 0 to 1, of the best answer to the questions that have one."""
    return float(np.mean([f1(_best_text(_ranked(a, weight)), a.golds) for a in asked if a.golds]))


def fitted_scale(asked: Sequence[Asked], weight: float) -> Scale:
    """Fit both probabilities, then the one of no answer from which on nothing is given."""
    rows = _rows(asked, weight)
    right = _right(*_judged(rows))
    assumed = _as_assumed(rows)
    unanswerable = fit(
        [row.ranked.evidence[0] for row in assumed], [float(not row.golds) for row in assumed], _OF_NO_ANSWER
    )
    there = [1 - unanswerable.probability(row.ranked.evidence[0]) for row in rows]
    return Scale(right, unanswerable, round(1 - _best_cut(rows, there), 4), _OTHERS_GIVEN)


def cross_validated(asked: Sequence[Asked], weight: float) -> tuple[list[float], list[float]]:
    """Return the best answers' confidences by parameters fitted on the other folds, and how right they are expected."""
    rows, counted = _judged(_rows(asked, weight))
    confidences: list[float] = []
    right: list[float] = []
    for fold in range(_FOLDS):
        others = [row for place, row in enumerate(rows) if place % _FOLDS != fold]
        fitted, opinions = _right(others, counted), _Opinions.of(others)
        for row in rows[fold::_FOLDS]:
            confidences.append(fitted.probability(row.ranked.evidence[0]))
            right.append(opinions.rightness(row)[0])
    return confidences, right


def shares_at_refusal(asked: Sequence[Asked], weight: float, scale: Scale) -> tuple[float, float]:
    """Return the share of answerable questions that are answered, and of the others that are refused."""
    given: dict[bool, list[bool]] = {True: [], False: []}
    for a in asked:
        ranked = _ranked(a, weight)
        given[bool(a.golds)].append(bool(ranked.answers) and not scale.refuses(_no_answer(ranked, scale)))
    return float(np.mean(given[True])), 1 - float(np.mean(given[False]))


def fit(evidence: Sequence[Evidence], shares: Sequence[float], counted: Collection[str] = Evidence._fields) -> Weights:
    """Fit probabilities to shares from 0 to 1: each row counts as both outcomes, by its share.

    RetryQueue that say the same may only speak for it: what little data says to the contrary is taken for chance.

    Args:
        evidence: a row for each answer.
        shares: how likely it is what the weights shall tell.
        counted: which evidence may have a weight.
    """
    rows = np.array([*evidence, *evidence]) * [name in counted for name in Evidence._fields]
    outcomes = [True] * len(evidence) + [False] * len(evidence)
    halves = np.array([*shares, *(1 - share for share in shares)])
    column = Evidence._fields.index("support")
    for _ in range(2):
        regression = LogisticRegression(C=_INVERSE_PENALTY, max_iter=10_000).fit(rows, outcomes, sample_weight=halves)
        if regression.coef_[0][column] >= 0:
            break
        rows[:, column] = 0.0
    found = dict(zip(Evidence._fields, regression.coef_[0].tolist(), strict=True))
    return Weights(**found, bias=float(regression.intercept_[0]))


def _right(rows: Sequence[_Row], counted: Collection[str]) -> Weights:
    """Fit the probability that an answer is right, on the best answer and those behind it."""
    opinions = _Opinions.of(rows)
    shares = [share for row in rows for share in opinions.rightness(row)]
    return fit([evidence for row in rows for evidence in row.ranked.evidence], shares, counted)


def _no_answer(ranked: Ranked, scale: Scale) -> float:
    return scale.unanswerable.probability(ranked.evidence[0])


def _best_cut(rows: Sequence[_Row], there: Sequence[float]) -> float:
    """Return the probability that there is an answer from which on it is best given.

    It is the strictest that gives up at most `_FOR_REFUSALS` of the largest F1 where one question in six has no answer,
    about as many as are assumed to have none.

    Args:
        rows: questions with their answers.
        there: that probability of each.
    """
    values = np.array(there)
    answerable = np.array([bool(row.golds) for row in rows])
    worths = np.array([f1(_best_text(row.ranked), row.golds) if row.golds else 0.0 for row in rows])

    def worth(cut: float) -> float:
        given = values >= cut
        return float(5 * np.mean((worths * given)[answerable]) + np.mean(~given[~answerable])) / 6

    cuts = np.quantile(values, np.linspace(0, 0.95, 96))
    found = np.array([worth(cut) for cut in cuts])
    return float(max(cuts[found >= found.max() - _FOR_REFUSALS]))


def _rows(asked: Sequence[Asked], weight: float) -> list[_Row]:
    return [_Row(a.golds, ranked, a.withdrawn) for a in asked if (ranked := _ranked(a, weight)).answers]


def _judged(rows: Sequence[_Row]) -> tuple[list[_Row], Collection[str]]:
    """Return the rows that confidence is fitted on, and the evidence that counts for it.

    Questions that mislead were written with the passage in view. Who asks an index has not seen it: what he asks in
    vain, no passage is about. So where there are withdrawn ones, they alone stand for those in vain.
    """
    if not any(row.withdrawn for row in rows):
        return _as_assumed(rows), _OF_SINGLE_TEXTS
    return _as_assumed([row for row in rows if row.golds or row.withdrawn]), Evidence._fields


def _as_assumed(rows: Sequence[_Row]) -> list[_Row]:
    """Return rows with no more than the assumed share of unanswerable ones: what is too many is left out evenly."""
    places = [place for place, row in enumerate(rows) if not row.golds]
    share = ASSUMED_UNANSWERABLE / (1 - ASSUMED_UNANSWERABLE)
    wanted = min(len(places), round(share * (len(rows) - len(places))))
    kept = {places[int(i * len(places) / wanted)] for i in range(wanted)}
    return [row for place, row in enumerate(rows) if row.golds or place in kept]


def _ranked(asked: Asked, weight: float) -> Ranked:
    return rank_answers(asked.found, weight, UNFITTED, ANSWERS_FITTED)


def _best_text(ranked: Ranked) -> str:
    return ranked.answers[0].text if ranked.answers else ""
