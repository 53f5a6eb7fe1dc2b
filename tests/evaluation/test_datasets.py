from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qa.errors import DatasetError
from qa.evaluation.datasets import load_squad
from qa.types import Span
from tests.conftest import GOLDEN, shared


def write(path: Path, *entries: dict[str, Any], context: str = "Tea is green. Tea is hot.") -> Path:
    path.write_text(json.dumps({"data": [{"title": "t", "paragraphs": [{"context": context, "qas": list(entries)}]}]}))
    return path


def entry(id: str = "1", text: str = "green", start: int = 7, **more: Any) -> dict[str, Any]:
    return {"id": id, "question": "What colour?", "answers": [{"text": text, "answer_start": start}], **more}


def test_questions_and_gold_spans(tmp_path: Path) -> None:
    dataset = load_squad(write(tmp_path / "a.json", entry(), entry("2", is_impossible=True)))
    assert dataset.contexts == ("Tea is green. Tea is hot.",)
    assert [q.answers for q in dataset.questions] == [(Span(7, 12),), ()]
    assert dataset.gold_texts(dataset.questions[0]) == ("green",)
    assert dataset.has_unanswerable


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([entry(start=3)], "question '1': answer 'green' is not at offset 3"),
        ([entry(), entry()], "'1' occurs twice"),
        ([{"id": "1"}], "not in the SQuAD layout"),
        ([], "no question"),
    ],
)
def test_wrong_labels_are_named(tmp_path: Path, entries: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(DatasetError, match=f"a.json: .*{says}"):
        load_squad(write(tmp_path / "a.json", *entries))


@pytest.mark.parametrize("content", ["", "[]", "{}", "\x00"])
def test_what_is_not_squad_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DatasetError, match=r"a\.json: not a SQuAD JSON file"):
        load_squad(tmp_path / "a.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none\.json: No such file"):
        load_squad(tmp_path / "none.json")


def test_a_limit_spreads_over_the_set() -> None:
    dataset = load_squad(GOLDEN / "golden.json")
    head = dataset.head(8)
    assert len(head.questions) == 8
    assert len({q.context for q in head.questions}) == 8
    assert head.contexts == dataset.contexts


def test_the_golden_set_is_what_it_says() -> None:
    dataset = load_squad(GOLDEN / "golden.json")
    assert len(dataset.contexts) >= 5
    assert len(dataset.questions) >= 80
    assert sum(not q.answerable for q in dataset.questions) >= 25
    texts = {path.read_text(encoding="utf-8") for path in (GOLDEN / "documents").glob("*.txt")}
    assert set(dataset.contexts) == texts


@pytest.mark.parametrize("name", ["squad_v1.1_dev.json", "squad_v2.0_dev.json", "nq_qed_dev.json"])
def test_the_measuring_files_load(name: str) -> None:
    assert len(load_squad(shared("dev", name)).questions) > 1000
