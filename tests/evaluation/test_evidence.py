from __future__ import annotations

import pytest

from qa.evaluation.evidence import Counts, JudgedEvidence, covered_units, judge_items, judge_units, measure
from qa.types import Span

UNITS = [Span(0, 10), Span(12, 20), Span(21, 40)]


def test_a_span_covers_the_units_with_which_it_shares_half_of_the_shorter_one() -> None:
    assert covered_units([Span(0, 10)], UNITS) == [Span(0, 10)]
    assert covered_units([Span(2, 5)], UNITS) == [Span(0, 10)]
    assert covered_units([Span(1, 22)], UNITS) == [Span(0, 10), Span(12, 20)]
    assert covered_units([Span(9, 14)], UNITS) == []
    assert covered_units([Span(22, 39), Span(0, 9)], UNITS) == [Span(0, 10), Span(21, 40)]
    assert covered_units([], UNITS) == []


def test_marks_and_labels_are_compared_by_unit() -> None:
    counts, scored = judge_units(
        [(Span(0, 9), 0.9), (Span(13, 20), 0.4), (Span(2, 10), 0.7)], [Span(0, 10), Span(21, 40)], UNITS
    )
    assert counts == Counts(1, 2, 1, 2)
    assert (counts.precision, counts.recall, counts.f1) == (0.5, 0.5, 0.5)
    assert scored == [(0.9, True), (0.4, False)]


@pytest.mark.parametrize(
    ("counts", "precision", "recall", "f1"),
    [
        (Counts(0, 0, 0, 0), 1.0, 1.0, 1.0),
        (Counts(0, 2, 0, 0), 0.0, 1.0, 0.0),
        (Counts(0, 0, 0, 3), 1.0, 0.0, 0.0),
        (Counts(0, 1, 0, 1), 0.0, 0.0, 0.0),
        (Counts(2, 2, 2, 4), 1.0, 0.5, 2 / 3),
    ],
)
def test_precision_recall_and_f1_without_predictions_or_labels(
    counts: Counts, precision: float, recall: float, f1: float
) -> None:
    assert (counts.precision, counts.recall) == (precision, recall)
    assert counts.f1 == pytest.approx(f1)


def test_items_match_exactly_or_by_their_longest_common_part() -> None:
    exact, overlap = judge_items(["The plot 4", "plots 7 and 8"], ["plot 4", "plot 7", "plot 8"])
    assert exact == Counts(1, 2, 1, 3)
    assert overlap.predicted_right == pytest.approx(1 + 4 / 13)
    assert overlap.gold_found == pytest.approx(1 + 5 / 6 + 5 / 6)
    assert judge_items([], ["plot 4"])[1] == Counts(0, 0, 0, 1)


def judged(answerable: bool, counts: Counts, *marks: tuple[float, bool]) -> JudgedEvidence:
    return JudgedEvidence(answerable, counts, tuple(score for score, _ in marks), tuple(right for _, right in marks))


def test_the_first_evidence_is_the_unit_with_the_highest_score() -> None:
    assert judged(True, Counts(1, 2, 1, 1), (0.4, False), (0.9, True)).is_first_right
    assert not judged(True, Counts(1, 2, 1, 1), (0.9, False), (0.4, True)).is_first_right
    assert not judged(True, Counts(0, 0, 0, 1)).is_first_right


def test_measures_units_over_questions_and_together() -> None:
    several = judged(True, Counts(1, 1, 1, 3), (0.8, True))
    single = judged(True, Counts(1, 2, 1, 1), (0.9, True), (0.5, False))
    silent = judged(False, Counts(0, 0, 0, 0))
    marked = judged(False, Counts(0, 1, 0, 0), (0.2, False))
    metrics = {name: metric.value for name, metric in measure([several, single, silent, marked]).items()}
    assert metrics["evidence_f1"] == pytest.approx((0.5 + 2 / 3 + 1 + 0) / 4)
    assert metrics["evidence_f1_answerable"] == pytest.approx((0.5 + 2 / 3) / 2)
    assert metrics["evidence_f1_several"] == pytest.approx(0.5)
    assert metrics["evidence_recall_several"] == pytest.approx(1 / 3)
    assert metrics["evidence_precision"] == pytest.approx(2 / 4)
    assert metrics["evidence_recall"] == pytest.approx(2 / 4)
    assert metrics["evidence_micro_f1"] == pytest.approx(0.5)
    assert metrics["no_evidence_accuracy"] == 50
    assert metrics["first_evidence_right"] == 100
    assert metrics["evidence_ece"] == pytest.approx((0.2 + 0.1 + 0.5 + 0.2) / 4)
    assert metrics["items_f1"] is None


def test_measures_the_items_of_all_lists_together() -> None:
    lists = [
        JudgedEvidence(True, Counts(0, 0, 0, 1), (), (), *judge_items(["plot 4"], ["plot 4", "plot 7"])),
        JudgedEvidence(True, Counts(0, 0, 0, 1), (), (), *judge_items([], ["plot 1"])),
        judged(True, Counts(0, 0, 0, 1)),
    ]
    metrics = measure(lists)
    assert metrics["items_f1"].value == pytest.approx(2 * 1 * (1 / 3) / (1 + 1 / 3))
    assert metrics["items_overlap_f1"].value == pytest.approx(22 / 29)
    assert metrics["items_f1"].interval is not None
