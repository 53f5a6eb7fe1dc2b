"""Two reports on the same questions ─► what changed, and whether by more than chance."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qa.errors import DatasetError
from qa.evaluation.input_files import content_of

# The first that both reports have decides which questions are won and lost.
MEASURES = ("f1", "exact_match", "reciprocal_rank")
SIGNIFICANT = 0.05
SAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """One measure before and after, from 0 to 100.

    Attributes:
        p: of a paired permutation test: how often chance alone gives so large a difference either way.
    """

    measure: str
    before: float
    after: float
    p: float

    @property
    def difference(self) -> float:
        """In points; below zero: worse."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed in one data set and mode; `won` and `lost` are ids of questions whose first measure rose or fell."""

    dataset: str
    mode: str
    questions: int
    changes: tuple[Change, ...]
    won: tuple[str, ...]
    lost: tuple[str, ...]

    def regressions(self, tolerance: float) -> list[Change]:
        """Return the measures that fell by more than `tolerance` points, and by more than chance."""
        return [c for c in self.changes if c.difference < -tolerance and c.p < SIGNIFICANT]


def compare(before: Mapping[str, Any], after: Mapping[str, Any], seed: int = 1) -> Comparison:
    """Compare two reports of `qa eval --json`.

    Raises:
        DatasetError: they are not on the same questions, or hold no questions.
    """
    name = f"{after.get('dataset')}, {after.get('mode')}"
    if (before.get("dataset"), before.get("mode")) != (after.get("dataset"), after.get("mode")):
        raise DatasetError(
            f"the reports differ in data set or mode: {before.get('dataset')}, {before.get('mode')}; {name}"
        )
    old, new = (_by_id(report, name) for report in (before, after))
    same_questions(old, new, name)
    ids = list(old)
    measures = [m for m in MEASURES if all(m in report[id] for report in (old, new) for id in ids)]
    if not measures:
        raise DatasetError(f"{name}: the reports have no measure in common")
    changes = []
    for measure in measures:
        a, b = (np.array([report[id][measure] for id in ids], np.float64) for report in (old, new))
        changes.append(Change(measure, 100 * float(a.mean()), 100 * float(b.mean()), permutation_test(b - a, seed)))
    won = tuple(id for id in ids if new[id][measures[0]] > old[id][measures[0]])
    lost = tuple(id for id in ids if new[id][measures[0]] < old[id][measures[0]])
    return Comparison(str(after["dataset"]), str(after["mode"]), len(ids), tuple(changes), won, lost)


def permutation_test(differences: Sequence[float] | np.ndarray[Any, np.dtype[np.float64]], seed: int = 1) -> float:
    """Return the two-sided p of a mean difference of zero: signs are flipped at random, `SAMPLES` times."""
    changed = np.asarray(differences, np.float64)
    changed = changed[changed != 0]
    if not len(changed):
        return 1.0
    chooser = np.random.default_rng(seed)
    observed = abs(changed.sum())
    reached = 0
    for _ in range(SAMPLES):
        flipped = np.where(chooser.integers(0, 2, len(changed), dtype=np.int8) == 1, changed, -changed)
        reached += bool(abs(flipped.sum()) >= observed - 1e-9)
    return (1 + reached) / (1 + SAMPLES)


def load_reports(path: Path) -> list[dict[str, Any]]:
    """Read what `qa eval --json` wrote, single questions included.

    Raises:
        DatasetError: it is something else, or holds no single questions.
    """
    reports = load_figures(path)
    for report in reports:
        if not report.get("questions"):
            name = f"{report.get('dataset')}, {report.get('mode')}"
            raise DatasetError(f"{path}: {name}: holds no single questions to compare", field="report")
    return reports


def load_figures(path: Path) -> list[dict[str, Any]]:
    """Read what `qa eval --json` wrote, with single questions or without.

    Raises:
        DatasetError: it is something else.
    """
    try:
        content = json.loads(content_of(path))
    except ValueError as error:
        raise DatasetError(f"{path}: not JSON ({error})", field="report") from error
    reports = content if isinstance(content, list) else [content]
    if not reports or not all(isinstance(report, dict) and "metrics" in report for report in reports):
        raise DatasetError(f"{path}: not what `qa eval --json` writes", field="report")
    return reports


def baseline_of(reports: Sequence[Mapping[str, Any]], dataset: str, mode: str) -> Mapping[str, Any]:
    """Return the report on a data set and mode.

    Raises:
        DatasetError: there is none.
    """
    for report in reports:
        if (report.get("dataset"), report.get("mode")) == (dataset, mode):
            return report
    raise DatasetError(f"the baseline has no report on {dataset}, {mode}", field="baseline")


def same_questions(one: Collection[str], other: Collection[str], name: str) -> None:
    """Check that ids are the same.

    Raises:
        DatasetError: they are not.
    """
    apart = sorted(set(one) ^ set(other))
    if apart:
        raise DatasetError(f"{name}: {len(apart)} questions are on one side only, {apart[0]!r} among them")


def _by_id(report: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    questions = report.get("questions")
    if not questions:
        raise DatasetError(f"{name}: the report holds no single questions to compare")
    return {str(question["id"]): question for question in questions}
