from __future__ import annotations

import pytest

from qa.engine import Engine
from qa.evaluation.datasets import Dataset
from qa.evaluation.local_systems import IndexSystem
from qa.evaluation.runner import evaluate
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from tests.conftest import GOLDEN

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_squad(GOLDEN / "golden.json").head(12)


def test_index_documents_match_the_contexts(golden: Engine, dataset: Dataset) -> None:
    report = evaluate(dataset, Mode.END_TO_END, IndexSystem(golden, "default", dataset, Mode.END_TO_END)).report
    assert report["metrics"]["recall@10"] == 1.0
    assert report["metrics"]["offset_exactness"] == 1.0
    assert report["index"]["documents"] == len(dataset.contexts)


def test_index_without_the_contexts_has_no_ranking_metrics(golden: Engine, dataset: Dataset) -> None:
    edited = Dataset("edited", tuple(text + " Edited." for text in dataset.contexts), dataset.questions)
    report = evaluate(edited, Mode.END_TO_END, IndexSystem(golden, "default", edited, Mode.END_TO_END)).report
    assert report["index"]["contexts_missing"] == len(dataset.contexts)
    assert report["metrics"]["recall@10"] is None
    assert report["metrics"]["f1"] is not None


def test_batched_questions_get_the_same_confidence_as_single_ones(golden: Engine) -> None:
    dataset = load_squad(GOLDEN / "golden.json").head(70)
    report = evaluate(dataset, Mode.END_TO_END, IndexSystem(golden, "default", dataset, Mode.END_TO_END)).report
    for position in (0, 31, 32, 69):
        single = Dataset("single", dataset.contexts, (dataset.questions[position],))
        system = IndexSystem(golden, "default", single, Mode.END_TO_END)
        (question,) = evaluate(single, Mode.END_TO_END, system).report["questions"]
        assert report["questions"][position]["confidence"] == question["confidence"]
