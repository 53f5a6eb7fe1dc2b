from __future__ import annotations

import math
import random
from dataclasses import asdict, replace

import numpy as np
import pytest

from qa.evaluation.metrics import calibration_error
from qa.reading.answers import Candidate, rank_answers
from qa.reading.calibration import AnswerFeatures
from qa.training.calibration.parameters import (
    ASSUMED_UNANSWERABLE,
    RETRIEVAL_WEIGHTS,
    UNFITTED,
    QuestionCandidates,
    choose_retrieval_weight,
    choose_stop_margin,
    cross_validate,
    fit_scale,
    fit_weights,
    judge_guesses,
    mean_f1,
)
from qa.training.calibration.thresholds import Guess, choose_answered, choose_unsure, measure_shares
from qa.types import Span
from tests.reading.test_answers import hit

NOTHING = AnswerFeatures(*[0.0] * len(AnswerFeatures._fields))


def question(gold: str | None, *passages: tuple[str, float, float]) -> QuestionCandidates:
    """Make a question with one-word passages: the word, the reader's margin, and the retrieval score of each.

    Without a gold answer it is adversarial.
    """
    hits = [hit(word, str(number), retrieval=retrieval) for number, (word, _, retrieval) in enumerate(passages)]
    candidates = [
        [Candidate(passage, Span(0, len(word)), margin, 0.0, True)]
        for passage, (word, margin, _) in zip(hits, passages, strict=True)
    ]
    return QuestionCandidates((gold,) if gold else (), hits, candidates, adversarial=not gold)


def test_retrieval_weight_is_the_largest_with_the_best_f1() -> None:
    # Retrieval prefers the right answer by 0.1, the reader the wrong one by 0.9: a weight of 10 or more is right.
    questions = [question("red", ("red", 1.0, 1.0), ("blue", 1.9, 0.9))]
    assert (mean_f1(questions, 8.0), mean_f1(questions, 10.0)) == (0.0, 1.0)
    opposite = question("blue", ("red", 1.0, 1.0), ("blue", 1.9, 0.9))
    assert choose_retrieval_weight([opposite]) == 8.0
    assert choose_retrieval_weight([*questions, opposite, opposite]) == 8.0
    # A difference of one question in 599 is within the tolerance.
    assert choose_retrieval_weight([*questions * 299, *[opposite] * 300]) == RETRIEVAL_WEIGHTS[-1]
    assert choose_retrieval_weight(questions) == RETRIEVAL_WEIGHTS[-1]


def test_stop_margin_is_the_smallest_that_rarely_changes_an_answer() -> None:
    quiet = [("no", 0.0, 0.2)] * 2
    late = question("late", ("first", 1.0, 1.0), ("first", 0.0, 0.9), ("late", 8.0, 0.5), *quiet)
    # With a weight of 10 the first passage scores 11; the third may score 5 and scores 13. A margin of 6 is too small.
    assert [len(late.stop_early(10.0, margin).hits) for margin in (6.0, 7.0)] == [2, 5]
    stopped = replace(late, adversarial=True, group="films").stop_early(10.0, 6.0)
    assert (stopped.adversarial, stopped.group) == (True, "films")
    assert choose_stop_margin([late], 10.0) == 7.0
    settled = question("first", ("first", 9.0, 1.0), ("first", 0.0, 0.9), ("late", 0.0, 0.5), *quiet)
    assert choose_stop_margin([settled] * 199 + [late], 10.0) == 0.0
    assert choose_stop_margin([settled] * 198 + [late] * 2, 10.0) == 7.0


def evidence(reader: float, support: float = 0.0) -> AnswerFeatures:
    return NOTHING._replace(reader=reader, retrieval=1.0, support=support)


def test_weights_reproduce_the_probabilities() -> None:
    rows = [evidence(x, support=s) for x in np.linspace(-4, 4, 41) for s in (0.0, 0.7)]
    shares = [1 / (1 + math.exp(-(0.8 * row.reader + 0.5 * row.support - 1.0))) for row in rows]
    weights = fit_weights(rows, shares)
    assert [weights.probability(row) for row in rows] == pytest.approx(shares, abs=0.01)
    for without in (fit_weights(rows, shares, ["reader"]), fit_weights(rows, [1 - share for share in shares])):
        assert without.support == 0.0
        assert abs(without.reader) == pytest.approx(0.8, abs=0.05)


def test_answerability_does_not_depend_on_evidence_that_identifies_the_file() -> None:
    # In the unanswerable questions, all of one kind, the best answer is far ahead.
    far_ahead = [question(None, ("first", m, 1.0), ("late", m - 9.0, 0.9)) for m in np.linspace(-6, 4, 40)]
    close = [question("first", ("first", m, 1.0), ("late", m - 0.1, 0.9)) for m in np.linspace(-4, 6, 200)]
    scale = fit_scale([*far_ahead, *close], 10.0)
    assert scale.unanswerable.reader < 0
    kept = {"reader", "retrieval", "behind", "bias"}
    assert all(value == 0 for name, value in asdict(scale.unanswerable).items() if name not in kept)
    assert scale.right.lead != 0


def test_answer_in_a_lower_ranked_passage_makes_a_question_less_answerable() -> None:
    margins = np.linspace(-4, 6, 100)
    behind = [question(None, ("early", m - 30, 0.9), ("late", m, 0.8)) for m in margins]
    first = [question("late", ("late", m, 0.8)) for m in margins]
    weights = fit_scale([*behind, *first], 0.0).unanswerable
    assert weights.behind > 2
    assert weights.reader == pytest.approx(0, abs=0.2)


def draw_questions(count: int, seed: int, unanswerable: float) -> list[QuestionCandidates]:
    """Draw questions whose best answer is right with the probability of the reader's margin.

    Of the other questions, a share is unanswerable.
    """
    chooser = np.random.default_rng(seed)
    questions = []
    for _ in range(count):
        margin = float(chooser.uniform(-4, 4))
        right = chooser.random() < 1 / (1 + math.exp(-margin))
        gold = "right" if right else None if chooser.random() < unanswerable else "other"
        questions.append(question(gold, ("right", margin, 1.0), ("wrong", margin - 3, 0.0)))
    return questions


def evidence_of_margins(*margins: float) -> list[AnswerFeatures]:
    common = NOTHING._replace(retrieval=1.0, best=1.0, lead=3.0, depth=math.log(2))
    return [common._replace(reader=margin) for margin in margins]


def test_confidence_is_the_share_of_right_answers() -> None:
    # Half of the answers are wrong, so the share of unanswerable questions is the assumed one.
    questions = draw_questions(2500, seed=1, unanswerable=2 * ASSUMED_UNANSWERABLE)
    scale = fit_scale(questions, 0.0)
    assert [scale.right.probability(e) for e in evidence_of_margins(2.0, -2.0)] == pytest.approx([0.88, 0.12], abs=0.05)
    none = [2 * ASSUMED_UNANSWERABLE * share for share in (0.12, 0.88)]
    assert [scale.unanswerable.probability(e) for e in evidence_of_margins(2.0, -2.0)] == pytest.approx(none, abs=0.06)
    confidences, right = cross_validate(questions, 0.0)
    assert len(confidences) == len(right) <= len(questions)
    assert (calibration_error(confidences, right) or 0) < 0.06


def test_thresholds_are_chosen_from_the_confidence_of_best_answers() -> None:
    # The margin separates right answers from wrong ones, and from answers to unanswerable questions.
    chooser, questions = random.Random(1), list[QuestionCandidates]()
    for n in range(1200):
        gold, answer, margin = (("right", "right", 3.0), ("right", "wrong", 0.0), (None, "wrong", -3.0))[n % 3]
        questions.append(question(gold, (answer, chooser.gauss(margin, 1.0), 0.5)))
    scale = fit_scale(questions, 0.0)
    guesses = judge_guesses(questions, 0.0, scale.right)
    assert scale.answered == choose_answered(guesses, ASSUMED_UNANSWERABLE)
    assert scale.unsure == min(choose_unsure(guesses), scale.answered)
    assert 0 < scale.unsure <= scale.answered < 1
    assert scale.threshold == 0.2
    shares = measure_shares(guesses, scale.answered, scale.unsure)
    assert shares.answered > 0.5
    assert shares.wrongly_answered < 0.12
    assert shares.hidden <= 0.03


def test_a_guess_is_right_if_it_nearly_equals_a_gold_answer() -> None:
    def is_right(text: str, *golds: str) -> bool:
        passage = hit(text, "d")
        asked = QuestionCandidates(golds, [passage], [[Candidate(passage, Span(0, len(text)), 1.0, 0.0, True)]])
        (guess,) = judge_guesses([asked], 0.0, UNFITTED.right)
        assert guess.answerable == bool(golds)
        return guess.right

    assert is_right("the red kettle", "red kettle")
    assert is_right("12 pounds", "12 pounds a year")
    assert is_right("at nine", "noon", "nine")
    # Two of three words are the same, but neither contains the other.
    assert not is_right("the old red kettle", "big red kettle")
    assert not is_right("12", "12 pounds a year for each half plot")
    assert not is_right("12 pounds")


def test_a_question_without_a_candidate_has_confidence_zero() -> None:
    asked = QuestionCandidates(("noon",), [], [], group="notices")
    assert judge_guesses([asked], 0.0, UNFITTED.right) == [Guess(0.0, False, True, "notices")]


def test_confidence_is_for_the_assumed_share_of_unanswerable_questions() -> None:
    questions = draw_questions(2500, seed=1, unanswerable=1.0)
    answerable = sum(bool(q.golds) for q in questions)
    assert len(cross_validate(questions, 0.0)[0]) == pytest.approx(answerable / (1 - ASSUMED_UNANSWERABLE), abs=1)
    scale = fit_scale(questions, 0.0)
    for margin in (2.0, -2.0):
        right = 1 / (1 + math.exp(-margin))
        # Half of the questions are unanswerable; only the assumed share of them is used.
        wrong = (1 - right) * ASSUMED_UNANSWERABLE / (1 - ASSUMED_UNANSWERABLE)
        (evidence,) = evidence_of_margins(margin)
        assert scale.right.probability(evidence) == pytest.approx(right / (right + wrong), abs=0.08)


def test_confidence_of_best_answers_is_their_accuracy() -> None:
    # The passage also has a second answer that is never right. It must not lower the confidence of the best one.
    chooser = np.random.default_rng(3)
    questions = [replace(question(None, ("wrong", -4.0, 1.0)), adversarial=False)]
    for margin in chooser.uniform(-4, 4, 1000):
        passage = hit("right wrong", "d")
        spans = ((Span(0, 5), margin), (Span(6, 11), margin - 0.001))
        gold = "right" if chooser.random() < 1 / (1 + math.exp(-margin)) else "other"
        questions.append(
            QuestionCandidates(
                (gold,), [passage], [[Candidate(passage, span, logit, 0.0, span.start == 0) for span, logit in spans]]
            )
        )
    right = fit_scale(questions, 0.0).right
    ranked = [rank_answers(q.candidates, 0.0, UNFITTED, 2) for q in questions]
    confidences = [right.probability(r.features[0]) for r in ranked]
    correct = [r.answers[0].text in q.golds for r, q in zip(ranked, questions, strict=True)]
    assert np.mean(confidences) == pytest.approx(np.mean(correct), abs=0.002)


def test_adversarial_questions_count_for_refusal_but_not_for_confidence_if_sources_were_removed() -> None:
    questions = draw_questions(600, seed=5, unanswerable=0.0)
    removed = [replace(question(None, ("far", m, 0.2)), adversarial=False) for m in np.linspace(-8, 0, 100)]
    adversarial = [question(None, ("right", m, 1.0), ("wrong", m - 3, 0.0)) for m in np.linspace(-3, 6, 100)]
    without, both, alone = (
        fit_scale([*questions, *others], 0.0) for others in (removed, [*removed, *adversarial], adversarial)
    )
    assert without.right == both.right != alone.right
    assert without.unanswerable != both.unanswerable
    assert len(cross_validate([*questions, *removed, *adversarial], 0.0)[0]) == 700
    (evidence,) = evidence_of_margins(4.0)
    assert without.right.probability(evidence) > alone.right.probability(evidence)


def test_null_logit_counts_for_confidence_without_adversarial_questions() -> None:
    # At the same margin, right answers have a higher null logit.
    def with_null(null: float, gold: str | None) -> QuestionCandidates:
        passage = hit("said", "d", retrieval=0.5)
        candidate = Candidate(passage, Span(0, 4), 1.0 + null, null, True)
        return QuestionCandidates((gold,) if gold else (), [passage], [[candidate]])

    questions = [with_null(null, "said" if null > 0 else "other") for null in (-1.0, -0.5, 0.5, 1.0) for _ in range(50)]
    unanswerable = with_null(0.0, None)
    adversarial = fit_scale([*questions, replace(unanswerable, adversarial=True)], 0.0).right
    assert (adversarial.null, adversarial.best) == (0, 0)
    scale = fit_scale([*questions, unanswerable], 0.0)
    assert scale.right.null > 0
    assert scale.unanswerable.null == 0


def test_each_fold_is_evaluated_with_weights_of_the_others() -> None:
    questions = draw_questions(200, seed=2, unanswerable=0.0)
    # Noise in the labels of one fold must not change its own confidences.
    noisy = [replace(q, golds=("other",)) if index % 5 == 0 else q for index, q in enumerate(questions)]
    plain, changed = cross_validate(questions, 0.0)[0], cross_validate(noisy, 0.0)[0]
    assert plain[:40] == changed[:40]
    assert plain[40:] != changed[40:]
