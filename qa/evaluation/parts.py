"""Measure a set of judged questions as a whole and by genre, kind and style (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from qa.evaluation.intervals import Estimate

GENRE, KIND, STYLE = "genre", "kind", "style"
_SLICED_BY = (GENRE, KIND, STYLE)

Judged = TypeVar("Judged")
Parts = Mapping[tuple[str, str], Sequence[Judged]]
"""The judged questions by what they are sliced by and its value, such as `("genre", "manuals")`."""


def partition(judged: Iterable[Judged], labels: Iterable[Mapping[str, str]]) -> Parts[Judged]:
    """Return the parts of judged questions, given the labels of each."""
    parts: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for item, names in zip(judged, labels, strict=True):
        for by in _SLICED_BY:
            if by in names:
                parts[by, names[by]].append(item)
    return dict(sorted(parts.items()))


def measure_parts(
    parts: Parts[Judged], measure: Callable[[Sequence[Judged]], Mapping[str, Estimate]]
) -> list[dict[str, Any]]:
    """Return `by`, `part`, `n`, `metrics` and `intervals` of each part."""
    return [
        {"by": by, "part": name, "n": len(judged), **as_figures(measure(judged))}
        for (by, name), judged in parts.items()
    ]


def as_figures(metrics: Mapping[str, Estimate]) -> dict[str, Any]:
    """Return the values as `metrics` and the intervals as `intervals`."""
    return {
        "metrics": {name: metric.value for name, metric in metrics.items()},
        "intervals": {name: metric.interval for name, metric in metrics.items()},
    }


def gated_metrics(report: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the metrics of a report, with those of its parts as `NAME[BY=PART]`, such as `right_given[kind=table]`."""
    of_parts = {
        f"{name}[{part['by']}={part['part']}]": value
        for part in report.get("parts", ())
        for name, value in part["metrics"].items()
    }
    return {**report["metrics"], **of_parts}
