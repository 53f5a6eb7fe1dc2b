from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest

from qa.engine import Engine
from qa.errors import DatasetError
from qa.evaluation import runner
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.local_systems import ReaderSystem
from qa.evaluation.metrics import exact_match
from qa.evaluation.outcomes import Outcome
from qa.evaluation.runner import check_mode, evaluate, open_local_system
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from tests.conftest import GOLDEN

pytestmark = pytest.mark.slow

NAMES = {
    "exact_match", "f1", "has_answer_exact_match", "has_answer_f1", "no_answer_accuracy", "f1_best_threshold",
    "exact_match@5", "answerable_auroc", "offset_exactness", "ece", "aurc",
    "recall@1", "recall@5", "recall@10", "recall@20", "mrr@10", "ndcg@10", "map@20",
}  # fmt: skip
RANKING = {"recall@1", "recall@5", "recall@10", "recall@20", "mrr@10", "ndcg@10", "map@20"}


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_squad(GOLDEN / "golden.json")


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.EVIDENCE])
def test_each_mode_reports_its_metrics_and_null_for_the_rest(shipped: Engine, dataset: Dataset, mode: Mode) -> None:
    done: list[int] = []
    with open_local_system(shipped, dataset, mode, done.append) as system:
        evaluation = evaluate(dataset, mode, system, limit=9, progress=done.append)
    report = evaluation.report
    metrics = report["metrics"]
    assert {"dataset", "mode", "n", "metrics", "latency_ms", "model", "index", "versions"} <= set(report)
    assert (report["dataset"], report["mode"], report["n"]) == ("golden", mode.value, 9)
    answers_alone = dict.fromkeys((Mode.READER, Mode.WITHIN_DOCUMENT), NAMES - RANKING)
    measured = {**answers_alone, Mode.END_TO_END: NAMES}.get(mode, RANKING)
    assert set(metrics) == NAMES
    assert {name for name, value in metrics.items() if value is not None} == measured
    assert sum(done) == 9 + (0 if mode is Mode.READER else len(dataset.contexts))
    assert report["latency_ms"]["p50"] > 0
    if mode.gives_answers:
        assert metrics["offset_exactness"] == 1.0
        questions = {q.id: q for q in dataset.head(9).questions}
        assert set(evaluation.predictions) == set(questions)
        scores = [exact_match(text, dataset.gold_texts(questions[id])) for id, text in evaluation.predictions.items()]
        assert metrics["exact_match"] == pytest.approx(100 * sum(scores) / 9)
        assert sum(report["faults"].values()) == 9 - sum(scores)
        assert [part["f1"] for part in report["slices"]] == sorted(part["f1"] for part in report["slices"])
        low, high = report["intervals"]["f1"]
        assert low <= metrics["f1"] <= high


def test_forces_an_answer_if_every_question_is_answerable(shipped: Engine, dataset: Dataset) -> None:
    answerable = Dataset("a", dataset.contexts, tuple(q for q in dataset.questions if q.answerable))
    evaluation = evaluate(answerable, Mode.READER, ReaderSystem(shipped, answerable), limit=24)
    assert all(evaluation.predictions.values())
    metrics = evaluation.report["metrics"]
    assert metrics["no_answer_accuracy"] is None
    assert metrics["f1"] == metrics["has_answer_f1"]


class InterruptedSystem:
    """Raises after some outcomes; records the ids it yielded."""

    def __init__(self, system: ReaderSystem, after: int) -> None:
        self.description = system.description
        self.fingerprint = system.fingerprint
        self.yielded: list[str] = []
        self._system = system
        self._after = after

    def outcomes(self, questions: Sequence[LabelledQuestion], timed: Collection[str]) -> Iterator[Outcome]:
        for position, outcome in enumerate(self._system.outcomes(questions, timed)):
            if position == self._after:
                raise KeyboardInterrupt
            self.yielded.append(outcome.id)
            yield outcome


def test_interrupted_run_resumes_from_its_journal(shipped: Engine, dataset: Dataset, tmp_path: Path) -> None:
    journal = tmp_path / "run.part"
    system = ReaderSystem(shipped, dataset)
    with pytest.raises(KeyboardInterrupt):
        evaluate(dataset, Mode.READER, InterruptedSystem(system, 12), 16, journal=journal)
    with journal.open("a") as file:
        file.write('{"id": "incomplete li')
    resumed_system = InterruptedSystem(system, 100)
    resumed = evaluate(dataset, Mode.READER, resumed_system, 16, journal=journal)
    assert len(resumed_system.yielded) == 4
    uninterrupted = evaluate(dataset, Mode.READER, system, 16)
    assert resumed.report["questions"] == uninterrupted.report["questions"]


def test_times_evenly_spaced_questions(shipped: Engine, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "TIMED_QUESTIONS", 4)
    evaluation = evaluate(dataset, Mode.READER, ReaderSystem(shipped, dataset), 16)
    timed = [position for position, row in enumerate(evaluation.rows) if row.outcome.timings_ms]
    assert timed == [0, 4, 8, 12]
    latency, interval = evaluation.report["latency_ms"]["p50"], evaluation.report["latency_intervals"]["p50"]
    assert interval[0] <= latency <= interval[1]


def test_ignores_the_journal_of_another_run(shipped: Engine, dataset: Dataset, tmp_path: Path) -> None:
    journal = tmp_path / "run.part"
    with pytest.raises(KeyboardInterrupt):
        evaluate(dataset, Mode.READER, InterruptedSystem(ReaderSystem(shipped, dataset), 5), 12, journal=journal)
    assert len(journal.read_text().splitlines()) == 6
    other_run = InterruptedSystem(ReaderSystem(shipped, dataset), 100)
    evaluate(dataset, Mode.READER, other_run, 11, journal=journal)
    assert len(other_run.yielded) == 11


def test_relevance_labels_allow_retrieval_modes_only() -> None:
    ranked = Dataset("ranked", ("a",), (LabelledQuestion("1", "What?", 0, (), {0: 1}),), has_spans=False)
    check_mode(ranked, Mode.RETRIEVAL)
    check_mode(ranked, Mode.RERANKED)
    with pytest.raises(DatasetError, match="--mode retrieval"):
        check_mode(ranked, Mode.READER)


def test_report_is_serialisable_as_json(shipped: Engine, dataset: Dataset) -> None:
    report = evaluate(dataset, Mode.READER, ReaderSystem(shipped, dataset), 5).report
    assert json.loads(json.dumps(report)) == json.loads(json.dumps(report, default=str))
