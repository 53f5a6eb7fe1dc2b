from __future__ import annotations

import json
from pathlib import Path

import pytest

from qa.engine import Engine
from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset
from qa.evaluation.local_systems import ReaderSystem
from qa.evaluation.runner import evaluate
from qa.evaluation.saved_answers import SavedAnswers
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from tests.conftest import GOLDEN


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_squad(GOLDEN / "golden.json").head(12)


def test_saved_answers_get_the_same_scores_as_the_reader(shipped: Engine, dataset: Dataset, tmp_path: Path) -> None:
    direct = evaluate(dataset, Mode.READER, ReaderSystem(shipped, dataset))
    (tmp_path / "p.json").write_text(json.dumps(direct.predictions))
    saved = evaluate(dataset, Mode.READER, SavedAnswers(tmp_path / "p.json", dataset))
    for name in ("exact_match", "f1", "has_answer_f1", "no_answer_accuracy"):
        assert saved.report["metrics"][name] == direct.report["metrics"][name]
    assert saved.report["metrics"]["ece"] is None
    assert saved.report["metrics"]["answerable_auroc"] is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "expected an object"),
        ('{"a": 1}', "expected an object"),
        ("{}", "no answer for 12 of 12"),
    ],
)
def test_rejects_malformed_predictions(dataset: Dataset, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "p.json").write_text(content)
    with pytest.raises(DatasetError, match=rf"p\.json: {message}"):
        SavedAnswers(tmp_path / "p.json", dataset)
