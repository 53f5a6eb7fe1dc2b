"""Compare two reports on the same questions: what changed, and whether the change is significant."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.errors import DatasetError
from qa.evaluation.input_files import read_text

# The first measure that both reports have decides which questions are won and lost.
MEASURES = ("f1", "exact_match", "right_given", "evidence_f1", "reciprocal_rank")
SIGNIFICANT = 0.05
SAMPLES = 10_000
# The permutation test works in blocks of this many signs, which fit into the processor's cache.
_BLOCK = 200_000


@dataclass(frozen=True, slots=True)
class Change:
    """One measure before and after, from 0 to 100.

    Attributes:
        measure: one of `MEASURES`.
        before, after: the means of the two reports.
        p: two-sided p-value of a paired permutation test.
    """

    measure: str
    before: float
    after: float
    p: float

    @property
    def difference(self) -> float:
        """The difference in points; negative means worse."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Comparison:
    """The changes in one data set and mode; `won` and `lost` are ids of questions whose first measure rose or fell."""

    dataset: str
    mode: str
    questions: int
    changes: tuple[Change, ...]
    won: tuple[str, ...]
    lost: tuple[str, ...]

    def regressions(self, tolerance: float) -> list[Change]:
        """Return the measures that fell significantly, and by more than `tolerance` points."""
        return [c for c in self.changes if c.difference < -tolerance and c.p < SIGNIFICANT]


def compare(before: Mapping[str, Any], after: Mapping[str, Any], seed: int = 1) -> Comparison:
    """Compare two reports of `qa eval --json`.

    Raises:
        DatasetError: the reports are on different questions, or contain no questions.
    """
    name = f"{after.get('dataset')}, {after.get('mode')}"
    if (before.get("dataset"), before.get("mode")) != (after.get("dataset"), after.get("mode")):
        raise DatasetError(
            f"the reports differ in data set or mode: {before.get('dataset')}, {before.get('mode')} and {name}"
        )
    old, new = (_index_by_id(report, name) for report in (before, after))
    check_same_questions(old, new, name)
    ids = list(old)
    measures = [m for m in MEASURES if all(m in report[id] for report in (old, new) for id in ids)]
    if not measures:
        raise DatasetError(f"{name}: the reports have no measure in common; compare two reports of the same mode")
    changes = []
    for measure in measures:
        a, b = (np.array([report[id][measure] for id in ids], np.float64) for report in (old, new))
        changes.append(Change(measure, 100 * float(a.mean()), 100 * float(b.mean()), permutation_test(b - a, seed)))
    won = tuple(id for id in ids if new[id][measures[0]] > old[id][measures[0]])
    lost = tuple(id for id in ids if new[id][measures[0]] < old[id][measures[0]])
    return Comparison(str(after["dataset"]), str(after["mode"]), len(ids), tuple(changes), won, lost)


def permutation_test(differences: Sequence[float] | NDArray[np.float64], seed: int = 1) -> float:
    """Return the two-sided p-value of a mean difference of zero, by flipping signs at random `SAMPLES` times."""
    nonzero = np.asarray(differences, np.float64)
    nonzero = nonzero[nonzero != 0]
    if not len(nonzero):
        return 1.0
    rng = np.random.default_rng(seed)
    total = nonzero.sum()
    rows = max(1, _BLOCK // len(nonzero))
    extreme = 0
    for first in range(0, SAMPLES, rows):
        flipped = rng.integers(0, 2, (min(rows, SAMPLES - first), len(nonzero)), dtype=np.int8).astype(np.float64)
        sums = total - 2 * (flipped @ nonzero)
        # The tolerance covers the rounding of sums in another order.
        extreme += int(np.count_nonzero(abs(sums) >= abs(total) - 1e-9))
    return (1 + extreme) / (1 + SAMPLES)


def load_reports(path: Path) -> list[dict[str, Any]]:
    """Read reports of `qa eval --json` that contain the single questions.

    Raises:
        DatasetError: the file is not such a report, or was written with `--figures-only`.
    """
    reports = load_figures(path)
    for report in reports:
        if not report.get("questions"):
            name = f"{report.get('dataset')}, {report.get('mode')}"
            raise DatasetError(
                f"{path}: {name}: contains no single questions; write it without --figures-only", field="report"
            )
    return reports


def load_figures(path: Path) -> list[dict[str, Any]]:
    """Read reports of `qa eval --json`, with or without the single questions.

    Raises:
        DatasetError: the file is not such a report.
    """
    try:
        content = json.loads(read_text(path))
    except ValueError as error:
        raise DatasetError(f"{path}: not JSON ({error})", field="report") from error
    reports = content if isinstance(content, list) else [content]
    if not reports or not all(isinstance(report, dict) and "metrics" in report for report in reports):
        raise DatasetError(f"{path}: not a report of `qa eval --json`", field="report")
    return reports


def find_report(reports: Sequence[Mapping[str, Any]], dataset: str, mode: str) -> Mapping[str, Any]:
    """Return the report on a data set and mode.

    Raises:
        DatasetError: there is no such report.
    """
    for report in reports:
        if (report.get("dataset"), report.get("mode")) == (dataset, mode):
            return report
    raise DatasetError(
        f"the baseline has no report on {dataset}, {mode}; write one with `qa eval --json`", field="baseline"
    )


def check_same_questions(before: Collection[str], after: Collection[str], name: str) -> None:
    """Check that two sets of question ids are equal.

    Raises:
        DatasetError: they differ.
    """
    unmatched = sorted(set(before) ^ set(after))
    if unmatched:
        raise DatasetError(f"{name}: {len(unmatched)} questions are in one report only, such as {unmatched[0]!r}")


def _index_by_id(report: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    questions = report.get("questions")
    if not questions:
        raise DatasetError(f"{name}: the report contains no single questions; write it without --figures-only")
    return {str(question["id"]): question for question in questions}
