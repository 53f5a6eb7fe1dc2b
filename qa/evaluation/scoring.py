"""Score outcomes: metrics with confidence intervals, causes of errors, and metrics by slice (pure)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.intervals import (
    UNDEFINED,
    Estimate,
    estimate,
    estimate_calibration_error,
    estimate_mean,
    mean_interval,
)
from qa.evaluation.metrics import (
    auroc,
    average_precision,
    best_threshold_f1,
    exact_match,
    f1,
    ndcg,
    percentile,
    recall,
    reciprocal_rank,
    reliability,
    risk_coverage,
)
from qa.evaluation.outcomes import Fault, Outcome, classify_fault
from qa.evaluation.slices import assign_slices

RECALL_AT = (1, 5, 10, 20)
RANKING_DEPTH = 10
MAP_AT = 20
_CURVE_POINTS = 50


@dataclass(frozen=True, slots=True)
class ScoredQuestion:
    """A question with its outcome and scores; modes without answers leave answer and fault empty.

    Attributes:
        question: the labelled question.
        outcome: the outcome of the system.
        answer: the scored text; "" for no answer.
        exact, f1: exact match and F1 of that answer, from 0 to 1.
        forced_exact, forced_f1: the same for the best candidate, given or not.
        fault: the cause of a wrong answer.
    """

    question: LabelledQuestion
    outcome: Outcome
    answer: str
    exact: float
    f1: float
    forced_exact: float
    forced_f1: float
    fault: Fault | None


def score_outcomes(
    dataset: Dataset, outcomes: Sequence[Outcome], *, with_answers: bool, forced: bool
) -> list[ScoredQuestion]:
    """Score outcomes, given in the order of the questions.

    Args:
        dataset: the labelled questions.
        outcomes: one for each question.
        with_answers: whether the system was asked for answers, not for rankings alone.
        forced: score the best candidate even if the system did not give it.
    """
    rows = []
    for question, outcome in zip(dataset.questions, outcomes, strict=True):
        golds = dataset.gold_texts(question)
        answer, best = outcome.answer(forced=forced), outcome.answer(forced=True)
        rows.append(
            ScoredQuestion(
                question,
                outcome,
                answer,
                exact_match(answer, golds),
                f1(answer, golds),
                exact_match(best, golds),
                f1(best, golds),
                classify_fault(dataset, question, outcome, forced=forced) if with_answers else None,
            )
        )
    return rows


def compute_figures(dataset: Dataset, rows: Sequence[ScoredQuestion], *, with_answers: bool) -> dict[str, Any]:
    """Return `metrics` and `latency_ms` with their intervals, `stages_ms`, `faults`, `slices` and `curves`.

    Args:
        dataset: the labelled questions.
        rows: the scored questions.
        with_answers: whether the system was asked for answers, not for rankings alone.
    """
    answer_metrics = _answer_metrics(dataset, rows) if with_answers else dict.fromkeys(ANSWER_METRICS, UNDEFINED)
    metrics = {**answer_metrics, **_ranking_metrics(rows)}
    totals = np.array([row.outcome.timings_ms["total"] for row in rows if "total" in row.outcome.timings_ms])
    latency = {
        "p50": estimate(lambda r: percentile(totals[r], 50), len(totals)),
        "p95": estimate(lambda r: percentile(totals[r], 95), len(totals)),
    }
    return {
        "metrics": {name: metric.value for name, metric in metrics.items()},
        "intervals": {name: metric.interval for name, metric in metrics.items()},
        "latency_ms": {name: time.value for name, time in latency.items()},
        "latency_intervals": {name: time.interval for name, time in latency.items()},
        "stages_ms": _stage_times(rows),
        "faults": _count_faults(rows) if with_answers else {},
        "slices": _score_slices(dataset, rows) if with_answers else [],
        "curves": _curves(rows) if with_answers else {},
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


def _answer_metrics(dataset: Dataset, rows: Sequence[ScoredQuestion]) -> dict[str, Estimate]:
    answerable = [row for row in rows if row.question.answerable]
    metrics = dict.fromkeys(ANSWER_METRICS, UNDEFINED) | {
        "exact_match": estimate_mean([row.exact for row in rows], 100),
        "f1": estimate_mean([row.f1 for row in rows], 100),
        "has_answer_exact_match": estimate_mean([row.exact for row in answerable], 100),
        "has_answer_f1": estimate_mean([row.f1 for row in answerable], 100),
        "no_answer_accuracy": estimate_mean([row.exact for row in rows if not row.question.answerable], 100),
        "exact_match@5": estimate_mean([_best_exact_match(dataset, row) for row in answerable], 100),
        "offset_exactness": estimate_mean(_offset_exactness(dataset, rows)),
    }
    marks = np.array([row.question.answerable for row in rows])
    confidences = np.array([c for row in rows if (c := row.outcome.confidence) is not None])
    answerability = np.array([1 - score for row in rows if (score := row.outcome.no_answer_score) is not None])
    # As in the SQuAD 2.0 script the threshold applies to the no-answer score; without one, to the confidence.
    thresholded = answerability if len(answerability) == len(rows) else confidences
    if len(thresholded) == len(rows):
        scores = np.array([row.forced_f1 for row in rows])
        metrics["f1_best_threshold"] = estimate(
            lambda r: 100 * best_threshold_f1(thresholded[r], scores[r], marks[r]), len(rows)
        )
    if len(confidences) == len(rows):
        best_confidences, best_right = map(np.array, _best_candidates(rows))
        metrics["ece"] = estimate_calibration_error(best_confidences, best_right)
        metrics["aurc"] = estimate(
            lambda r: float(risk_coverage(best_confidences[r], best_right[r]).mean()), len(best_confidences)
        )
    if len(answerability) == len(rows):
        metrics["answerable_auroc"] = estimate(lambda r: auroc(answerability[r], marks[r]), len(rows))
    return metrics


def _offset_exactness(dataset: Dataset, rows: Sequence[ScoredQuestion]) -> list[float]:
    """Return for each question the share of candidates whose text equals the context at their span."""
    shares = []
    for row in rows:
        exact = [
            c.span.of(dataset.contexts[c.context]) == c.text
            for c in row.outcome.candidates
            if c.span is not None and c.context is not None
        ]
        if exact:
            shares.append(float(np.mean(exact)))
    return shares


def _best_exact_match(dataset: Dataset, row: ScoredQuestion) -> float:
    golds = dataset.gold_texts(row.question)
    return max((exact_match(candidate.text, golds) for candidate in row.outcome.candidates), default=0.0)


def _best_candidates(rows: Sequence[ScoredQuestion]) -> tuple[list[float], list[bool]]:
    """Return the confidence of each question's best candidate, and whether it is right; skip questions without one."""
    pairs = [
        (confidence, row.question.answerable and row.forced_exact == 1)
        for row in rows
        if row.outcome.candidates and (confidence := row.outcome.confidence) is not None
    ]
    return [confidence for confidence, _ in pairs], [right for _, right in pairs]


def _ranking_metrics(rows: Sequence[ScoredQuestion]) -> dict[str, Estimate]:
    pairs = [(r.outcome.ranking, r.question.relevant) for r in rows if r.question.relevant]
    ranked = [(ranking, relevant) for ranking, relevant in pairs if ranking is not None]
    return {
        **{
            f"recall@{k}": estimate_mean([recall(ranking, relevant, k) for ranking, relevant in ranked])
            for k in RECALL_AT
        },
        f"mrr@{RANKING_DEPTH}": estimate_mean(
            [reciprocal_rank(ranking, relevant, RANKING_DEPTH) for ranking, relevant in ranked]
        ),
        f"ndcg@{RANKING_DEPTH}": estimate_mean(
            [ndcg(ranking, relevant, RANKING_DEPTH) for ranking, relevant in ranked]
        ),
        f"map@{MAP_AT}": estimate_mean([average_precision(ranking, relevant, MAP_AT) for ranking, relevant in ranked]),
    }


def _stage_times(rows: Sequence[ScoredQuestion]) -> dict[str, dict[str, float | None]]:
    stages: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for stage, time in row.outcome.timings_ms.items():
            stages[stage].append(time)
    return {stage: {"p50": percentile(times, 50), "p95": percentile(times, 95)} for stage, times in stages.items()}


def _count_faults(rows: Sequence[ScoredQuestion]) -> dict[str, int]:
    counts = Counter(row.fault for row in rows if row.fault is not None)
    return {kind.value: counts[kind] for kind in Fault}


def _score_slices(dataset: Dataset, rows: Sequence[ScoredQuestion]) -> list[dict[str, Any]]:
    """Return every slice with its metrics, the lowest F1 first."""
    parts: dict[tuple[str, str], list[ScoredQuestion]] = defaultdict(list)
    for row in rows:
        for by, name in assign_slices(dataset, row.question, row.outcome).items():
            parts[by, name].append(row)
    slices = [
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
    return sorted(slices, key=lambda s: (s["f1"], s["by"], s["slice"]))


def _curves(rows: Sequence[ScoredQuestion]) -> Mapping[str, Any]:
    """Return the data of the plots: reliability by bin, and risk by coverage at up to 50 points."""
    confidences, right = _best_candidates(rows)
    risk = risk_coverage(confidences, right)
    points = np.unique(np.linspace(0, len(risk) - 1, _CURVE_POINTS).astype(int)).tolist() if len(risk) else []
    return {
        "reliability": [asdict(part) for part in reliability(confidences, right)],
        "risk_coverage": [{"coverage": (p + 1) / len(risk), "risk": float(risk[p])} for p in points],
    }
