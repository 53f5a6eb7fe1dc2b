"""Outcomes ─► figures: measures with their intervals, where errors are born, and how kinds of questions fare (pure)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.intervals import Interval, Measure, bootstrap_interval, calibration_interval, mean_interval
from qa.evaluation.metrics import (
    auroc,
    average_precision,
    best_threshold_f1,
    calibration_error,
    exact_match,
    f1,
    ndcg,
    percentile,
    recall,
    reciprocal_rank,
    reliability,
    risk_coverage,
)
from qa.evaluation.outcomes import Fault, Outcome, fault
from qa.evaluation.slices import slices_of

RECALL_AT = (1, 5, 10, 20)
RANKED = 10
MAP_AT = 20
_CURVE_POINTS = 50


class Figure(NamedTuple):
    """A measure's value and its 95 % interval; None where it cannot be told."""

    value: float | None
    interval: Interval | None


_UNTOLD = Figure(None, None)


@dataclass(frozen=True, slots=True)
class Scored:
    """A question with what came of it; where nothing was read there is no answer, and no fault.

    Attributes:
        question: as it was labelled.
        outcome: what the system made of it.
        answer: the text that is scored, "" for none.
        exact, f1: of that answer, from 0 to 1.
        forced_exact, forced_f1: of the best candidate, whether given or not.
        fault: what went wrong with the answer.
    """

    question: LabelledQuestion
    outcome: Outcome
    answer: str
    exact: float
    f1: float
    forced_exact: float
    forced_f1: float
    fault: Fault | None


def scored(dataset: Dataset, outcomes: Sequence[Outcome], *, read: bool, forced: bool) -> list[Scored]:
    """Score outcomes, which stand in the order of the questions.

    Args:
        dataset: where the questions come from.
        outcomes: what the system made of them.
        read: whether answers were asked for, and not rankings alone.
        forced: score the best candidate, whether it was given or not.
    """
    made = []
    for question, outcome in zip(dataset.questions, outcomes, strict=True):
        golds = dataset.gold_texts(question)
        answer, best = outcome.answer(forced=forced), outcome.answer(forced=True)
        made.append(
            Scored(
                question,
                outcome,
                answer,
                exact_match(answer, golds),
                f1(answer, golds),
                exact_match(best, golds),
                f1(best, golds),
                fault(dataset, question, outcome, forced=forced) if read else None,
            )
        )
    return made


def figures(dataset: Dataset, rows: Sequence[Scored], *, read: bool) -> dict[str, Any]:
    """Return all figures: `metrics`, `latency_ms` and the intervals of both, `stages_ms`, `faults`, `slices`, `curves`.

    Args:
        dataset: where the questions come from.
        rows: what came of them.
        read: whether answers were asked for, and not rankings alone.
    """
    answers = _answer_figures(dataset, rows) if read else dict.fromkeys(ANSWER_METRICS, _UNTOLD)
    made = {**answers, **_ranking_figures(rows)}
    totals = np.array([row.outcome.timings_ms["total"] for row in rows if "total" in row.outcome.timings_ms])
    latency = {
        "p50": _figure(lambda r: percentile(totals[r], 50), len(totals)),
        "p95": _figure(lambda r: percentile(totals[r], 95), len(totals)),
    }
    return {
        "metrics": {name: figure.value for name, figure in made.items()},
        "intervals": {name: figure.interval for name, figure in made.items()},
        "latency_ms": {name: figure.value for name, figure in latency.items()},
        "latency_intervals": {name: figure.interval for name, figure in latency.items()},
        "stages_ms": _stages(rows),
        "faults": _faults(rows) if read else {},
        "slices": _slices(dataset, rows) if read else [],
        "curves": _curves(rows) if read else {},
    }


ANSWER_METRICS = (
    "exact_match",
    "f1",
    "has_answer_exact_match",
    "has_answer_f1",
    "no_answer_accuracy",
    "f1_best_threshold",
    "exact_match@5",
    "answerable_auroc",
    "offset_exactness",
    "ece",
    "aurc",
)


def _figure(measure: Measure, count: int) -> Figure:
    return Figure(measure(np.arange(count)), bootstrap_interval(measure, count)) if count else _UNTOLD


def _mean(values: Sequence[float], scale: float = 1.0) -> Figure:
    return Figure(scale * float(np.mean(values)), mean_interval(values, scale=scale)) if len(values) else _UNTOLD


def _answer_figures(dataset: Dataset, rows: Sequence[Scored]) -> dict[str, Figure]:
    answerable = [row for row in rows if row.question.answerable]
    made = dict.fromkeys(ANSWER_METRICS, _UNTOLD) | {
        "exact_match": _mean([row.exact for row in rows], 100),
        "f1": _mean([row.f1 for row in rows], 100),
        "has_answer_exact_match": _mean([row.exact for row in answerable], 100),
        "has_answer_f1": _mean([row.f1 for row in answerable], 100),
        "no_answer_accuracy": _mean([row.exact for row in rows if not row.question.answerable], 100),
        "exact_match@5": _mean([_among_candidates(dataset, row) for row in answerable], 100),
        "offset_exactness": _mean(_exactness(dataset, rows)),
    }
    marks = np.array([row.question.answerable for row in rows])
    sure = [row.outcome.confidence for row in rows]
    confidences = np.array([value for value in sure if value is not None])
    doubts = [row.outcome.no_answer_score for row in rows]
    answerability = np.array([1 - value for value in doubts if value is not None])
    # Refused is by how likely there is no answer, as the SQuAD 2.0 script does it; by confidence where that is all.
    refused_by = answerability if len(answerability) == len(rows) else confidences
    if len(refused_by) == len(rows):
        scores = np.array([row.forced_f1 for row in rows])
        made["f1_best_threshold"] = _figure(
            lambda r: 100 * best_threshold_f1(refused_by[r], scores[r], marks[r]), len(rows)
        )
    if len(confidences) == len(rows):
        sureness = _sureness(rows)
        given, right = np.array(sureness[0]), np.array(sureness[1])
        made["ece"] = Figure(calibration_error(given, right), calibration_interval(given, right))
        made["aurc"] = _figure(lambda r: float(risk_coverage(given[r], right[r]).mean()), len(given))
    if len(answerability) == len(rows):
        made["answerable_auroc"] = _figure(lambda r: auroc(answerability[r], marks[r]), len(rows))
    return made


def _exactness(dataset: Dataset, rows: Sequence[Scored]) -> list[float]:
    """Return for each question the share of its candidates that are what stands in their places."""
    made = []
    for row in rows:
        placed = [
            c.span.of(dataset.contexts[c.context]) == c.text
            for c in row.outcome.candidates
            if c.span is not None and c.context is not None
        ]
        if placed:
            made.append(float(np.mean(placed)))
    return made


def _among_candidates(dataset: Dataset, row: Scored) -> float:
    golds = dataset.gold_texts(row.question)
    return max((exact_match(candidate.text, golds) for candidate in row.outcome.candidates), default=0.0)


def _sureness(rows: Sequence[Scored]) -> tuple[list[float], list[bool]]:
    """Return the best candidates' confidences and whether they are right; without a candidate there is nothing."""
    found = [(row.outcome.confidence, row) for row in rows if row.outcome.candidates]
    told = [(confidence, row) for confidence, row in found if confidence is not None]
    return [c for c, _ in told], [row.question.answerable and row.forced_exact == 1 for _, row in told]


def _ranking_figures(rows: Sequence[Scored]) -> dict[str, Figure]:
    ranked = [(row.outcome.ranking, row.question.relevant) for row in rows if row.question.relevant]
    known = [(ranking, relevant) for ranking, relevant in ranked if ranking is not None]
    return {
        **{f"recall@{k}": _mean([recall(ranking, relevant, k) for ranking, relevant in known]) for k in RECALL_AT},
        f"mrr@{RANKED}": _mean([reciprocal_rank(ranking, relevant, RANKED) for ranking, relevant in known]),
        f"ndcg@{RANKED}": _mean([ndcg(ranking, relevant, RANKED) for ranking, relevant in known]),
        f"map@{MAP_AT}": _mean([average_precision(ranking, relevant, MAP_AT) for ranking, relevant in known]),
    }


def _stages(rows: Sequence[Scored]) -> dict[str, dict[str, float | None]]:
    stages: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for stage, time in row.outcome.timings_ms.items():
            stages[stage].append(time)
    return {stage: {"p50": percentile(times, 50), "p95": percentile(times, 95)} for stage, times in stages.items()}


def _faults(rows: Sequence[Scored]) -> dict[str, int]:
    counted = Counter(row.fault for row in rows if row.fault is not None)
    return {kind.value: counted[kind] for kind in Fault}


def _slices(dataset: Dataset, rows: Sequence[Scored]) -> list[dict[str, Any]]:
    """Return every slice with its figures, the lowest F1 first."""
    parts: dict[tuple[str, str], list[Scored]] = defaultdict(list)
    for row in rows:
        for by, name in slices_of(dataset, row.question, row.outcome).items():
            parts[by, name].append(row)
    made = [
        {
            "by": by,
            "slice": name,
            "n": len(part),
            "exact_match": 100 * float(np.mean([row.exact for row in part])),
            "f1": 100 * float(np.mean([row.f1 for row in part])),
            "f1_interval": mean_interval([row.f1 for row in part], scale=100, samples=500),
        }
        for (by, name), part in parts.items()
    ]
    return sorted(made, key=lambda s: (s["f1"], s["by"], s["slice"]))


def _curves(rows: Sequence[Scored]) -> Mapping[str, Any]:
    """Return what is drawn: reliability by bins, and risk by coverage at up to 50 points."""
    confidences, right = _sureness(rows)
    risk = risk_coverage(confidences, right)
    points = np.unique(np.linspace(0, len(risk) - 1, _CURVE_POINTS).astype(int)).tolist() if len(risk) else []
    return {
        "reliability": [asdict(part) for part in reliability(confidences, right)],
        "risk_coverage": [{"coverage": (p + 1) / len(risk), "risk": float(risk[p])} for p in points],
    }
