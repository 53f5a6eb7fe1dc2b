from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from qa.errors import DatasetError
from qa.models.model_folder import WEIGHTS
from qa.models.tokenization import load_tokenizer
from qa.training.data.examples import Source
from qa.training.data.passage_examples import is_held_out_file
from qa.training.data.reader_questions import Sampling, TrainingQuestion, load_questions
from tests.training.labelled_files import CONTEXTS, FILES, document_text, write_documents, write_squad

TOKENIZER = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
DOCUMENTS = Source("labels.json", documents="docs")


def load(
    folder: Path, *sources: Source, measured_with: list[Path] | None = None, **changes: float
) -> list[TrainingQuestion]:
    settings = {"seed": 1, "held_out_percent": 12, "negatives": 0, "wrong_share": 0.0, "titled_share": 0.0} | changes
    return load_questions(folder, sources, measured_with or [], TOKENIZER, Sampling(**settings))  # type: ignore[arg-type]


def texts(questions: list[TrainingQuestion]) -> set[str]:
    return {example.passage.text for question in questions for example in question.passages}


def test_passages_of_documents_have_their_labels(tmp_path: Path) -> None:
    write_documents(tmp_path, FILES)
    questions = load(tmp_path, DOCUMENTS, wrong_share=1.0)
    assert all(question.on_document for question in questions)
    by_text: dict[str, list[TrainingQuestion]] = {}
    for question in questions:
        by_text.setdefault(question.passages[0].question, []).append(question)
    for question in by_text["How often does the belt need oil?"]:
        first, second = question.passages
        assert first.answers
        (answer,) = [span.of(first.passage.text) for span in first.answers]
        assert re.fullmatch(r"every \d+ weeks", answer)
        assert answer not in second.passage.text
        marked = [unit.of(first.passage.text) for unit, answers in first.evidence if answers]
        assert [text.endswith(f"{answer}.") for text in marked] == [True]
        assert second.answers == ()
        assert second.evidence
        assert not any(answers for _, answers in second.evidence)
    for question in by_text["How is the belt oiled?"]:
        first = question.passages[0]
        # The place of a short answer is not labelled, but that of the evidence is.
        assert first.answers is None
        assert [unit.of(first.passage.text) for unit, answers in first.evidence if answers] == [
            "Use thin oil.",
            "Wear gloves.",
        ]
    assert all(example.answers == () for q in by_text["Who sells oil for the belt?"] for example in q.passages)


def test_held_out_documents_and_evaluation_texts_are_not_trained_on(tmp_path: Path) -> None:
    files = [f"pump{n}-manual.txt" for n in range(12)]
    write_documents(tmp_path, files)
    write_squad(tmp_path / "plain.json", CONTEXTS[:20])
    kept = {document_text(file) for file in files if not is_held_out_file(file, 50)}
    assert 0 < len(kept) < len(files)
    assert texts(load(tmp_path, DOCUMENTS, held_out_percent=50)) == kept
    write_squad(tmp_path / "dev.json", [max(kept).upper(), CONTEXTS[3]])
    measured = [tmp_path / "dev.json"]
    questions = load(tmp_path, DOCUMENTS, Source("plain.json"), measured_with=measured, held_out_percent=50)
    assert texts(questions) & {document_text(file) for file in files} == kept - {max(kept)}
    assert CONTEXTS[3] not in texts(questions)
    assert texts(questions) & set(CONTEXTS)


def test_versions_of_a_document_are_on_the_same_side() -> None:
    assert {
        is_held_out_file(f"{name}.md", 50) for name in ("pump-guide-2023", "pump_guide_2024", "Pump guide (draft)")
    } in (
        {True},
        {False},
    )
    share = sum(is_held_out_file(f"manual{n}-pump.md", 12) for n in range(4000)) / 4000
    assert share == pytest.approx(0.12, abs=0.02)


def test_passes_limit_and_answerability_select_questions(tmp_path: Path) -> None:
    write_documents(tmp_path, FILES)
    whole = load(tmp_path, DOCUMENTS)
    assert len(whole) == 3 * len(FILES)
    assert len(load(tmp_path, Source("labels.json", documents="docs", passes=2.5))) == 2.5 * len(whole)
    assert len(load(tmp_path, Source("labels.json", 4, documents="docs"))) == 4
    unanswerable = load(tmp_path, Source("labels.json", None, False, documents="docs"))
    assert Counter(q.passages[0].question for q in unanswerable) == {"Who sells oil for the belt?": len(FILES)}
    assert load(tmp_path, Source("labels.json", 4, documents="docs")) == load(
        tmp_path, Source("labels.json", 4, documents="docs")
    )
    with pytest.raises(DatasetError, match="name the folder of the documents"):
        load(tmp_path, Source("labels.json", documents="none"))


def test_plain_contexts_get_weak_evidence_titles_and_negatives(tmp_path: Path) -> None:
    context = "Ann came first. She opened shop 7 in 1907. Ben came later. It rained. The shop closed."
    entry = {
        "id": "1",
        "question": "When did shop 7 open?",
        "answers": [{"text": "1907", "answer_start": context.index("1907")}],
    }
    article = {"title": "Shops_of_Ann", "paragraphs": [{"context": context, "qas": [entry]}]}
    other = {
        "title": "Rain",
        "paragraphs": [
            {
                "context": "When shop 9 opened, it rained.",
                "qas": [
                    {**entry, "id": "2", "question": "What rained?", "answers": [{"text": "it", "answer_start": 20}]}
                ],
            }
        ],
    }
    (tmp_path / "plain.json").write_text(json.dumps({"data": [article, other]}))
    source = Source("plain.json", titled=True)
    questions = load(tmp_path, source, held_out_percent=0, negatives=1, titled_share=1.0)
    assert not any(question.on_document for question in questions)
    (question,) = [q for q in questions if q.passages[0].question == entry["question"]]
    example = question.passages[0]
    assert example.titles == "Shops of Ann."
    marks = {unit.of(context): answers for unit, answers in example.evidence}
    # The neighbours of the answer's sentence may help, so they are not labelled.
    assert marks == {"She opened shop 7 in 1907.": True, "It rained.": False, "The shop closed.": False}
    (negative,) = [q.passages[1] for q in questions if len(q.passages) > 1]
    assert negative.answers == ()
    assert negative.titles
    assert not any(answers for _, answers in negative.evidence)
    assert {q.passages[0].titles for q in load(tmp_path, source, held_out_percent=0)} == {""}
