"""Evaluate the shipped models on small documents, from the file of labels to the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qa.engine import Engine
from qa.errors import DatasetError, InvalidInput
from qa.evaluation.dataset_loading import label_warnings, load_dataset
from qa.evaluation.datasets import Dataset
from qa.evaluation.local_systems import IndexSystem
from qa.evaluation.plan import Target, plan
from qa.evaluation.runner import check_mode, evaluate, open_local_system
from qa.evaluation.systems import Mode, sample

pytestmark = pytest.mark.slow

TEXTS = {
    "harbour.md": "# Harbour rules\n\nBoats leave the harbour before 22:00. The harbour master is Ida Voss.\n",
    "garden.md": "# Garden rules\n\nThe gate closes at 18:30. The garden warden is Tom Brandt. Dogs stay outside.\n",
}
QUESTIONS = {
    "harbour.md": [("When do boats leave the harbour?", "22:00", "text"), ("Who is in charge?", "Ida Voss", "text")],
    "garden.md": [("When does the gate close?", "18:30", "number"), ("Who is in charge?", "Tom Brandt", "text")],
}


def write(folder: Path, *, evidence: bool = False) -> Path:
    folder = folder / "rules"
    (folder / "docs").mkdir(parents=True)
    articles: list[dict[str, Any]] = []
    for file, text in TEXTS.items():
        (folder / "docs" / file).write_text(text)
        entries = []
        for number, (question, answer, kind) in enumerate(QUESTIONS[file]):
            start = text.index(answer)
            entry: dict[str, Any] = {"id": f"{file}-{number}", "question": question, "kind": kind}
            labels = {"answers": [{"text": answer, "answer_start": start}], "is_impossible": False}
            entries.append(entry | ({"evidence": [{"text": answer, "start": start}]} if evidence else labels))
        unanswerable = {"id": f"{file}-none", "question": "How deep is the lake?", "kind": "none", "answers": []}
        entries.append(unanswerable | {"is_impossible": True})
        genre = "public" if file == "garden.md" else "contracts"
        paragraphs = [{"context": text, "qas": entries}]
        articles.append({"title": file, "file": file, "genre": genre, "paragraphs": paragraphs})
    path = folder / "dev.json"
    path.write_text(json.dumps({"data": articles}))
    return path


@pytest.fixture
def rules(tmp_path: Path) -> Dataset:
    return load_dataset(write(tmp_path))


def test_loads_documents_with_the_labels_of_their_questions(rules: Dataset) -> None:
    assert rules.name == "rules-dev"
    assert [document.id for document in rules.documents] == ["contracts-harbour", "public-garden"]
    assert rules.contexts == tuple(document.text for document in rules.documents)
    assert rules.questions[2].labels == {"genre": "contracts", "kind": "none"}
    assert [rules.gold_texts(question) for question in rules.questions[:3]] == [("22:00",), ("Ida Voss",), ()]
    assert label_warnings([rules]) == []


def test_each_question_is_asked_within_its_document(shipped: Engine, rules: Dataset) -> None:
    with open_local_system(shipped, rules, Mode.WITHIN_DOCUMENT) as system:
        evaluation = evaluate(rules, Mode.WITHIN_DOCUMENT, system)
        alone = [evaluate(rules, Mode.WITHIN_DOCUMENT, system, limit).report["questions"][0] for limit in (1, 3)]
    for row in evaluation.rows:
        assert {candidate.context for candidate in row.outcome.candidates} <= {row.question.context}
        assert row.outcome.ranking is None
    report = evaluation.report
    best = {row.question.id: row.outcome.answer(forced=True) for row in evaluation.rows}
    assert (best["harbour.md-1"], best["garden.md-1"]) == ("Ida Voss", "Tom Brandt")
    assert report["metrics"]["right_guess"] == 100
    assert report["metrics"]["right_guess@worst_genre"] == 100
    assert sum(report["statuses"]["answerable"].values()) == 4
    assert sum(report["statuses"]["unanswerable"].values()) == 2
    assert {(part["by"], part["part"]) for part in report["parts"]} == {
        ("genre", "contracts"),
        ("genre", "public"),
        ("kind", "text"),
        ("kind", "number"),
        ("kind", "none"),
    }
    assert report["questions"][0]["status"] in ("answered", "unsure", "not_found")
    assert alone == [report["questions"][0]] * 2
    assert json.loads(json.dumps(report)) == json.loads(json.dumps(report, default=str))


def test_questions_on_documents_that_an_index_lacks_get_empty_outcomes(golden: Engine, rules: Dataset) -> None:
    system = IndexSystem(golden, "default", rules, Mode.WITHIN_DOCUMENT)
    report = evaluate(rules, Mode.WITHIN_DOCUMENT, system).report
    assert report["index"]["contexts_missing"] == 2
    assert report["metrics"]["right_guess"] == 0
    assert report["statuses"]["answerable"]["not_found"] == 4


def test_one_index_of_all_documents_is_asked_end_to_end(shipped: Engine, rules: Dataset) -> None:
    with open_local_system(shipped, rules, Mode.END_TO_END) as system:
        report = evaluate(rules, Mode.END_TO_END, system).report
    assert report["index"] == {"documents": 2, "passages": 2, "contexts_missing": 0}
    assert report["metrics"]["recall@5"] == 1.0
    assert report["metrics"]["right_shown"] is not None


def test_evidence_is_asked_where_it_is_labelled(shipped: Engine, tmp_path: Path) -> None:
    dataset = load_dataset(write(tmp_path, evidence=True))
    check_mode(dataset, Mode.EVIDENCE)
    with pytest.raises(DatasetError, match="rules-dev: has no short answers; use --mode evidence"):
        check_mode(dataset, Mode.WITHIN_DOCUMENT)
    with open_local_system(shipped, dataset, Mode.EVIDENCE) as system:
        report = evaluate(dataset, Mode.EVIDENCE, system).report
    assert report["metrics"]["f1"] is None
    assert report["metrics"]["evidence_f1"] is not None
    assert 0 <= report["metrics"]["no_evidence_accuracy"] <= 100
    assert len(report["questions"]) == 6
    assert all("evidence_f1" in record for record in report["questions"])


def test_modes_ask_the_questions_that_they_can_score(rules: Dataset, tmp_path: Path) -> None:
    assert sample(rules, Mode.END_TO_END, None).questions == rules.questions
    with pytest.raises(DatasetError, match="rules-dev: no document has labelled evidence"):
        check_mode(rules, Mode.EVIDENCE)
    evidence = load_dataset(write(tmp_path / "evidence", evidence=True))
    assert [question.id for question in sample(evidence, Mode.END_TO_END, None).questions] == [
        "harbour.md-none",
        "garden.md-none",
    ]
    assert [question.id for question in sample(rules, Mode.WITHIN_DOCUMENT, 2).questions] == [
        "harbour.md-0",
        "garden.md-0",
    ]


def test_a_plan_names_the_folder_of_documents_and_refuses_modes_that_a_server_cannot_answer(tmp_path: Path) -> None:
    path = write(tmp_path)
    elsewhere = (path.parent / "docs").rename(tmp_path / "files")
    with pytest.raises(DatasetError, match="docs: not a folder"):
        plan([path], Mode.WITHIN_DOCUMENT, None)
    planned = plan([path], Mode.WITHIN_DOCUMENT, 3, documents=elsewhere)
    assert len(planned.runs[0][1].documents) == 2
    with pytest.raises(InvalidInput, match="mode within-document cannot ask a server"):
        plan([path], Mode.WITHIN_DOCUMENT, 3, Target(url="http://localhost:1"), elsewhere)


def test_files_with_another_text_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path)
    (path.parent / "docs" / "garden.md").write_text("# Trains\n\nAnother text about trains.\n")
    notes = label_warnings([load_dataset(path)])
    assert notes == ["rules-dev: garden.md: not the text that the labels are in, which is used instead"]
