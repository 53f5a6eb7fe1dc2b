from __future__ import annotations

import pytest

from qa.engine import Engine
from qa.evaluation.datasets import load_squad
from qa.evaluation.metrics import exact_match
from qa.evaluation.runner import Mode, evaluate, steps
from tests.conftest import GOLDEN

NAMES = {
    "exact_match", "f1", "has_answer_f1", "no_answer_accuracy", "f1_best_threshold", "answerable_auroc",
    "recall@1", "recall@5", "recall@10", "recall@20", "mrr@10", "ndcg@10", "ece",
}  # fmt: skip
RANKING = {name for name in NAMES if "@" in name}


@pytest.mark.parametrize("mode", list(Mode))
def test_every_mode_gives_its_metrics_and_null_for_the_others(shipped: Engine, mode: Mode) -> None:
    dataset = load_squad(GOLDEN / "golden.json")
    done: list[int] = []
    evaluation = evaluate(dataset, mode, shipped, limit=17, progress=done.append)
    report = evaluation.report
    metrics = report["metrics"]
    assert isinstance(metrics, dict)
    assert set(report) == {"dataset", "mode", "n", "metrics", "latency_ms", "model", "index", "versions"}
    assert (report["dataset"], report["mode"], report["n"]) == ("golden", mode.value, 17)
    given = {Mode.READER: NAMES - RANKING, Mode.RETRIEVAL: RANKING, Mode.END_TO_END: NAMES}[mode]
    assert set(metrics) == NAMES
    assert {name for name, value in metrics.items() if value is not None} == given
    assert sum(done) == steps(dataset, mode, 17)
    if mode is not Mode.RETRIEVAL:
        questions = {q.id: q for q in dataset.head(17).questions}
        assert set(evaluation.predictions) == set(questions)
        right = [exact_match(text, dataset.gold_texts(questions[id])) for id, text in evaluation.predictions.items()]
        assert metrics["exact_match"] == pytest.approx(100 * sum(right) / 17)


def test_without_unanswerable_questions_the_best_span_is_forced(shipped: Engine) -> None:
    dataset = load_squad(GOLDEN / "golden.json")
    answerable = type(dataset)("a", dataset.contexts, tuple(q for q in dataset.questions if q.answerable))
    evaluation = evaluate(answerable, Mode.READER, shipped, limit=24)
    assert all(evaluation.predictions.values())
    metrics = evaluation.report["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["no_answer_accuracy"] is None
    assert metrics["f1"] == metrics["has_answer_f1"]
