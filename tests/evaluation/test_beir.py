from __future__ import annotations

from pathlib import Path

import pytest

from qa.errors import DatasetError
from qa.evaluation.beir import load_corpus
from qa.evaluation.dataset_loading import load_dataset
from tests.conftest import shared


def beir(folder: Path, **files: str) -> Path:
    content = {
        "corpus.jsonl": '{"_id": "d1", "title": "Tea", "text": "It is green."}\n{"_id": "d2", "text": "Milk."}',
        "queries.jsonl": '{"_id": "q1", "text": "What is green?"}\n{"_id": "q2", "text": "never judged"}\n',
        "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n",
        **files,
    }
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_loads_a_beir_folder(tmp_path: Path) -> None:
    dataset = load_dataset(beir(tmp_path / "tea"))
    assert (dataset.name, dataset.has_spans, dataset.has_unanswerable) == ("tea", False, False)
    assert dataset.contexts == ("Tea\n\nIt is green.", "Milk.")
    assert [(q.id, q.relevant) for q in dataset.questions] == [("q1", {0: 2})]


def test_loads_a_corpus_without_queries(tmp_path: Path) -> None:
    line = '{"_id": "%s", "title": "Tea", "text": "It is green."}\n'
    (tmp_path / "corpus.jsonl").write_text(line % "d1" + '{"_id": "d2", "text": "Milk."}\n' + line % "d3")
    assert load_corpus(tmp_path) == (["Tea\n\nIt is green.", "Milk."], {"d1": 0, "d2": 1, "d3": 0})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("corpus.jsonl", '{"_id": "d1"}', "corpus.jsonl: line 1: 'text' is missing"),
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n' * 2, "corpus.jsonl: line 2: duplicate id 'd1'"),
        ("queries.jsonl", "{", "queries.jsonl: line 1: not JSON"),
        ("qrels/test.tsv", "q1\td9\t1\n", "test.tsv: line 1: document 'd9' not found"),
        ("qrels/test.tsv", "q1\td1\n", "test.tsv: line 1: expected query-id, corpus-id and score"),
        ("qrels/test.tsv", "q1\td1\t0\n", "test.tsv: contains no questions"),
    ],
)
def test_rejects_malformed_beir_folders(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        load_dataset(beir(tmp_path / "tea", **{name: content}))


@pytest.mark.parametrize("name", ["wikiqa_dev", "cranfield", "cisi"])
def test_loads_the_public_retrieval_sets(name: str) -> None:
    dataset = load_dataset(shared("retrieval", name))
    assert dataset.questions
    assert all(question.relevant for question in dataset.questions)
