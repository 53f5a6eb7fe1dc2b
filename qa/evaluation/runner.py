"""Ask a data set's questions in one of three modes, and score what comes back.

End-to-end: the contexts are the documents of a throw-away index. Reader: each question is asked of its own context.
Retrieval: documents are ranked by their best passage, and nothing is read.
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from qa.engine import Engine
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.metrics import (
    auroc,
    best_threshold_f1,
    calibration_error,
    exact_match,
    f1,
    mean,
    ndcg,
    percentile,
    reciprocal_rank,
)
from qa.types import Answer, Document, QueryResult

# Deep enough for recall@20 where several passages of one document rank high.
RANKED_PASSAGES = 60
_READ_TOGETHER = 32
_TIMED_ALONE = 100
_DOCUMENTS_TOGETHER = 64

Progress = Callable[[int], None]


class Mode(StrEnum):
    """What is evaluated."""

    END_TO_END = "end-to-end"
    READER = "reader"
    RETRIEVAL = "retrieval"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one question gave: the best answer (given or not), and the gold document's rank (from 1)."""

    question: LabelledQuestion
    best: Answer | None
    no_answer_score: float
    rank: int | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of one data set in one mode, and the predictions they come from."""

    report: dict[str, object]
    predictions: dict[str, str]


def evaluate(
    dataset: Dataset, mode: Mode, engine: Engine, limit: int | None = None, progress: Progress = lambda _: None
) -> Evaluation:
    """Evaluate an engine's models on a data set.

    Args:
        dataset: contexts and questions.
        mode: what to evaluate.
        engine: its models are used, its indexes are not touched.
        limit: at most so many questions, spread evenly; all contexts stay.
        progress: is told how many more contexts or questions are done; in all as many as `steps` says.
    """
    asked = dataset.head(limit)
    if mode is Mode.READER:
        outcomes, latencies = _read(asked, engine, progress)
        size = None
    else:
        with _indexed(asked, engine, progress) as (ready, size):
            outcomes, latencies = _ask(asked, ready, read=mode is Mode.END_TO_END, progress=progress)
    threshold = (engine.calibration.read if mode is Mode.READER else engine.calibration.query).threshold
    predictions = _predictions(outcomes, threshold if dataset.has_unanswerable else 0.0)
    report: dict[str, object] = {
        "dataset": dataset.name,
        "mode": mode.value,
        "n": len(asked.questions),
        "metrics": _metrics(asked, outcomes, predictions, mode),
        "latency_ms": {"p50": percentile(latencies, 50), "p95": percentile(latencies, 95)},
        "model": {"embedder": engine.embedder.identity, "reader": engine.reader.identity},
        "index": size,
        "versions": versions(),
    }
    return Evaluation(report, predictions if mode is not Mode.RETRIEVAL else {})


def steps(dataset: Dataset, mode: Mode, limit: int | None) -> int:
    """Return how many contexts and questions `evaluate` will work through."""
    questions = len(dataset.head(limit).questions)
    return questions if mode is Mode.READER else len(dataset.contexts) + questions


def versions() -> dict[str, str]:
    """Return the versions of everything that can change a result."""
    packages = ("spanlight", "openvino", "faiss-cpu", "tantivy", "tokenizers", "numpy", "langchain-text-splitters")
    return {"python": platform.python_version(), **{package: version(package) for package in packages}}


def _read(dataset: Dataset, engine: Engine, progress: Progress) -> tuple[list[Outcome], list[float]]:
    pairs = [(question.text, dataset.contexts[question.context]) for question in dataset.questions]
    step = max(1, len(pairs) // _TIMED_ALONE)
    engine.read_batch(pairs[:1])
    latencies = [engine.read(*pair).timings_ms["total"] for pair in pairs[::step][:_TIMED_ALONE]]
    outcomes: list[Outcome] = []
    for first in range(0, len(pairs), _READ_TOGETHER):
        part = dataset.questions[first : first + _READ_TOGETHER]
        results = engine.read_batch(pairs[first : first + _READ_TOGETHER], top_k=1, min_confidence=0.0)
        outcomes += [Outcome(q, _best(r), r.no_answer_score, None) for q, r in zip(part, results, strict=True)]
        progress(len(part))
    return outcomes, latencies


@contextmanager
def _indexed(dataset: Dataset, engine: Engine, progress: Progress) -> Iterator[tuple[Engine, dict[str, int]]]:
    with tempfile.TemporaryDirectory(prefix="qa-eval-") as folder:
        ready = engine.in_folder(Path(folder))
        index = ready.indexes.get_or_create("default")
        documents = [Document(str(place), text) for place, text in enumerate(dataset.contexts)]
        for first in range(0, len(documents), _DOCUMENTS_TOGETHER):
            part = documents[first : first + _DOCUMENTS_TOGETHER]
            ready.add(part)
            progress(len(part))
        index.catch_up()
        count, passages = index.counts()
        try:
            yield ready, {"documents": count, "passages": passages}
        finally:
            ready.close()


def _ask(dataset: Dataset, engine: Engine, *, read: bool, progress: Progress) -> tuple[list[Outcome], list[float]]:
    outcomes: list[Outcome] = []
    latencies: list[float] = []
    for question in dataset.questions:
        began = time.perf_counter()
        result = engine.ask(question.text, top_k=1, min_confidence=0.0) if read else None
        found = None if read else engine.search(question.text, top_k=RANKED_PASSAGES)
        latencies.append((time.perf_counter() - began) * 1000)
        found = found or engine.search(question.text, top_k=RANKED_PASSAGES)
        ranked = list(dict.fromkeys(hit.passage.document_id for hit in found.hits))
        gold = str(question.context)
        rank = ranked.index(gold) + 1 if gold in ranked else None
        best = _best(result) if result else None
        outcomes.append(Outcome(question, best, result.no_answer_score if result else 0.0, rank))
        progress(1)
    return outcomes, latencies


def _best(result: QueryResult) -> Answer | None:
    return result.answers[0] if result.answers else None


def _predictions(outcomes: Sequence[Outcome], threshold: float) -> dict[str, str]:
    return {
        o.question.id: o.best.text if o.best is not None and o.best.confidence >= threshold else "" for o in outcomes
    }


def _metrics(
    dataset: Dataset, outcomes: Sequence[Outcome], predictions: dict[str, str], mode: Mode
) -> dict[str, float | None]:
    return {
        **(_no_answer_metrics() if mode is Mode.RETRIEVAL else _answer_metrics(dataset, outcomes, predictions)),
        **(_no_ranking_metrics() if mode is Mode.READER else _ranking_metrics(outcomes)),
    }


def _answer_metrics(
    dataset: Dataset, outcomes: Sequence[Outcome], predictions: dict[str, str]
) -> dict[str, float | None]:
    golds = [dataset.gold_texts(o.question) for o in outcomes]
    answerable = [o.question.answerable for o in outcomes]
    given = [predictions[o.question.id] for o in outcomes]
    forced = [o.best.text if o.best else "" for o in outcomes]
    exact = [exact_match(text, gold) for text, gold in zip(given, golds, strict=True)]
    overlap = [f1(text, gold) for text, gold in zip(given, golds, strict=True)]
    confidences = [o.best.confidence if o.best else 0.0 for o in outcomes]
    forced_f1 = [f1(text, gold) for text, gold in zip(forced, golds, strict=True)]
    answered = [i for i, o in enumerate(outcomes) if o.best is not None]
    right = [answerable[i] and exact_match(forced[i], golds[i]) == 1 for i in answered]
    return {
        "exact_match": _percent(mean(exact)),
        "f1": _percent(mean(overlap)),
        "has_answer_f1": _percent(mean([s for s, a in zip(overlap, answerable, strict=True) if a])),
        "no_answer_accuracy": _percent(mean([s for s, a in zip(exact, answerable, strict=True) if not a])),
        "f1_best_threshold": _percent(best_threshold_f1(confidences, forced_f1, answerable)),
        "answerable_auroc": auroc([1 - o.no_answer_score for o in outcomes], answerable),
        "ece": calibration_error([confidences[i] for i in answered], right),
    }


def _ranking_metrics(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    ranks = [o.rank for o in outcomes if o.question.answerable]
    return {
        **{f"recall@{k}": mean([float(r is not None and r <= k) for r in ranks]) for k in (1, 5, 10, 20)},
        "mrr@10": mean([reciprocal_rank(r, 10) for r in ranks]),
        "ndcg@10": mean([ndcg(r, 10) for r in ranks]),
    }


def _no_answer_metrics() -> dict[str, float | None]:
    names = ("exact_match", "f1", "has_answer_f1", "no_answer_accuracy", "f1_best_threshold", "answerable_auroc", "ece")
    return dict.fromkeys(names)


def _no_ranking_metrics() -> dict[str, float | None]:
    return dict.fromkeys(("recall@1", "recall@5", "recall@10", "recall@20", "mrr@10", "ndcg@10"))


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value
