"""Compare each metric with an independent implementation."""

from __future__ import annotations

import math
import random

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, R, nDCG
from sklearn.metrics import roc_auc_score
from torchmetrics.functional.text import squad

from qa.evaluation.metrics import (
    auroc,
    average_precision,
    best_threshold_f1,
    calibration_error,
    exact_match,
    f1,
    is_right,
    ndcg,
    normalise_answer,
    recall,
    reciprocal_rank,
    reliability,
    risk_coverage,
)
from qa.evaluation.squad import load_squad
from tests.conftest import shared

WORDS = st.sampled_from(
    ["the", "A", "cat", "Cat's", "dog,", "dog", "—", "“dog”", "3.5", "an", "", "U.S.", "\u00a0", "ß"]
)
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)


def reference_scores(prediction: str, golds: list[str]) -> tuple[float, float]:
    scored = squad(
        [{"prediction_text": prediction, "id": "1"}],
        [{"answers": {"answer_start": [0] * len(golds), "text": golds}, "id": "1"}],
    )
    return float(scored["exact_match"]), float(scored["f1"])


def lacks_words(prediction: str, golds: list[str]) -> bool:
    # If a side has no words after normalisation, F1 is 1 if both have none (SQuAD 2.0); the SQuAD 1.1 script gives 0.
    return not normalise_answer(prediction) or not all(normalise_answer(gold) for gold in golds)


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=3))
def test_answer_scores_agree_with_torchmetrics(prediction: str, golds: list[str]) -> None:
    expected_match, expected_f1 = reference_scores(prediction, golds)
    assert 100 * exact_match(prediction, golds) == expected_match
    if not lacks_words(prediction, golds):
        assert 100 * f1(prediction, golds) == pytest.approx(expected_f1, abs=1e-4)


def test_empty_answer_is_right_only_without_gold_answers() -> None:
    assert (exact_match("", []), f1("", [])) == (1.0, 1.0)
    assert (exact_match("x", []), f1("x", [])) == (0.0, 0.0)
    assert (exact_match("", ["x"]), f1("", ["x"])) == (0.0, 0.0)
    assert f1("the", ["an"]) == 1.0


def test_mean_scores_agree_with_torchmetrics_on_the_dev_set() -> None:
    dataset = load_squad(shared("dev", "squad_v1.1_dev.json"))
    rng = random.Random(3)
    scored = []
    for question in dataset.questions:
        golds = list(dataset.gold_texts(question))
        context = dataset.contexts[question.context]
        start = rng.randrange(len(context))
        prediction = rng.choice([*golds, golds[0] + " of", context[start : start + 20]])
        if not lacks_words(prediction, golds):
            scored.append((prediction, golds))
    # In blocks: torchmetrics sums in float32, which loses the fourth digit over ten thousand questions.
    for first in range(0, len(scored), 100):
        block = scored[first : first + 100]
        reference = squad(
            [{"prediction_text": text, "id": str(i)} for i, (text, _) in enumerate(block)],
            [{"answers": {"answer_start": [0] * len(g), "text": g}, "id": str(i)} for i, (_, g) in enumerate(block)],
        )
        scores = [(exact_match(text, golds), f1(text, golds)) for text, golds in block]
        assert 100 * sum(m for m, _ in scores) / len(block) == pytest.approx(float(reference["exact_match"]), abs=1e-4)
        assert 100 * sum(f for _, f in scores) / len(block) == pytest.approx(float(reference["f1"]), abs=1e-4)


RANKINGS = st.lists(
    st.tuples(st.permutations(range(8)), st.dictionaries(st.integers(0, 11), st.integers(1, 3), min_size=1)),
    min_size=1,
    max_size=8,
)


@given(RANKINGS)
def test_ranking_metrics_agree_with_ir_measures(rows: list[tuple[list[int], dict[int, int]]]) -> None:
    qrels = [
        ir_measures.Qrel(str(q), str(d), grade) for q, (_, grades) in enumerate(rows) for d, grade in grades.items()
    ]
    run = [
        ir_measures.ScoredDoc(str(q), str(document), 100.0 - position)
        for q, (ranking, _) in enumerate(rows)
        for position, document in enumerate(ranking)
    ]
    reference = ir_measures.calc_aggregate([RR @ 5, nDCG @ 5, R @ 5, AP @ 5], qrels, run)
    for metric, measure in ((reciprocal_rank, RR @ 5), (recall, R @ 5), (average_precision, AP @ 5), (ndcg, nDCG @ 5)):
        assert sum(metric(r, g, 5) for r, g in rows) / len(rows) == pytest.approx(reference[measure]), measure


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9]), st.booleans()), min_size=2, max_size=40))
def test_auroc_agrees_with_scikit_learn(pairs: list[tuple[float, bool]]) -> None:
    scores, marks = [s for s, _ in pairs], [m for _, m in pairs]
    if len(set(marks)) < 2:
        assert auroc(scores, marks) is None
    else:
        assert auroc(scores, marks) == pytest.approx(roc_auc_score(marks, scores))


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.8]), st.floats(0, 1), st.booleans()), min_size=1, max_size=12))
def test_best_threshold_f1_agrees_with_exhaustive_search(rows: list[tuple[float, float, bool]]) -> None:
    rows = [(c, f if answerable else 0.0, answerable) for c, f, answerable in rows]

    def mean_f1(threshold: float) -> float:
        return sum(f if c >= threshold else float(not a) for c, f, a in rows) / len(rows)

    expected = max(mean_f1(t) for t in (0.0, 0.1, 0.4, 0.8, 2.0))
    assert best_threshold_f1(*map(list, zip(*rows, strict=True))) == pytest.approx(expected)


def test_calibration_error_is_the_distance_of_confidence_and_accuracy() -> None:
    assert calibration_error([], []) is None
    assert calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert calibration_error([0.8] * 10, [True] * 8 + [False] * 2, bins=1) == pytest.approx(0.0)
    assert calibration_error([0.9] * 10, [False] * 10) == pytest.approx(0.9)
    assert math.isclose(calibration_error([0.2] * 5 + [0.6] * 5, [False] * 5 + [True] * 5, bins=2) or 0, 0.3)


def test_reliability_bins_have_equal_counts() -> None:
    bins = reliability([0.1, 0.9, 0.2, 0.8], [False, True, True, True], bins=2)
    assert [b.count for b in bins] == [2, 2]
    assert [(round(b.confidence, 6), b.accuracy) for b in bins] == [(0.15, 0.5), (0.85, 1.0)]
    assert reliability([], []) == []


def test_risk_is_the_share_of_wrong_answers_among_the_most_confident() -> None:
    risk = risk_coverage([0.2, 0.9, 0.5], [False, True, False])
    assert risk.tolist() == pytest.approx([0.0, 0.5, 2 / 3])
    assert len(risk_coverage([], [])) == 0


@pytest.mark.parametrize(
    ("prediction", "right"),
    [
        ("45 days", True),
        ("more than 45 days", True),
        ("within 45 days of the move or of the sale", False),
        ("45", False),
        ("245 days", False),
        ("45 working days", True),
        ("", False),
    ],
)
def test_an_answer_is_right_if_it_is_near_a_gold_answer_or_contains_it(prediction: str, right: bool) -> None:
    assert is_right(prediction, ["45 days", "the schedule of dues"]) is right


def test_no_prediction_is_right_without_gold_answers() -> None:
    assert not is_right("45 days", [])
    assert not is_right("", [])
