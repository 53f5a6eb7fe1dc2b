from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from qa.config import Settings
from qa.engine import Engine
from qa.errors import DatasetError, InvalidInput, NotFound, Unavailable
from qa.evaluation.datasets import Dataset
from qa.evaluation.local_systems import IndexSystem, ReaderSystem
from qa.evaluation.remote_system import Server
from qa.evaluation.runner import evaluate
from qa.evaluation.saved_answers import SavedAnswers
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from tests.conftest import GOLDEN, serving


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_squad(GOLDEN / "golden.json").head(12)


def test_predictions_of_another_system_score_as_ours_would(shipped: Engine, dataset: Dataset, tmp_path: Path) -> None:
    ours = evaluate(dataset, Mode.READER, ReaderSystem(shipped, dataset))
    (tmp_path / "p.json").write_text(json.dumps(ours.predictions))
    theirs = evaluate(dataset, Mode.READER, SavedAnswers(tmp_path / "p.json", dataset))
    for name in ("exact_match", "f1", "has_answer_f1", "no_answer_accuracy"):
        assert theirs.report["metrics"][name] == ours.report["metrics"][name]
    assert theirs.report["metrics"]["ece"] is None
    assert theirs.report["metrics"]["answerable_auroc"] is None


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "not JSON"), ("[]", "not an object"), ('{"a": 1}', "not an object"), ("{}", "no answer for 12 of 12")],
)
def test_bad_predictions_are_named(dataset: Dataset, tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "p.json").write_text(content)
    with pytest.raises(DatasetError, match=rf"p\.json: {says}"):
        SavedAnswers(tmp_path / "p.json", dataset)


def test_an_index_is_asked_and_its_documents_are_known(golden: Engine, dataset: Dataset) -> None:
    report = evaluate(dataset, Mode.END_TO_END, IndexSystem(golden, "default", dataset, Mode.END_TO_END)).report
    assert report["metrics"]["recall@10"] == 1.0
    assert report["metrics"]["offset_exactness"] == 1.0
    assert report["index"]["documents"] == len(dataset.contexts)


@pytest.fixture
def url(golden: Engine, tmp_path: Path) -> Iterator[str]:
    with serving(golden, Settings(index_dir=tmp_path)) as url:
        yield url


def test_a_server_gives_what_its_index_gives(url: str, golden: Engine, dataset: Dataset) -> None:
    server = Server(url, "default", dataset, Mode.END_TO_END)
    over_http = evaluate(dataset, Mode.END_TO_END, server)
    server.close()
    direct = evaluate(dataset, Mode.END_TO_END, IndexSystem(golden, "default", dataset, Mode.END_TO_END))
    assert over_http.predictions == direct.predictions
    for name in ("f1", "ece", "answerable_auroc", "recall@1", "map@20", "offset_exactness"):
        assert over_http.report["metrics"][name] == pytest.approx(direct.report["metrics"][name]), name


def test_a_server_that_is_not_there_or_refuses(url: str, dataset: Dataset) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        Server("http://127.0.0.1:1", "default", dataset, Mode.END_TO_END)
    with pytest.raises(InvalidInput, match="http://a:b"):
        Server("http://a:b", "default", dataset, Mode.END_TO_END)
    with pytest.raises(NotFound, match="no index 'none'"):
        Server(url, "none", dataset, Mode.END_TO_END)


@pytest.mark.parametrize("mode", [Mode.RETRIEVAL, Mode.RERANKED])
def test_passages_alone_are_scored_by_ranks(url: str, golden: Engine, dataset: Dataset, mode: Mode) -> None:
    server = Server(url, "default", dataset, mode)
    over_http = evaluate(dataset, mode, server).report
    server.close()
    direct = evaluate(dataset, mode, IndexSystem(golden, "default", dataset, mode)).report
    assert over_http["metrics"] == direct["metrics"]
    assert [("read" in report["stages_ms"]) for report in (over_http, direct)] == [mode is Mode.RERANKED] * 2
    answerable = {q.id for q in dataset.questions if q.answerable}
    assert {q["id"] for q in direct["questions"] if "reciprocal_rank" in q} == answerable
    assert all("exact_match" not in q and "fault" not in q for q in direct["questions"])


def test_an_index_without_the_contexts_ranks_nothing(golden: Engine, dataset: Dataset) -> None:
    edited = Dataset("edited", tuple(text + " Edited." for text in dataset.contexts), dataset.questions)
    report = evaluate(edited, Mode.END_TO_END, IndexSystem(golden, "default", edited, Mode.END_TO_END)).report
    assert report["index"]["contexts_missing"] == len(dataset.contexts)
    assert report["metrics"]["recall@10"] is None
    assert report["metrics"]["f1"] is not None


def test_a_question_too_long_to_ask_finds_nothing(url: str, golden: Engine, dataset: Dataset) -> None:
    asked = dataset.questions[0]
    long = Dataset("long", dataset.contexts, (replace(asked, id="long", text="what " * 500), asked))
    server = Server(url, "default", long, Mode.RETRIEVAL)
    for system in (IndexSystem(golden, "default", long, Mode.RETRIEVAL), server):
        assert evaluate(long, Mode.RETRIEVAL, system).report["metrics"]["recall@20"] == 0.5
    server.close()
    foreign = Dataset("foreign", tuple(text + "." for text in long.contexts), long.questions)
    unknown = evaluate(foreign, Mode.RETRIEVAL, IndexSystem(golden, "default", foreign, Mode.RETRIEVAL))
    assert unknown.report["metrics"]["recall@20"] is None


def test_many_questions_are_asked_in_parts_and_each_gives_what_it_gives_alone(golden: Engine) -> None:
    whole = load_squad(GOLDEN / "golden.json").head(70)
    report = evaluate(whole, Mode.END_TO_END, IndexSystem(golden, "default", whole, Mode.END_TO_END)).report
    for place in (0, 31, 32, 69):
        alone = Dataset("alone", whole.contexts, (whole.questions[place],))
        asked = IndexSystem(golden, "default", alone, Mode.END_TO_END)
        (made,) = evaluate(alone, Mode.END_TO_END, asked).report["questions"]
        assert report["questions"][place]["confidence"] == made["confidence"]
