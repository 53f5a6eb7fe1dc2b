from __future__ import annotations

from qa.evaluation.intervals import estimate_mean
from qa.evaluation.parts import gated_metrics, measure_parts, partition


def test_partitions_by_genre_kind_and_style() -> None:
    labels = [{"genre": "manuals", "kind": "table"}, {"genre": "manuals", "style": "long"}, {}]
    assert partition([1, 2, 3], labels) == {
        ("genre", "manuals"): [1, 2],
        ("kind", "table"): [1],
        ("style", "long"): [2],
    }


def test_gates_name_the_metrics_of_parts() -> None:
    parts = measure_parts({("kind", "table"): [1.0, 0.0]}, lambda values: {"right_given": estimate_mean(values, 100)})
    report = {"metrics": {"right_given": 70.0}, "parts": parts}
    assert gated_metrics(report) == {"right_given": 70.0, "right_given[kind=table]": 50.0}
    assert gated_metrics({"metrics": {"f1": 80.0}}) == {"f1": 80.0}
