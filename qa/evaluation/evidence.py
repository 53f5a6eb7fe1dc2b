"""Score marked evidence against labelled evidence, unit by unit, and the items of lists (pure).

Labels and marks are spans. Both are mapped to the units of the text that they cover, so that it does not matter which
white space, list markers or cells are inside a span.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qa.evaluation.intervals import UNDEFINED, Estimate, estimate, estimate_calibration_error, estimate_mean
from qa.evaluation.metrics import normalise_answer
from qa.types import Span


class Counts(NamedTuple):
    """Credit for predictions, their number, credit for gold labels, and their number."""

    predicted_right: float
    predicted: int
    gold_found: float
    gold: int

    @property
    def precision(self) -> float:
        """The share of the predictions that is right; 1.0 without predictions."""
        return self.predicted_right / self.predicted if self.predicted else 1.0

    @property
    def recall(self) -> float:
        """The share of the gold labels that is found; 1.0 without gold labels."""
        return self.gold_found / self.gold if self.gold else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; without predictions and gold labels 1.0, without either 0.0."""
        if not self.predicted or not self.gold:
            return float(self.predicted == self.gold)
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class JudgedEvidence:
    """How the marks of one question count.

    Attributes:
        answerable: whether the document answers the question.
        units: the marked units against the labelled ones.
        scores: the score of each marked unit.
        right: whether each marked unit is labelled.
        items: the exact matches of list items; None where the question labels none.
        item_overlaps: the same with partial credit.
    """

    answerable: bool
    units: Counts
    scores: tuple[float, ...]
    right: tuple[bool, ...]
    items: Counts | None = None
    item_overlaps: Counts | None = None

    @property
    def is_first_right(self) -> bool:
        """Whether the marked unit with the highest score is labelled; false without marks."""
        return bool(self.scores) and self.right[self.scores.index(max(self.scores))]


def covered_units(spans: Sequence[Span], units: Sequence[Span]) -> list[Span]:
    """Return the units that spans cover: at least half of the unit, or of the span, is shared.

    Args:
        spans: spans of a text.
        units: the units of that text, ascending, none of which overlap.
    """
    return [unit for unit in units if any(_covers(span, unit) for span in spans)]


def _covers(span: Span, unit: Span) -> bool:
    shared = min(span.end, unit.end) - max(span.start, unit.start)
    return shared > 0 and 2 * shared >= min(len(span), len(unit))


def judge_units(
    marks: Sequence[tuple[Span, float]], labels: Sequence[Span], units: Sequence[Span]
) -> tuple[Counts, list[tuple[float, bool]]]:
    """Compare marked spans with labelled ones by the units that they cover.

    Args:
        marks: marked spans with their scores.
        labels: labelled spans.
        units: the units of the text; see `covered_units`.

    Returns:
        The counts over units, and for each marked unit its highest score and whether it is labelled.
    """
    gold = set(covered_units(labels, units))
    scores: dict[Span, float] = {}
    for span, score in marks:
        for unit in covered_units([span], units):
            scores[unit] = max(score, scores.get(unit, score))
    found = len(gold & scores.keys())
    return Counts(found, len(scores), found, len(gold)), [(score, unit in gold) for unit, score in scores.items()]


def judge_items(predicted: Sequence[str], gold: Sequence[str]) -> tuple[Counts, Counts]:
    """Compare the items of a list by exact match, and by overlap.

    Items are normalised as the SQuAD rules compare answers. An item's credit by overlap is its longest common substring
    with the item of the other side that shares most of it, as a share of its length; so it is counted for MultiSpanQA.
    """
    ours, theirs = ([normalise_answer(item) for item in items] for items in (predicted, gold))
    exact = Counts(sum(item in theirs for item in ours), len(ours), sum(item in ours for item in theirs), len(theirs))
    return exact, Counts(_credit(ours, theirs), len(ours), _credit(theirs, ours), len(theirs))


def _credit(items: Sequence[str], others: Sequence[str]) -> float:
    return sum(max((_common(item, other) / len(item) for other in others), default=0.0) for item in items if item)


def _common(a: str, b: str) -> int:
    return SequenceMatcher(None, a, b, autojunk=False).find_longest_match().size


def measure(judged: Sequence[JudgedEvidence]) -> dict[str, Estimate]:
    """Return the metrics with their intervals, from 0 to 1, and two from 0 to 100.

    - `evidence_f1`: mean F1 over the units of each question; 1 for an unanswerable question without marks.
    - `evidence_f1_answerable`, `evidence_f1_several`, `evidence_recall_several`: of the answerable questions alone,
      and of those with several labelled units.
    - `first_evidence_right`: the answerable questions whose best unit is labelled, from 0 to 100.
    - `evidence_precision`, `evidence_recall`, `evidence_micro_f1`: over the units of all questions together.
    - `no_evidence_accuracy`: the unanswerable questions without marks, from 0 to 100.
    - `evidence_ece`: calibration error of the scores of marked units.
    - `items_f1`, `items_overlap_f1`: over the items of all questions that label items.
    """
    answerable = [j for j in judged if j.answerable]
    several = [j for j in answerable if j.units.gold > 1]
    scores = np.array([score for j in judged for score in j.scores], np.float64)
    right = np.array([mark for j in judged for mark in j.right], bool)
    return {
        "evidence_f1": estimate_mean([j.units.f1 for j in judged]),
        "evidence_f1_answerable": estimate_mean([j.units.f1 for j in answerable]),
        "evidence_f1_several": estimate_mean([j.units.f1 for j in several]),
        "evidence_recall_several": estimate_mean([j.units.recall for j in several]),
        "first_evidence_right": estimate_mean([float(j.is_first_right) for j in answerable], 100),
        "evidence_precision": estimate_pooled([j.units for j in judged], "precision"),
        "evidence_recall": estimate_pooled([j.units for j in judged], "recall"),
        "evidence_micro_f1": estimate_pooled([j.units for j in judged], "f1"),
        "no_evidence_accuracy": estimate_mean([float(not j.units.predicted) for j in judged if not j.answerable], 100),
        "evidence_ece": estimate_calibration_error(scores, right) if len(scores) else UNDEFINED,
        "items_f1": estimate_pooled([j.items for j in judged if j.items], "f1"),
        "items_overlap_f1": estimate_pooled([j.item_overlaps for j in judged if j.item_overlaps], "f1"),
    }


def estimate_pooled(counts: Sequence[Counts], measure: str) -> Estimate:
    """Return the precision, recall or F1 of the summed counts."""
    table = np.array(counts, np.float64).reshape(-1, len(Counts._fields))

    def of_sum(rows: NDArray[np.intp]) -> float:
        right, predicted, found, gold = table[rows].sum(axis=0).tolist()
        return float(getattr(Counts(right, int(predicted), found, int(gold)), measure))

    return estimate(of_sum, len(table))
