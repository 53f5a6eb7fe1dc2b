from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from qa.errors import DatasetError
from qa.evaluation.labelled_documents import LabelledDocument, load_documents, names_files
from tests.conftest import shared

CONTEXT = (
    "Opening hours\n\nDay | Opens\n\nMonday | nine o'clock\n\nTuesday | ten o'clock\n\n"
    "Closed in August. Ring first.\n\n* Cash only."
)
PAGE = (
    "<html><head><title>Hours of the pool</title></head><body><h1>Opening hours</h1><table><tr><th>Day</th>"
    "<th>Opens</th></tr><tr><td>Monday</td><td>nine o'clock</td></tr><tr><td>Tuesday</td><td>ten o'clock</td></tr>"
    "</table><p>Closed in August. Ring first.</p><ul><li>Cash only.</li></ul></body></html>"
)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def label(text: str, start_key: str = "start") -> dict[str, Any]:
    return {"text": text, start_key: CONTEXT.index(text)}


def question(id: str, *answers: str, **more: Any) -> dict[str, Any]:
    labels = [label(text, "answer_start") for text in answers]
    return {"id": id, "question": f"Question {id}?", "answers": labels, "is_impossible": not answers, **more}


def write(folder: Path, *questions: dict[str, Any], **article: Any) -> Path:
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs" / "hours.html").write_text(PAGE)
    paragraph = {"context": CONTEXT, "qas": list(questions)}
    named = {"title": "Hours", "genre": "public", "file": "hours.html", "paragraphs": [paragraph], **article}
    path = folder / "set.json"
    path.write_text(json.dumps({"data": [named]}))
    return path


def test_labels_are_found_again_in_the_extracted_text(tmp_path: Path) -> None:
    evidence = [label("Monday | nine o'clock"), label("Closed in August."), label("* Cash only.")]
    items = [label("Monday"), label("Tuesday")]
    path = write(
        tmp_path,
        question("a", "nine o'clock", kind="table", style="keywords", evidence=evidence, items=items),
        question("b"),
    )
    (loaded,) = load_documents(path)
    text = loaded.document.text
    assert (loaded.extracted, loaded.file, loaded.genre, loaded.lost) == (True, "hours.html", "public", ())
    assert (loaded.document.id, loaded.document.title) == ("public-hours", "Hours of the pool")
    assert loaded.document.uri == "hours.html"
    assert loaded.document.tables
    assert text != CONTEXT
    first, second = loaded.questions
    assert [span.of(text) for span in first.answers] == ["nine o'clock"]
    assert [span.of(text) for span in first.evidence] == ["Monday | nine o'clock", "Closed in August.", "Cash only."]
    assert [span.of(text) for span in first.items] == ["Monday", "Tuesday"]
    assert (first.kind, first.style, first.answerable) == ("table", "keywords", True)
    assert (second.answers, second.evidence, second.kind, second.answerable) == ((), (), "", False)


def test_a_question_with_evidence_alone_is_answerable(tmp_path: Path) -> None:
    entry = question("a", evidence=[label("Ring first.")]) | {"is_impossible": False}
    (loaded,) = load_documents(write(tmp_path, entry))
    assert loaded.questions[0].answerable
    assert loaded.questions[0].answers == ()


def test_a_question_whose_answer_is_not_in_the_text_any_more_is_listed_as_lost(tmp_path: Path) -> None:
    path = write(tmp_path, question("a", "nine o'clock"), question("b", "ten o'clock"), question("c", "Ring first."))
    page = tmp_path / "docs" / "hours.html"
    page.write_text(page.read_text().replace("ten o'clock", "noon"))
    (loaded,) = load_documents(path)
    assert [q.id for q in loaded.questions] == ["a", "c"]
    assert loaded.lost == ("b",)


@pytest.mark.parametrize("content", [None, "<html><body><p>A different page about trains.</p></body></html>"])
def test_a_file_that_is_missing_or_has_another_text_leaves_the_labelled_text(
    tmp_path: Path, content: str | None
) -> None:
    path = write(tmp_path, question("a", "nine o'clock"))
    page = tmp_path / "docs" / "hours.html"
    page.unlink()
    if content is not None:
        page.write_text(content)
    (loaded,) = load_documents(path)
    assert (loaded.extracted, loaded.document.text, loaded.document.title) == (False, CONTEXT, "Hours")
    assert loaded.questions[0].answers[0].of(CONTEXT) == "nine o'clock"


def test_another_folder_can_hold_the_documents(tmp_path: Path) -> None:
    path = write(tmp_path, question("a", "nine o'clock"))
    moved = (tmp_path / "docs").rename(tmp_path / "elsewhere")
    assert load_documents(path, moved)[0].extracted
    with pytest.raises(DatasetError, match="docs: not a folder"):
        load_documents(path)


def test_questions_of_two_documents_with_one_name_keep_distinct_ids(tmp_path: Path) -> None:
    path = write(tmp_path, question("a", "nine o'clock"))
    articles = json.loads(path.read_text())["data"]
    path.write_text(json.dumps({"data": [*articles, articles[0] | {"genre": "office"}]}))
    assert [document.questions[0].id for document in load_documents(path)] == ["a", "office-hours:a"]


def test_rejects_repeated_questions_and_labels_that_do_not_match_the_text(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="question 'public-hours:a': duplicate id"):
        load_documents(write(tmp_path, question("a"), question("a"), question("a")))
    wrong = question("a") | {"evidence": [{"text": "Monday", "start": 3}]}
    with pytest.raises(DatasetError, match="question 'a': evidence: 'Monday' is not at offset 3"):
        load_documents(write(tmp_path, wrong))
    with pytest.raises(DatasetError, match="not a file of labelled documents"):
        load_documents(write(tmp_path, question("a"), paragraphs=[]))


def test_only_articles_that_name_files_are_labelled_documents() -> None:
    assert names_files([{"file": "a.md", "paragraphs": []}])
    assert not names_files([{"title": "a", "paragraphs": []}])
    assert not names_files([])


@pytest.mark.parametrize("name", ["practice", "reference"])
def test_labels_of_real_documents_are_found_again_with_the_same_words(name: str) -> None:
    path = shared(f"{name}/dev.json")
    documents = load_documents(path)
    assert all(document.extracted for document in documents)
    entries = [entry for article in json.loads(path.read_text())["data"] for entry in article["paragraphs"][0]["qas"]]
    found = {
        question.id: [span.of(document.document.text) for span in question.answers]
        for document in documents
        for question in document.questions
    }
    same = [
        [words(answer["text"]) for answer in entry["answers"]] == [words(text) for text in found.get(entry["id"], [])]
        for entry in entries
    ]
    assert sum(same) >= 0.99 * len(entries)


def test_evidence_on_the_documents_of_another_set_is_found_again() -> None:
    documents: tuple[LabelledDocument, ...] = load_documents(shared("evidence/dev.json"), shared("practice/docs"))
    questions = [question for document in documents for question in document.questions]
    assert len(questions) == 424
    assert sum(not question.answerable for question in questions) == 85
    assert all(len(question.items) >= 2 for question in questions if question.kind == "list")
