from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qa.errors import DatasetError
from qa.evaluation.beir import corpus
from qa.evaluation.dataset_loading import label_warnings, load_dataset, summary
from qa.evaluation.datasets import Dataset
from qa.evaluation.squad import load_squad
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
        ([entry(), entry()], "question '1': this id occurs twice"),
        ([{"id": "1"}], "question '1': not in the SQuAD layout"),
        ([{"question": "What?", "answers": []}], "question no. 1: not in the SQuAD layout"),
        ([entry(question=" ")], "question '1': question: the question is blank"),
        ([entry(question="x" * 2001)], "question '1': question: at most 2,000 characters"),
        ([{**entry(is_impossible=False), "answers": []}], "question '1': it has no answers"),
        ([], "no question"),
    ],
)
def test_wrong_labels_are_named(tmp_path: Path, entries: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(DatasetError, match=f"a.json: .*{says}"):
        load_squad(write(tmp_path / "a.json", *entries))


def test_every_wrong_label_is_named_at_once(tmp_path: Path) -> None:
    wrong = [entry(str(n), start=n % 5) for n in range(30)]
    with pytest.raises(DatasetError) as caught:
        load_squad(write(tmp_path / "a.json", entry("right"), *wrong))
    lines = caught.value.message.splitlines()
    assert len(lines) == 21
    assert all("a.json: question" in line for line in lines[:20])
    assert lines[-1].endswith("and 10 more")


@pytest.mark.parametrize("content", ["[]", "{}", "\x00", '{"data": [{}]}', '{"data": 3}'])
def test_what_is_not_squad_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DatasetError, match=r"a\.json: not a SQuAD JSON file"):
        load_squad(tmp_path / "a.json")


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.jsonl"])
def test_an_empty_file_and_one_that_is_not_text_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b" \n")
    with pytest.raises(DatasetError, match=f"{name}: the file is empty"):
        load_dataset(tmp_path / name)
    (tmp_path / name).write_bytes(b"ab\xff")
    with pytest.raises(DatasetError, match=rf"{name}: not UTF-8 \(byte 2\)"):
        load_dataset(tmp_path / name)


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


def test_a_table_with_documents(tmp_path: Path) -> None:
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


def test_line_ends_and_long_cells_of_a_table_are_kept(tmp_path: Path) -> None:
    document = "Tea is green.\r\nTea is hot.\r\n" + "x" * 200_000
    (tmp_path / "a.csv").write_bytes(f'question,answer,start,document\nWhat is hot?,Tea,15,"{document}"\n'.encode())
    dataset = load_dataset(tmp_path / "a.csv")
    assert dataset.contexts == (document,)
    assert dataset.questions[0].answers == (Span(15, 18),)


def test_an_answer_inside_a_word_only_counts_where_there_is_no_other(tmp_path: Path) -> None:
    row = {"question": "Which?", "answer": "cat", "document": "A category. A cat."}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    assert load_dataset(tmp_path / "a.jsonl").questions[0].answers == (Span(14, 17),)


def test_ids_from_zero_on(tmp_path: Path) -> None:
    rows = [{"id": n, "question": "What?", "answer": "", "document": "Tea."} for n in range(3)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert [q.id for q in load_dataset(tmp_path / "a.jsonl").questions] == ["0", "1", "2"]


def test_a_table_of_files_and_offsets(tmp_path: Path) -> None:
    (tmp_path / "tea.txt").write_bytes("Tea is green.\r\nTea is hot.".encode("utf-8-sig"))
    row = {"id": "x", "question": "What is hot?", "answer": "Tea", "start": 15, "file": "tea.txt"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n\n" + json.dumps({**row, "id": "y", "answer": ""}) + "\n")
    dataset = load_dataset(tmp_path / "a.jsonl")
    assert dataset.contexts == ("Tea is green.\r\nTea is hot.",)
    assert [(q.id, q.answers) for q in dataset.questions] == [("x", (Span(15, 18),)), ("y", ())]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"question": " "}, "question is blank"),
        ({"question": None}, "question is missing"),
        ({"answer": 3}, "answer is not a text"),
        ({"answer": "coffee"}, "answer 'coffee' does not stand in the document"),
        ({"start": 2}, "answer 'Tea' is not at offset 2"),
        ({"start": 0.5}, "start 0.5 is not an offset"),
        ({"id": "1"}, "id '1' occurs twice"),
        ({"document": ""}, "document is blank"),
        ({"file": "none.txt"}, "file 'none.txt': No such file"),
        ({"colour": "green"}, "unknown column 'colour'"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    good = {"id": "1", "question": "What?", "answer": "Tea", "document": "Tea is green."}
    (tmp_path / "a.jsonl").write_text(json.dumps(good) + "\n" + json.dumps({**good, "id": "2", **row}) + "\n")
    with pytest.raises(DatasetError, match=rf"a\.jsonl: line 2: {says}"):
        load_dataset(tmp_path / "a.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", '{"question": "a"}\n{', "line 2: not JSON"),
        ("a.jsonl", "[1]", "line 1: not a JSON object"),
        ("a.csv", "question,answer,document\na,b\n", "line 2: not as many cells"),
        ("a.csv", 'question,answer,document\na,,"b\n', "line 2: unexpected end of data"),
        ("a.tsv", "question\tanswer\tdocument\n", "no question"),
    ],
)
def test_broken_tables_are_named(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DatasetError, match=f"{name}: {says}|{name}: holds {says}"):
        load_dataset(tmp_path / name)


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


def test_a_beir_folder(tmp_path: Path) -> None:
    dataset = load_dataset(beir(tmp_path / "tea"))
    assert (dataset.name, dataset.has_spans, dataset.has_unanswerable) == ("tea", False, False)
    assert dataset.contexts == ("Tea\n\nIt is green.", "Milk.")
    assert [(q.id, q.relevant) for q in dataset.questions] == [("q1", {0: 2})]


def test_texts_of_a_folder_that_asks_nothing(tmp_path: Path) -> None:
    line = '{"_id": "%s", "title": "Tea", "text": "It is green."}\n'
    (tmp_path / "corpus.jsonl").write_text(line % "d1" + '{"_id": "d2", "text": "Milk."}\n' + line % "d3")
    assert corpus(tmp_path) == (["Tea\n\nIt is green.", "Milk."], {"d1": 0, "d2": 1, "d3": 0})


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("corpus.jsonl", '{"_id": "d1"}', "corpus.jsonl: line 1: 'text' is missing"),
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n' * 2, "corpus.jsonl: line 2: id 'd1' occurs twice"),
        ("queries.jsonl", "{", "queries.jsonl: line 1: not JSON"),
        ("qrels/test.tsv", "q1\td9\t1\n", "test.tsv: line 1: there is no document 'd9'"),
        ("qrels/test.tsv", "q1\td1\n", "test.tsv: line 1: not query-id, corpus-id and score"),
        ("qrels/test.tsv", "q1\td1\t0\n", "test.tsv: holds no question"),
    ],
)
def test_broken_beir_folders_are_named(tmp_path: Path, name: str, content: str, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        load_dataset(beir(tmp_path / "tea", **{name: content}))


@pytest.mark.parametrize("name", ["wikiqa_dev", "cranfield", "cisi"])
def test_the_retrieval_folders_load(name: str) -> None:
    dataset = load_dataset(shared("retrieval", name))
    assert dataset.questions
    assert all(question.relevant for question in dataset.questions)


def test_contrary_labels_and_texts_that_differ_in_case_alone_are_told(tmp_path: Path) -> None:
    asked = entry("1")
    contrary = {**entry("2"), "answers": [], "is_impossible": True}
    one = load_squad(write(tmp_path / "one.json", asked, contrary))
    assert "one: 1 questions are both answerable and unanswerable by the same context" in label_warnings([one])
    other = Dataset("other", tuple(f" {text.upper()}  " for text in one.contexts), one.questions[1:])
    assert label_warnings([one, other])[-1] == "one and other share 1 contexts"
    assert summary(one) == "one: 2 questions, 1 contexts, 1 unanswerable"


def test_what_misleads_is_told(tmp_path: Path) -> None:
    one = load_squad(write(tmp_path / "one.json", entry(), entry("2"), entry("3", text="gree")))
    other = load_squad(write(tmp_path / "other.json", entry()))
    assert label_warnings([one, other]) == [
        "one: 2 questions are asked again of the same context",
        "one: 1 questions have a gold answer that begins or ends inside a word",
        "one and other share 1 contexts",
    ]
    assert label_warnings([other]) == []
