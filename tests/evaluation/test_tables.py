from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qa.errors import DatasetError
from qa.evaluation.dataset_loading import load_dataset
from qa.types import Span


def test_loads_a_table_with_documents(tmp_path: Path) -> None:
    rows = [
        "question,answer,document",
        "What is green?,Tea,Tea is green. Tea is hot.",
        "Who came?,,Tea is green. Tea is hot.",
    ]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    dataset = load_dataset(tmp_path / "a.csv")
    assert (dataset.name, dataset.contexts) == ("a", ("Tea is green. Tea is hot.",))
    assert [(q.id, q.text, q.answers) for q in dataset.questions] == [
        (dataset.questions[0].id, "What is green?", (Span(0, 3), Span(14, 17))),
        (dataset.questions[1].id, "Who came?", ()),
    ]
    (tmp_path / "a.csv").write_text("\n".join([rows[0], *reversed(rows[1:])]))
    assert [q.id for q in load_dataset(tmp_path / "a.csv").questions] == [q.id for q in reversed(dataset.questions)]


def test_keeps_line_ends_and_long_cells(tmp_path: Path) -> None:
    document = "Tea is green.\r\nTea is hot.\r\n" + "x" * 200_000
    (tmp_path / "a.csv").write_bytes(f'question,answer,start,document\nWhat is hot?,Tea,15,"{document}"\n'.encode())
    dataset = load_dataset(tmp_path / "a.csv")
    assert dataset.contexts == (document,)
    assert dataset.questions[0].answers == (Span(15, 18),)


def test_prefers_occurrences_of_the_answer_as_whole_words(tmp_path: Path) -> None:
    row = {"question": "Which?", "answer": "cat", "document": "A category. A cat."}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    assert load_dataset(tmp_path / "a.jsonl").questions[0].answers == (Span(14, 17),)


def test_accepts_integer_ids_including_zero(tmp_path: Path) -> None:
    rows = [{"id": n, "question": "What?", "answer": "", "document": "Tea."} for n in range(3)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert [q.id for q in load_dataset(tmp_path / "a.jsonl").questions] == ["0", "1", "2"]


def test_loads_a_table_with_files_and_offsets(tmp_path: Path) -> None:
    (tmp_path / "tea.txt").write_bytes("Tea is green.\r\nTea is hot.".encode("utf-8-sig"))
    row = {"id": "x", "question": "What is hot?", "answer": "Tea", "start": 15, "file": "tea.txt"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n\n" + json.dumps({**row, "id": "y", "answer": ""}) + "\n")
    dataset = load_dataset(tmp_path / "a.jsonl")
    assert dataset.contexts == ("Tea is green.\r\nTea is hot.",)
    assert [(q.id, q.answers) for q in dataset.questions] == [("x", (Span(15, 18),)), ("y", ())]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"question": " "}, "question is blank"),
        ({"question": None}, "question is missing"),
        ({"answer": 3}, "answer is not a string"),
        ({"answer": "coffee"}, "answer 'coffee' not found in the document"),
        ({"start": 2}, "answer 'Tea' is not at offset 2"),
        ({"start": 0.5}, "start 0.5 is not an offset"),
        ({"id": "1"}, "duplicate id '1'"),
        ({"document": ""}, "document is blank"),
        ({"file": "none.txt"}, "file 'none.txt': No such file"),
        ({"colour": "green"}, "unknown column 'colour'"),
    ],
)
def test_rejects_wrong_rows(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    good = {"id": "1", "question": "What?", "answer": "Tea", "document": "Tea is green."}
    (tmp_path / "a.jsonl").write_text(json.dumps(good) + "\n" + json.dumps({**good, "id": "2", **row}) + "\n")
    with pytest.raises(DatasetError, match=rf"a\.jsonl: line 2: {message}"):
        load_dataset(tmp_path / "a.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"question": "a"}\n{', "line 2: not JSON"),
        ("a.jsonl", "[1]", "line 1: not a JSON object"),
        ("a.csv", "question,answer,document\na,b\n", "line 2: the number of cells differs"),
        ("a.csv", 'question,answer,document\na,,"b\n', "line 2: unexpected end of data"),
        ("a.tsv", "question\tanswer\tdocument\n", "contains no questions"),
    ],
)
def test_rejects_malformed_tables(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DatasetError, match=f"{name}: {message}"):
        load_dataset(tmp_path / name)
