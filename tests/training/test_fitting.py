from __future__ import annotations

import math
import random
from dataclasses import asdict, replace

import numpy as np
import pytest

from qa.evaluation.metrics import calibration_error
from qa.reading.answers import Candidate
from qa.reading.calibration import Evidence
from qa.training.fitting import (
    ASSUMED_UNANSWERABLE,
    WEIGHTS_TRIED,
    Asked,
    best_weight,
    cross_validated,
    fit,
    fitted_scale,
    mean_f1,
    shares_at_threshold,
    smallest_margin,
)
from qa.types import Span
from tests.reading.test_answers import hit


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
    assert smallest_margin([late], 10.0) == 7.0
    settled = asked("first", ("first", 9.0, 1.0), ("first", 0.0, 0.9), ("late", 0.0, 0.5), *quiet)
    assert smallest_margin([settled] * 199 + [late], 10.0) == 0.0
    assert smallest_margin([settled] * 198 + [late] * 2, 10.0) == 7.0


def evidence(reader: float, support: float = 0.0) -> Evidence:
    return Evidence(reader, 1.0, 0.0, 0.0, support, 0.0, 0.0)


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
    kept = {"reader", "retrieval", "bias"}
    assert all(value == 0 for name, value in asdict(scale.unanswerable).items() if name not in kept)
    assert scale.right.lead != 0


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
    return [Evidence(margin, 1.0, 3.0, 0.0, 0.0, math.log(2), 0.0) for margin in margins]


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
    answered, refused = shares_at_threshold(made, 0.0, scale)
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
    answered, refused = shares_at_threshold(made, 0.0, scale)
    assert answered > 0.9
    assert refused > 0.9
    assert scale.refuses(scale.refusal)
    assert not scale.refuses(scale.refusal - 1e-9)


def test_what_is_as_well_refused_as_answered_is_refused() -> None:
    # A third are answered wrong, in between: to give those answers gains nothing.
    chooser, made = random.Random(1), []
    for n in range(900):
        gold, said, margin = (("right", "right", 4.0), ("right", "wrong", 0.0), (None, "wrong", -4.0))[n % 3]
        # Some that have no answer look as if they had: so no probability is all but zero.
        made.append(asked(gold, (said, chooser.gauss(4.0 if n % 30 == 2 else margin, 0.7), 0.5)))
    answered, refused = shares_at_threshold(made, 0.0, fitted_scale(made, 0.0))
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


def test_folds_are_judged_by_what_others_taught() -> None:
    made = drawn(200, seed=2, unanswerable=0.0)
    # Noise in what one fold says must not reach its own confidences.
    turned = [replace(a, golds=("other",)) if place % 5 == 0 else a for place, a in enumerate(made)]
    plain, changed = cross_validated(made, 0.0)[0], cross_validated(turned, 0.0)[0]
    assert plain[:40] == changed[:40]
    assert plain[40:] != changed[40:]
