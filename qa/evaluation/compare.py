"""Two reports on the same questions ─► what changed, and whether by more than chance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qa.errors import DatasetError
from qa.evaluation.datasets import content_of

MEASURES = ("exact_match", "f1")
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
    """What changed in one data set and mode; `won` and `lost` are ids of questions whose F1 rose or fell."""

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
    if set(old) != set(new):
        apart = sorted(set(old) ^ set(new))
        raise DatasetError(f"{name}: {len(apart)} questions are in one report only, {apart[0]!r} among them")
    ids = list(old)
    changes = []
    for measure in MEASURES:
        a, b = (np.array([report[id][measure] for id in ids], np.float64) for report in (old, new))
        changes.append(Change(measure, 100 * float(a.mean()), 100 * float(b.mean()), permutation_test(b - a, seed)))
    won = tuple(id for id in ids if new[id]["f1"] > old[id]["f1"])
    lost = tuple(id for id in ids if new[id]["f1"] < old[id]["f1"])
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
        reached += abs(flipped.sum()) >= observed - 1e-9
    return (1 + reached) / (1 + SAMPLES)


def load_reports(path: Path) -> list[dict[str, Any]]:
    """Read what `qa eval --json` wrote.

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


def pairs(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Put reports on the same data set and mode together.

    Raises:
        DatasetError: there is none in `before` for one in `after`.
    """
    known = {(report.get("dataset"), report.get("mode")): report for report in before}
    made = []
    for report in after:
        key = (report.get("dataset"), report.get("mode"))
        if key not in known:
            raise DatasetError(f"the baseline has no report on {key[0]}, {key[1]}", field="baseline")
        made.append((known[key], report))
    return made


def _by_id(report: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    questions = report.get("questions")
    if not questions:
        raise DatasetError(f"{name}: the report holds no single questions to compare")
    return {str(question["id"]): question for question in questions}
