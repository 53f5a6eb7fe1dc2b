from __future__ import annotations

import math
import random
from dataclasses import asdict, replace

import numpy as np
import pytest

from qa.evaluation.metrics import calibration_error
from qa.reading.answers import Candidate, rank_answers
from qa.reading.calibration import Evidence
from qa.training.calibration.parameters import (
    ASSUMED_UNANSWERABLE,
    UNFITTED,
    WEIGHTS_TRIED,
    Asked,
    best_weight,
    cross_validated,
    fit,
    fitted_scale,
    mean_f1,
    shares_at_refusal,
    smallest_margin,
)
from qa.types import Span
from tests.reading.test_answers import hit

NOTHING = Evidence(*[0.0] * len(Evidence._fields))


def asked(gold: str | None, *passages: tuple[str, float, float]) -> Asked:
    """A question with passages of one word each: what they say, the reader's margin, and the retrieval score."""
    hits = [hit(word, str(place), retrieval=retrieval) for place, (word, _, retrieval) in enumerate(passages)]
    found = [
        [Candidate(made, Span(0, len(word)), margin, 0.0, True)]
        for made, (word, margin, _) in zip(hits, passages, strict=True)
    ]
    return Asked((gold,) if gold else (), hits, found)


def test_the_retrieval_weight_is_the_one_that_puts_right_answers_first() -> None:
    # Retrieval is right by 0.1 where the reader is wrong by 1: from a weight of 10 on, and not before.
    made = [asked("red", ("red", 1.0, 1.0), ("blue", 1.9, 0.9))]
    assert (mean_f1(made, 8.0), mean_f1(made, 10.0)) == (0.0, 1.0)
    contrary = asked("blue", ("red", 1.0, 1.0), ("blue", 1.9, 0.9))
    assert best_weight([contrary]) == 8.0
    assert best_weight([*made, contrary, contrary]) == 8.0
    # One question in 600 more is no reason to read more of all of them.
    assert best_weight([*made * 299, *[contrary] * 300]) == WEIGHTS_TRIED[-1]
    assert best_weight(made) == WEIGHTS_TRIED[-1]


def test_the_margin_is_the_smallest_that_hardly_changes_an_answer() -> None:
    quiet = [("no", 0.0, 0.2)] * 2
    late = asked("late", ("first", 1.0, 1.0), ("first", 0.0, 0.9), ("late", 8.0, 0.5), *quiet)
    # 11 for the first at a weight of 10; the third is promised 5, and reaches 13: a margin of 6 stops too early.
    assert [len(late.until_settled(10.0, margin).hits) for margin in (6.0, 7.0)] == [2, 5]
    assert [replace(late, withdrawn=w).until_settled(10.0, 6.0).withdrawn for w in (True, False)] == [True, False]
    assert smallest_margin([late], 10.0) == 7.0
    settled = asked("first", ("first", 9.0, 1.0), ("first", 0.0, 0.9), ("late", 0.0, 0.5), *quiet)
    assert smallest_margin([settled] * 199 + [late], 10.0) == 0.0
    assert smallest_margin([settled] * 198 + [late] * 2, 10.0) == 7.0


def evidence(reader: float, support: float = 0.0) -> Evidence:
    return NOTHING._replace(reader=reader, retrieval=1.0, support=support)


def test_shares_are_fitted_as_probabilities() -> None:
    rows = [evidence(x, support=s) for x in np.linspace(-4, 4, 41) for s in (0.0, 0.7)]
    shares = [1 / (1 + math.exp(-(0.8 * row.reader + 0.5 * row.support - 1.0))) for row in rows]
    found = fit(rows, shares)
    assert [found.probability(row) for row in rows] == pytest.approx(shares, abs=0.01)
    for without in (fit(rows, shares, ["reader"]), fit(rows, [1 - share for share in shares])):
        assert without.support == 0.0
        assert abs(without.reader) == pytest.approx(0.8, abs=0.05)


def test_that_there_is_no_answer_is_not_told_by_what_tells_files_apart() -> None:
    # Of the first text the best span is far ahead, and each such question was asked in vain.
    apart = [asked(None, ("first", m, 1.0), ("late", m - 9.0, 0.9)) for m in np.linspace(-6, 4, 40)]
    close = [asked("first", ("first", m, 1.0), ("late", m - 0.1, 0.9)) for m in np.linspace(-4, 6, 200)]
    scale = fitted_scale([*apart, *close], 10.0)
    assert scale.unanswerable.reader < 0
    kept = {"reader", "retrieval", "behind", "bias"}
    assert all(value == 0 for name, value in asdict(scale.unanswerable).items() if name not in kept)
    assert scale.right.lead != 0


def test_that_there_is_no_answer_is_told_by_a_passage_that_was_found_behind_others() -> None:
    margins = np.linspace(-4, 6, 100)
    behind = [asked(None, ("early", m - 30, 0.9), ("late", m, 0.8)) for m in margins]
    first = [asked("late", ("late", m, 0.8)) for m in margins]
    weights = fitted_scale([*behind, *first], 0.0).unanswerable
    assert weights.behind > 2
    assert weights.reader == pytest.approx(0, abs=0.2)


def drawn(count: int, seed: int, unanswerable: float) -> list[Asked]:
    """Questions whose best answer is right as often as the reader's margin says; of the others some have no answer."""
    chooser = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        margin = float(chooser.uniform(-4, 4))
        right = chooser.random() < 1 / (1 + math.exp(-margin))
        gold = "right" if right else None if chooser.random() < unanswerable else "other"
        made.append(asked(gold, ("right", margin, 1.0), ("wrong", margin - 3, 0.0)))
    return made


def of_margins(*margins: float) -> list[Evidence]:
    common = NOTHING._replace(retrieval=1.0, best=1.0, lead=3.0, depth=math.log(2))
    return [common._replace(reader=margin) for margin in margins]


def test_confidence_is_how_often_answers_are_right() -> None:
    # Half are wrong, so of all questions as many have no answer as are assumed to.
    made = drawn(2500, seed=1, unanswerable=2 * ASSUMED_UNANSWERABLE)
    scale = fitted_scale(made, 0.0)
    assert [scale.right.probability(e) for e in of_margins(2.0, -2.0)] == pytest.approx([0.88, 0.12], abs=0.05)
    none = [2 * ASSUMED_UNANSWERABLE * share for share in (0.12, 0.88)]
    assert [scale.unanswerable.probability(e) for e in of_margins(2.0, -2.0)] == pytest.approx(none, abs=0.05)
    confidences, right = cross_validated(made, 0.0)
    assert len(confidences) == len(right) <= len(made)
    assert (calibration_error(confidences, right) or 0) < 0.06
    answered, refused = shares_at_refusal(made, 0.0, scale)
    assert answered > 0.5
    assert refused > 0.5


def test_what_is_refused_hangs_on_whether_there_is_an_answer_and_not_on_whether_it_is_exact() -> None:
    # Answers of half of the answerable questions are never right to the last word, which their lengths tell.
    chooser, made = random.Random(1), []
    for n in range(1200):
        kind = ("short", "a rather long one", "")[n % 3]
        margin = chooser.gauss(2.0 if kind else -2.0, 1.0)
        said = "a rather long one indeed" if kind.startswith("a ") else kind or "short"
        made.append(asked(kind or None, (said, margin, 0.5)))
    scale = fitted_scale(made, 0.0)
    answered, refused = shares_at_refusal(made, 0.0, scale)
    assert answered > 0.9
    assert refused > 0.9
    assert scale.threshold == 0.2
    assert scale.refuses(scale.refusal)
    assert not scale.refuses(scale.refusal - 1e-9)


def test_what_is_as_well_refused_as_answered_is_refused() -> None:
    # A third are answered wrong, in between: to give those answers gains nothing.
    chooser, made = random.Random(1), []
    for n in range(900):
        gold, said, margin = (("right", "right", 4.0), ("right", "wrong", 0.0), (None, "wrong", -4.0))[n % 3]
        # Some that have no answer look as if they had: so no probability is all but zero.
        made.append(asked(gold, (said, chooser.gauss(4.0 if n % 30 == 2 else margin, 0.7), 0.5)))
    answered, refused = shares_at_refusal(made, 0.0, fitted_scale(made, 0.0))
    assert answered == pytest.approx(0.5, abs=0.03)
    assert refused == pytest.approx(0.9, abs=0.01)


def test_confidence_is_for_the_assumed_share_of_unanswerable_questions() -> None:
    made = drawn(2500, seed=1, unanswerable=1.0)
    answerable = sum(bool(a.golds) for a in made)
    assert len(cross_validated(made, 0.0)[0]) == pytest.approx(answerable / (1 - ASSUMED_UNANSWERABLE), abs=1)
    scale = fitted_scale(made, 0.0)
    for margin in (2.0, -2.0):
        right = 1 / (1 + math.exp(-margin))
        # Half of the questions have no answer; fitted are fewer of them.
        wrong = (1 - right) * ASSUMED_UNANSWERABLE / (1 - ASSUMED_UNANSWERABLE)
        (evidence,) = of_margins(margin)
        assert scale.right.probability(evidence) == pytest.approx(right / (right + wrong), abs=0.08)


def test_the_best_answers_are_as_sure_as_they_are_right() -> None:
    # Next to each, in its passage, stands another that is never right: it must not make the best one less sure.
    chooser = np.random.default_rng(3)
    made = [replace(asked(None, ("wrong", -4.0, 1.0)), withdrawn=True)]
    for margin in chooser.uniform(-4, 4, 1000):
        found = hit("right wrong", "d")
        spans = ((Span(0, 5), margin), (Span(6, 11), margin - 0.001))
        gold = "right" if chooser.random() < 1 / (1 + math.exp(-margin)) else "other"
        made.append(
            Asked((gold,), [found], [[Candidate(found, span, logit, 0.0, span.start == 0) for span, logit in spans]])
        )
    right = fitted_scale(made, 0.0).right
    ranked = [rank_answers(a.found, 0.0, UNFITTED, 2) for a in made]
    sure = [right.probability(r.evidence[0]) for r in ranked]
    correct = [r.answers[0].text in a.golds for r, a in zip(ranked, made, strict=True)]
    assert np.mean(sure) == pytest.approx(np.mean(correct), abs=0.002)


def test_what_misleads_counts_for_refusing_and_not_for_confidence_where_the_passage_was_withdrawn() -> None:
    made = drawn(600, seed=5, unanswerable=0.0)
    withdrawn = [replace(asked(None, ("far", m, 0.2)), withdrawn=True) for m in np.linspace(-8, 0, 100)]
    misleading = [asked(None, ("right", m, 1.0), ("wrong", m - 3, 0.0)) for m in np.linspace(-3, 6, 100)]
    without, beside, alone = (
        fitted_scale([*made, *others], 0.0) for others in (withdrawn, [*withdrawn, *misleading], misleading)
    )
    assert without.right == beside.right != alone.right
    assert without.unanswerable != beside.unanswerable
    assert len(cross_validated([*made, *withdrawn, *misleading], 0.0)[0]) == 700
    (evidence,) = of_margins(4.0)
    assert without.right.probability(evidence) > alone.right.probability(evidence)


def test_the_logit_of_none_speaks_where_no_question_misleads() -> None:
    # At the same margin a higher logit of none goes with right answers.
    def of_null(null: float, gold: str | None) -> Asked:
        made = hit("said", "d", retrieval=0.5)
        candidate = Candidate(made, Span(0, 4), 1.0 + null, null, True)
        return Asked((gold,) if gold else (), [made], [[candidate]])

    made = [of_null(null, "said" if null > 0 else "other") for null in (-1.0, -0.5, 0.5, 1.0) for _ in range(50)]
    in_vain = of_null(0.0, None)
    misled = fitted_scale([*made, in_vain], 0.0).right
    assert (misled.null, misled.best) == (0, 0)
    scale = fitted_scale([*made, replace(in_vain, withdrawn=True)], 0.0)
    assert scale.right.null > 0
    assert scale.unanswerable.null == 0


def test_folds_are_judged_by_what_others_taught() -> None:
    made = drawn(200, seed=2, unanswerable=0.0)
    # Noise in what one fold says must not reach its own confidences.
    turned = [replace(a, golds=("other",)) if place % 5 == 0 else a for place, a in enumerate(made)]
    plain, changed = cross_validated(made, 0.0)[0], cross_validated(turned, 0.0)[0]
    assert plain[:40] == changed[:40]
    assert plain[40:] != changed[40:]
