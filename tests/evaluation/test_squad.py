from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qa.errors import DatasetError
from qa.evaluation.squad import load_squad
from qa.types import Span
from tests.conftest import GOLDEN, shared


def write(path: Path, *entries: dict[str, Any], context: str = "Tea is green. Tea is hot.") -> Path:
    path.write_text(json.dumps({"data": [{"title": "t", "paragraphs": [{"context": context, "qas": list(entries)}]}]}))
    return path


def entry(id: str = "1", text: str = "green", start: int = 7, **more: Any) -> dict[str, Any]:
    return {"id": id, "question": "What colour?", "answers": [{"text": text, "answer_start": start}], **more}


def test_loads_questions_and_gold_spans(tmp_path: Path) -> None:
    dataset = load_squad(write(tmp_path / "a.json", entry(), entry("2", is_impossible=True)))
    assert dataset.contexts == ("Tea is green. Tea is hot.",)
    assert [q.answers for q in dataset.questions] == [(Span(7, 12),), ()]
    assert dataset.gold_texts(dataset.questions[0]) == ("green",)
    assert dataset.has_unanswerable


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([entry(start=3)], "question '1': answer 'green' is not at offset 3"),
        ([entry(), entry()], "question '1': duplicate id"),
        ([{"id": "1"}], "question '1': does not match the SQuAD format"),
        ([{"question": "What?", "answers": []}], "question number 1: does not match the SQuAD format"),
        ([entry(question=" ")], "question '1': question: question must not be blank"),
        ([entry(question="x" * 2001)], "question '1': question: question has 2,001 characters; at most 2,000"),
        ([{**entry(is_impossible=False), "answers": []}], "question '1': has no answers"),
        ([], "contains no questions"),
    ],
)
def test_rejects_wrong_labels(tmp_path: Path, entries: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(DatasetError, match=f"a.json: .*{message}"):
        load_squad(write(tmp_path / "a.json", *entries))


def test_lists_the_first_wrong_labels_and_counts_the_rest(tmp_path: Path) -> None:
    wrong = [entry(str(n), start=n % 5) for n in range(30)]
    with pytest.raises(DatasetError, match="and 10 more") as caught:
        load_squad(write(tmp_path / "a.json", entry("right"), *wrong))
    lines = caught.value.message.splitlines()
    assert len(lines) == 21
    assert all("a.json: question" in line for line in lines[:20])
    assert lines[-1].endswith("and 10 more")


@pytest.mark.parametrize("content", ["[]", "{}", "\x00", '{"data": [{}]}', '{"data": 3}'])
def test_rejects_other_formats(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DatasetError, match=r"a\.json: not a SQuAD JSON file"):
        load_squad(tmp_path / "a.json")


def test_reports_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none\.json: No such file"):
        load_squad(tmp_path / "none.json")


def test_golden_set_matches_its_documents() -> None:
    dataset = load_squad(GOLDEN / "golden.json")
    assert len(dataset.contexts) >= 5
    assert len(dataset.questions) >= 80
    assert sum(not q.answerable for q in dataset.questions) >= 25
    texts = {path.read_text(encoding="utf-8") for path in (GOLDEN / "documents").glob("*.txt")}
    assert set(dataset.contexts) == texts


@pytest.mark.parametrize("name", ["squad_v1.1_dev.json", "squad_v2.0_dev.json", "nq_qed_dev.json"])
def test_loads_the_public_dev_sets(name: str) -> None:
    assert len(load_squad(shared("dev", name)).questions) > 1000
