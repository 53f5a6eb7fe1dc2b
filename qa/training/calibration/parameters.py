"""Parameters of a calibration, fitted to the evidence of held-out questions (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from sklearn.linear_model import LogisticRegression

from qa.evaluation.evidence import Counts, judge_items
from qa.evaluation.metrics import f1, is_right
from qa.reading.answers import PassageCandidates, RankedAnswers, find_items, rank_answers
from qa.reading.calibration import AnswerFeatures, EvidenceScale, Scale, UnitFeatures, Weights
from qa.reading.early_stopping import count_passages_needed
from qa.results import Hit
from qa.training.calibration.annotator_agreement import AnnotatorAgreement, count_agreement
from qa.training.calibration.thresholds import Guess, choose_answered, choose_unsure
from qa.training.calibration.unit_scale import QuestionUnits, fit_evidence

RETRIEVAL_WEIGHTS = (0.0, 8.0, 12.0, 16.0, 20.0, 25.0, 30.0, 35.0, 40.0, 50.0, 60.0)
STOP_MARGINS = (0.0, 2.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 15.0)
# Early stopping may change the best answer of at most one question in 200.
_MIN_UNCHANGED = 0.995
# F1, from 0 to 1: smaller differences on a thousand questions may be chance.
_F1_TOLERANCE = 0.002
# Word F1 from which an answer is right, and from which it is if it also contains a gold answer or lies within one.
_NEARLY_EQUAL, _HALF = 0.8, 0.5
# Minimum confidence of answers behind the best one: where at least one in five is right.
_OTHERS_THRESHOLD = 0.2
ANSWERS_FITTED = 3
# A gap that no part of an answer has: none is better than the best candidate.
_NO_ITEMS = -1.0
# Assumed share of unanswerable questions; the real one is unknown.
ASSUMED_UNANSWERABLE = 0.25
# Almost no regularisation, as there are far more questions than weights. It only keeps undetermined weights finite.
_INVERSE_PENALTY = 100.0
_FOLDS = 5
# In logits.
_ITEM_GAPS = (_NO_ITEMS, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
# Features for answerability. The lead of the best answer and the height of its null logit also reveal which file a
# question is from, and one file has all the unanswerable questions. Among questions on the same contexts they mislead.
_ANSWERABILITY_FEATURES = ("reader", "retrieval", "behind")
# Features for confidence where all unanswerable questions are adversarial. The null logit misleads there too, and a
# separate bias for best answers increased the error.
_SINGLE_TEXT_FEATURES = tuple(name for name in AnswerFeatures._fields if name not in ("null", "best"))

# A scale whose probabilities are not used: fitting needs features and scores only.
_ZERO_WEIGHTS = Weights(*[0.0] * (len(AnswerFeatures._fields) + 1))
UNFITTED_EVIDENCE = EvidenceScale(UnitFeatures(*[0.0] * len(UnitFeatures._fields)), 0.0, 1.0, 1.0, 1.0)
UNFITTED = Scale(_ZERO_WEIGHTS, _ZERO_WEIGHTS, 1.0, 0.0, 0.0, _NO_ITEMS, UNFITTED_EVIDENCE)


@dataclass(frozen=True, slots=True)
class QuestionCandidates:
    """A question's gold answers, and the passages read for it with their candidate answers.

    Attributes:
        golds: gold answers; empty if the question is unanswerable.
        hits: passages, best first.
        candidates: candidate answers of each passage.
        adversarial: whether it is unanswerable and was written with a passage in view, to mislead a reader.
        group: the data set or kind of document that the question is from.
        lenient: whether an answer that is nearly a gold answer is right, as the gold answers are not all that are. If
            not, annotator agreement gives the probability that it is.
        items: texts of the things that answer together; empty if they are not labelled.
        only_evidence: whether the document answers the question but no short answer is labelled; only units are fitted
            on it.
        units: units of each passage, and the labelled evidence among them; None if none is labelled.
    """

    golds: tuple[str, ...]
    hits: Sequence[Hit]
    candidates: PassageCandidates
    adversarial: bool = False
    group: str = ""
    lenient: bool = False
    items: tuple[str, ...] = ()
    only_evidence: bool = False
    units: QuestionUnits | None = None

    def stop_early(self, weight: float, margin: float) -> QuestionCandidates:
        """Return the part that is read with early stopping."""
        count = count_passages_needed(self.candidates, self.hits, weight, margin)
        units = self.units and replace(self.units, passages=self.units.passages[:count])
        return replace(self, hits=self.hits[:count], candidates=self.candidates[:count], units=units)


@dataclass(frozen=True, slots=True)
class _RankedQuestion:
    """A question with at least one candidate answer, ranked."""

    golds: tuple[str, ...]
    ranked: RankedAnswers
    adversarial: bool
    lenient: bool


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Annotator agreement with best answers, and with the answers behind them, which have other shares."""

    best: AnnotatorAgreement
    others: AnnotatorAgreement

    @staticmethod
    def count(questions: Sequence[_RankedQuestion]) -> _Agreement:
        several = [question for question in questions if len(question.golds) > 1 and not question.lenient]
        return _Agreement(
            count_agreement((question.ranked.answers[0].text, question.golds) for question in several),
            count_agreement((a.text, question.golds) for question in several for a in question.ranked.answers[1:]),
        )

    def probabilities_correct(self, question: _RankedQuestion) -> list[float]:
        best, *others = (answer.text for answer in question.ranked.answers)
        if question.lenient:
            return [float(is_right(text, question.golds)) for text in (best, *others)]
        return [
            self.best.probability_correct(best, question.golds),
            *(self.others.probability_correct(text, question.golds) for text in others),
        ]


def choose_retrieval_weight(questions: Sequence[QuestionCandidates]) -> float:
    """Return the largest retrieval weight whose F1 is within tolerance of the best: reading stops soonest with it."""
    scores = {weight: mean_f1(questions, weight) for weight in RETRIEVAL_WEIGHTS}
    return max(weight for weight, score in scores.items() if score >= max(scores.values()) - _F1_TOLERANCE)


def choose_stop_margin(questions: Sequence[QuestionCandidates], weight: float) -> float:
    """Return the smallest margin for which early stopping almost never changes the best answer, or else the largest."""
    complete = [_best_text(_rank(question, weight)) for question in questions]
    for margin in STOP_MARGINS:
        stopped = [_best_text(_rank(question.stop_early(weight, margin), weight)) for question in questions]
        if np.mean([before == after for before, after in zip(complete, stopped, strict=True)]) >= _MIN_UNCHANGED:
            return margin
    return STOP_MARGINS[-1]


def mean_f1(questions: Sequence[QuestionCandidates], weight: float) -> float:
    """Return the mean F1, from 0 to 1, of the best answers to answerable questions."""
    return float(
        np.mean([f1(_best_text(_rank(question, weight)), question.golds) for question in questions if question.golds])
    )


def fit_scale(questions: Sequence[QuestionCandidates], weight: float) -> Scale:
    """Fit confidence and answerability, then choose the confidences from which to answer and to show a guess."""
    with_answers = [question for question in questions if not question.only_evidence]
    ranked = _rank_all(with_answers, weight)
    right = _fit_confidence(*_select_for_confidence(ranked))
    resampled = _resample(ranked)
    unanswerable = fit_weights(
        [question.ranked.features[0] for question in resampled],
        [float(not question.golds) for question in resampled],
        _ANSWERABILITY_FEATURES,
    )
    # The limits are for questions as people ask them, who do not have the passage in view.
    natural = [question for question in with_answers if not question.adversarial]
    has_unanswerable = any(not question.golds for question in natural)
    guesses = judge_guesses(natural if has_unanswerable else with_answers, weight, right)
    answered = choose_answered(guesses, ASSUMED_UNANSWERABLE)
    unsure = min(choose_unsure(guesses), answered)
    units = [question.units for question in questions if question.units]
    evidence = fit_evidence(units) if units else UNFITTED_EVIDENCE
    return Scale(
        right, unanswerable, answered, unsure, _OTHERS_THRESHOLD, _choose_item_gap(questions, weight), evidence
    )


def cross_validate(questions: Sequence[QuestionCandidates], weight: float) -> tuple[list[float], list[float]]:
    """Return the confidence of each best answer, fitted on the other folds, and its probability of being correct."""
    with_answers = [question for question in questions if not question.only_evidence]
    ranked, counted = _select_for_confidence(_rank_all(with_answers, weight))
    confidences: list[float] = []
    correct: list[float] = []
    for fold in range(_FOLDS):
        others = [question for index, question in enumerate(ranked) if index % _FOLDS != fold]
        weights, agreement = _fit_confidence(others, counted), _Agreement.count(others)
        for question in ranked[fold::_FOLDS]:
            confidences.append(weights.probability(question.ranked.features[0]))
            correct.append(agreement.probabilities_correct(question)[0])
    return confidences, correct


def judge_guesses(questions: Sequence[QuestionCandidates], weight: float, right: Weights) -> list[Guess]:
    """Return each question's best candidate; one without a candidate has confidence 0."""
    guesses = []
    for question in questions:
        ranked = _rank(question, weight)
        confidence = right.probability(ranked.features[0]) if ranked.answers else 0.0
        right_guess = is_right(_best_text(ranked), question.golds)
        guesses.append(Guess(confidence, right_guess, bool(question.golds), question.group))
    return guesses


def fit_weights(
    features: Sequence[AnswerFeatures], shares: Sequence[float], counted: Collection[str] = AnswerFeatures._fields
) -> Weights:
    """Fit a logistic regression to shares from 0 to 1; each row counts as both outcomes, in its proportions.

    The weight of support (passages that say the same) is never negative: a little data that suggests so is noise.

    Args:
        features: of each answer.
        shares: probability of the positive outcome for each answer.
        counted: names of the features that may have a weight.
    """
    rows = np.array([*features, *features]) * [name in counted for name in AnswerFeatures._fields]
    outcomes = [True] * len(features) + [False] * len(features)
    sample_weights = np.array([*shares, *(1 - share for share in shares)])
    support = AnswerFeatures._fields.index("support")
    for _ in range(2):
        regression = LogisticRegression(C=_INVERSE_PENALTY, max_iter=10_000)
        regression.fit(rows, outcomes, sample_weight=sample_weights)
        if regression.coef_[0][support] >= 0:
            break
        rows[:, support] = 0.0
    coefficients = dict(zip(AnswerFeatures._fields, regression.coef_[0].tolist(), strict=True))
    return Weights(**coefficients, bias=float(regression.intercept_[0]))


def _fit_confidence(questions: Sequence[_RankedQuestion], counted: Collection[str]) -> Weights:
    """Fit the probability that an answer is right, to the best answers and those behind them."""
    agreement = _Agreement.count(questions)
    shares = [share for question in questions for share in agreement.probabilities_correct(question)]
    features = [of_answer for question in questions for of_answer in question.ranked.features]
    return fit_weights(features, shares, counted)


def _choose_item_gap(questions: Sequence[QuestionCandidates], weight: float) -> float:
    """Return the smallest gap with nearly the highest F1 over items.

    An answer that is one thing has itself as the only item.
    """
    listed = [question for question in questions if question.items]
    if not any(len(question.items) > 1 for question in listed):
        return _NO_ITEMS

    def item_f1(gap: float) -> float:
        counts = []
        for question in listed:
            best = max(chain.from_iterable(question.candidates), key=lambda c: c.score(weight), default=None)
            if best is not None:
                passage = next(candidates for candidates in question.candidates if best in candidates)
                spans = find_items(best, passage, gap) or [best.span]
                found = [span.of(best.hit.passage.text) for span in spans]
                counts.append(judge_items(found, question.items)[0])
        return Counts(*np.sum(counts, axis=0)).f1

    scores = {gap: item_f1(gap) for gap in _ITEM_GAPS}
    return next(gap for gap, score in scores.items() if score >= max(scores.values()) - _F1_TOLERANCE)


def _rank_all(questions: Sequence[QuestionCandidates], weight: float) -> list[_RankedQuestion]:
    """Rank the answers of each question; skip questions without a candidate."""
    return [
        _RankedQuestion(question.golds, ranked, question.adversarial, question.lenient)
        for question in questions
        if (ranked := _rank(question, weight)).answers
    ]


def _select_for_confidence(questions: Sequence[_RankedQuestion]) -> tuple[list[_RankedQuestion], Collection[str]]:
    """Return the questions to fit confidence on, and the features that count.

    Adversarial questions were written with the passage in view. Users of an index have not seen it. So the other
    unanswerable questions count, unless all are adversarial.
    """
    if all(question.golds or question.adversarial for question in questions):
        return _resample(questions), _SINGLE_TEXT_FEATURES
    return _resample([q for q in questions if q.golds or not q.adversarial]), AnswerFeatures._fields


def _resample(questions: Sequence[_RankedQuestion]) -> list[_RankedQuestion]:
    """Return the questions with at most the assumed share of unanswerable ones; drop the excess evenly."""
    unanswerable = [index for index, question in enumerate(questions) if not question.golds]
    ratio = ASSUMED_UNANSWERABLE / (1 - ASSUMED_UNANSWERABLE)
    count = min(len(unanswerable), round(ratio * (len(questions) - len(unanswerable))))
    kept = {unanswerable[int(i * len(unanswerable) / count)] for i in range(count)}
    return [question for index, question in enumerate(questions) if question.golds or index in kept]


def _rank(question: QuestionCandidates, weight: float) -> RankedAnswers:
    return rank_answers(question.candidates, weight, UNFITTED, ANSWERS_FITTED)


def _best_text(ranked: RankedAnswers) -> str:
    return ranked.answers[0].text if ranked.answers else ""
