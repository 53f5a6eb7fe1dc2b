"""Parameters of a calibration, fitted to the evidence of held-out questions (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from qa.evaluation.metrics import f1
from qa.reading.answers import PassageCandidates, RankedAnswers, rank_answers
from qa.reading.calibration import Evidence, Scale, Weights
from qa.reading.early_stopping import count_passages_needed
from qa.results import Hit
from qa.training.calibration.annotator_agreement import AnnotatorAgreement, count_agreement

RETRIEVAL_WEIGHTS = (0.0, 8.0, 12.0, 16.0, 20.0, 25.0, 30.0, 35.0, 40.0, 50.0, 60.0)
STOP_MARGINS = (0.0, 2.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 15.0)
# Early stopping may change the best answer of at most one question in 200.
_MIN_UNCHANGED = 0.995
# F1, from 0 to 1: smaller differences on a thousand questions may be chance.
_F1_TOLERANCE = 0.002
# F1, from 0 to 1, to give up in order to refuse more questions: a wrong answer is worse than none.
_F1_FOR_REFUSAL = 0.006
# Minimum confidence of answers behind the best one: where at least one in five is right.
_OTHERS_THRESHOLD = 0.2
ANSWERS_FITTED = 3
# Assumed share of unanswerable questions; the real one is unknown. A tenth gives a lower calibration error where every
# question is answerable, a fifth where a third is unanswerable.
ASSUMED_UNANSWERABLE = 0.15
# Almost no regularisation, as there are far more questions than weights. It only keeps undetermined weights finite.
_INVERSE_PENALTY = 100.0
_FOLDS = 5
# Evidence for answerability. The lead of the best answer and the height of its null logit also reveal which file a
# question is from, and one file has all the unanswerable questions. Among questions on the same contexts they mislead.
_ANSWERABILITY_EVIDENCE = ("reader", "retrieval", "behind")
# Evidence for confidence where no source passage was removed. The null logit misleads there too, and a separate bias
# for best answers increased the error.
_SINGLE_TEXT_EVIDENCE = tuple(name for name in Evidence._fields if name not in ("null", "best"))

# A scale whose probabilities are not used: fitting needs evidence and scores only.
_ZERO_WEIGHTS = Weights(*[0.0] * (len(Evidence._fields) + 1))
UNFITTED = Scale(_ZERO_WEIGHTS, _ZERO_WEIGHTS, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class QuestionCandidates:
    """A question's gold answers, and the passages read for it with their candidate answers.

    Attributes:
        golds: gold answers; empty if the question is unanswerable.
        hits: passages, best first.
        candidates: candidate answers of each passage.
        source_removed: whether the question's source passage was removed from the hits.
    """

    golds: tuple[str, ...]
    hits: Sequence[Hit]
    candidates: PassageCandidates
    source_removed: bool = False

    def stop_early(self, weight: float, margin: float) -> QuestionCandidates:
        """Return the part that is read with early stopping."""
        count = count_passages_needed(self.candidates, self.hits, weight, margin)
        return replace(self, hits=self.hits[:count], candidates=self.candidates[:count])


@dataclass(frozen=True, slots=True)
class _RankedQuestion:
    """A question with at least one candidate answer, ranked."""

    golds: tuple[str, ...]
    ranked: RankedAnswers
    source_removed: bool


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Annotator agreement with best answers, and with the answers behind them, which have other shares."""

    best: AnnotatorAgreement
    others: AnnotatorAgreement

    @staticmethod
    def count(questions: Sequence[_RankedQuestion]) -> _Agreement:
        several = [question for question in questions if len(question.golds) > 1]
        return _Agreement(
            count_agreement((question.ranked.answers[0].text, question.golds) for question in several),
            count_agreement((a.text, question.golds) for question in several for a in question.ranked.answers[1:]),
        )

    def probabilities_correct(self, question: _RankedQuestion) -> list[float]:
        best, *others = (answer.text for answer in question.ranked.answers)
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
    """Fit confidence and answerability, then choose the probability of "no answer" above which nothing is returned."""
    ranked = _rank_all(questions, weight)
    right = _fit_confidence(*_select_for_confidence(ranked))
    resampled = _resample(ranked)
    unanswerable = fit_weights(
        [question.ranked.evidence[0] for question in resampled],
        [float(not question.golds) for question in resampled],
        _ANSWERABILITY_EVIDENCE,
    )
    answerable = [1 - unanswerable.probability(question.ranked.evidence[0]) for question in ranked]
    return Scale(right, unanswerable, round(1 - _choose_cut(ranked, answerable), 4), _OTHERS_THRESHOLD)


def cross_validate(questions: Sequence[QuestionCandidates], weight: float) -> tuple[list[float], list[float]]:
    """Return the confidence of each best answer, fitted on the other folds, and its probability of being correct."""
    ranked, counted = _select_for_confidence(_rank_all(questions, weight))
    confidences: list[float] = []
    correct: list[float] = []
    for fold in range(_FOLDS):
        others = [question for index, question in enumerate(ranked) if index % _FOLDS != fold]
        weights, agreement = _fit_confidence(others, counted), _Agreement.count(others)
        for question in ranked[fold::_FOLDS]:
            confidences.append(weights.probability(question.ranked.evidence[0]))
            correct.append(agreement.probabilities_correct(question)[0])
    return confidences, correct


def answered_and_refused(questions: Sequence[QuestionCandidates], weight: float, scale: Scale) -> tuple[float, float]:
    """Return the share of answerable questions that are answered, and of unanswerable ones that are refused."""
    answered: dict[bool, list[bool]] = {True: [], False: []}
    for question in questions:
        ranked = _rank(question, weight)
        answered[bool(question.golds)].append(
            bool(ranked.answers) and not scale.refuses(scale.unanswerable.probability(ranked.evidence[0]))
        )
    return float(np.mean(answered[True])), 1 - float(np.mean(answered[False]))


def fit_weights(
    evidence: Sequence[Evidence], shares: Sequence[float], counted: Collection[str] = Evidence._fields
) -> Weights:
    """Fit a logistic regression to shares from 0 to 1; each row counts as both outcomes, in its proportions.

    The weight of support (passages that say the same) is never negative: a little data that suggests so is noise.

    Args:
        evidence: evidence of each answer.
        shares: probability of the positive outcome for each answer.
        counted: names of the evidence that may have a weight.
    """
    rows = np.array([*evidence, *evidence]) * [name in counted for name in Evidence._fields]
    outcomes = [True] * len(evidence) + [False] * len(evidence)
    sample_weights = np.array([*shares, *(1 - share for share in shares)])
    support = Evidence._fields.index("support")
    for _ in range(2):
        regression = LogisticRegression(C=_INVERSE_PENALTY, max_iter=10_000)
        regression.fit(rows, outcomes, sample_weight=sample_weights)
        if regression.coef_[0][support] >= 0:
            break
        rows[:, support] = 0.0
    coefficients = dict(zip(Evidence._fields, regression.coef_[0].tolist(), strict=True))
    return Weights(**coefficients, bias=float(regression.intercept_[0]))


def _fit_confidence(questions: Sequence[_RankedQuestion], counted: Collection[str]) -> Weights:
    """Fit the probability that an answer is right, to the best answers and those behind them."""
    agreement = _Agreement.count(questions)
    shares = [share for question in questions for share in agreement.probabilities_correct(question)]
    return fit_weights([evidence for question in questions for evidence in question.ranked.evidence], shares, counted)


def _choose_cut(questions: Sequence[_RankedQuestion], answerable: Sequence[float]) -> float:
    """Return the probability of being answerable from which it is best to answer.

    It is the strictest cut that gives up at most `_F1_FOR_REFUSAL` of the highest F1 where one question in six is
    unanswerable, which is about the assumed share.

    Args:
        questions: ranked questions.
        answerable: probability of each question to be answerable.
    """
    probabilities = np.array(answerable)
    has_gold = np.array([bool(question.golds) for question in questions])
    scores = np.array([f1(_best_text(q.ranked), q.golds) if q.golds else 0.0 for q in questions])

    def score(cut: float) -> float:
        answered = probabilities >= cut
        return float(5 * np.mean((scores * answered)[has_gold]) + np.mean(~answered[~has_gold])) / 6

    cuts = np.quantile(probabilities, np.linspace(0, 0.95, 96))
    cut_scores = np.array([score(cut) for cut in cuts])
    return float(max(cuts[cut_scores >= cut_scores.max() - _F1_FOR_REFUSAL]))


def _rank_all(questions: Sequence[QuestionCandidates], weight: float) -> list[_RankedQuestion]:
    """Rank the answers of each question; skip questions without a candidate."""
    return [
        _RankedQuestion(question.golds, ranked, question.source_removed)
        for question in questions
        if (ranked := _rank(question, weight)).answers
    ]


def _select_for_confidence(questions: Sequence[_RankedQuestion]) -> tuple[list[_RankedQuestion], Collection[str]]:
    """Return the questions to fit confidence on, and the evidence that counts.

    Adversarial unanswerable questions were written with the passage in view. Users of an index have not seen it, and no
    passage is about their unanswerable questions. So questions whose source passage was removed, if there are any, are
    the only unanswerable ones.
    """
    if not any(question.source_removed for question in questions):
        return _resample(questions), _SINGLE_TEXT_EVIDENCE
    return _resample([q for q in questions if q.golds or q.source_removed]), Evidence._fields


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
