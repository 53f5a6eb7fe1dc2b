from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from qa.config import Settings
from qa.engine import Engine
from qa.errors import InvalidInput, NotFound, Unavailable
from qa.evaluation.datasets import Dataset
from qa.evaluation.local_systems import IndexSystem
from qa.evaluation.remote_system import RemoteSystem
from qa.evaluation.runner import evaluate
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from tests.conftest import GOLDEN, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_squad(GOLDEN / "golden.json").head(12)


@pytest.fixture
def url(golden: Engine, tmp_path: Path) -> Iterator[str]:
    with serving(golden, Settings(index_dir=tmp_path)) as url:
        yield url


def test_server_gives_the_same_results_as_its_index(url: str, golden: Engine, dataset: Dataset) -> None:
    with closing(RemoteSystem(url, "default", dataset, Mode.END_TO_END)) as system:
        remote = evaluate(dataset, Mode.END_TO_END, system)
    local = evaluate(dataset, Mode.END_TO_END, IndexSystem(golden, "default", dataset, Mode.END_TO_END))
    assert remote.predictions == local.predictions
    for name in ("f1", "ece", "answerable_auroc", "recall@1", "map@20", "offset_exactness"):
        assert remote.report["metrics"][name] == pytest.approx(local.report["metrics"][name]), name


def test_reports_unreachable_servers_invalid_urls_and_unknown_indexes(url: str, dataset: Dataset) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        RemoteSystem("http://127.0.0.1:1", "default", dataset, Mode.END_TO_END)
    with pytest.raises(InvalidInput, match="http://a:b"):
        RemoteSystem("http://a:b", "default", dataset, Mode.END_TO_END)
    with pytest.raises(NotFound, match="index 'none'"):
        RemoteSystem(url, "none", dataset, Mode.END_TO_END)


@pytest.mark.parametrize("mode", [Mode.RETRIEVAL, Mode.RERANKED])
def test_retrieval_modes_score_rankings_only(url: str, golden: Engine, dataset: Dataset, mode: Mode) -> None:
    with closing(RemoteSystem(url, "default", dataset, mode)) as system:
        remote = evaluate(dataset, mode, system).report
    local = evaluate(dataset, mode, IndexSystem(golden, "default", dataset, mode)).report
    assert remote["metrics"] == local["metrics"]
    assert [("read" in report["stages_ms"]) for report in (remote, local)] == [mode is Mode.RERANKED] * 2
    answerable = {q.id for q in dataset.questions if q.answerable}
    assert {q["id"] for q in local["questions"] if "reciprocal_rank" in q} == answerable
    assert all("exact_match" not in q and "fault" not in q for q in local["questions"])


def test_overlong_question_gets_an_empty_outcome(url: str, golden: Engine, dataset: Dataset) -> None:
    question = dataset.questions[0]
    overlong = Dataset("long", dataset.contexts, (replace(question, id="long", text="what " * 500), question))
    with closing(RemoteSystem(url, "default", overlong, Mode.RETRIEVAL)) as remote:
        for system in (IndexSystem(golden, "default", overlong, Mode.RETRIEVAL), remote):
            assert evaluate(overlong, Mode.RETRIEVAL, system).report["metrics"]["recall@20"] == 0.5
    foreign = Dataset("foreign", tuple(text + "." for text in overlong.contexts), overlong.questions)
    unmatched = evaluate(foreign, Mode.RETRIEVAL, IndexSystem(golden, "default", foreign, Mode.RETRIEVAL))
    assert unmatched.report["metrics"]["recall@20"] is None
