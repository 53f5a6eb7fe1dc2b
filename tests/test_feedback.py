from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from qa.engine import Engine
from qa.errors import DatasetError, InvalidInput, NotFound
from qa.evaluation.squad import load_squad
from qa.feedback import Feedback, Verdict, export_feedback, give_feedback, import_feedback, purge_feedback
from qa.indexing.indexer import Indexer
from qa.types import Document, Span
from tests.conftest import labels_in

TEXT = "The mill 🌾 grinds on Mondays. The baker buys on Tuesdays."
MILL, MONDAYS, TUESDAYS = Span(4, 8), Span(21, 28), Span(48, 56)


@pytest.fixture
def documents(engine: Engine) -> Indexer:
    engine.add([Document("mill", TEXT, "The mill"), Document("other", "Nothing is said here.")])
    return engine.documents


def judge(documents: Indexer, verdict: Verdict, span: Span | None = None, question: str = "When does it grind?") -> str:
    (id,) = give_feedback(documents, [Feedback(question, "mill", verdict, span)], index="default")
    return id


def exported(documents: Indexer) -> dict[str, tuple[list[str], bool]]:
    return labels_in(export_feedback(documents, index="default"))


def test_constants_are_the_spans_they_name() -> None:
    assert (MILL.of(TEXT), MONDAYS.of(TEXT), TUESDAYS.of(TEXT)) == ("mill", "Mondays", "Tuesdays")


@pytest.mark.parametrize(
    ("judgements", "labels"),
    [
        ([("right", MONDAYS)], (["Mondays"], False)),
        ([("right", MONDAYS), ("right", MONDAYS)], (["Mondays"], False)),
        ([("right", MONDAYS), ("right", TUESDAYS)], (["Mondays", "Tuesdays"], False)),
        ([("right", TUESDAYS), ("corrected", MONDAYS)], (["Mondays"], False)),
        ([("right", TUESDAYS), ("right", MONDAYS), ("wrong", TUESDAYS)], (["Mondays"], False)),
        ([("right", MONDAYS), ("unanswerable", None)], ([], True)),
        ([("unanswerable", None), ("right", MONDAYS)], (["Mondays"], False)),
        ([("wrong", MONDAYS)], None),
        ([("right", MONDAYS), ("wrong", MONDAYS)], None),
    ],
)
def test_latest_judgement_counts(
    documents: Indexer, judgements: list[tuple[Verdict, Span | None]], labels: tuple[list[str], bool] | None
) -> None:
    for verdict, span in judgements:
        judge(documents, verdict, span)
    assert exported(documents) == ({} if labels is None else {"When does it grind?": labels})


def test_questions_are_compared_without_case_and_spacing(documents: Indexer) -> None:
    judge(documents, "right", TUESDAYS, "WHEN does it  grind?")
    judge(documents, "corrected", MONDAYS)
    assert exported(documents) == {"When does it grind?": (["Mondays"], False)}


@pytest.mark.parametrize(
    ("verdict", "span", "word"),
    [
        ("right", None, "needs document_offset"),
        ("corrected", None, "needs document_offset"),
        ("unanswerable", MONDAYS, "takes no document_offset"),
        ("right", Span(21, 25), "inside a word"),
        ("right", Span(50, 5000), "from 0 to"),
        ("right", Span(5, 5), "non-empty"),
        ("right", Span(MONDAYS.start - 1, MONDAYS.end), "white space"),
        ("corrected", Span(MONDAYS.start - 1, MONDAYS.start), "white space"),
    ],
)
def test_rejects_invalid_labels(documents: Indexer, verdict: Verdict, span: Span | None, word: str) -> None:
    with pytest.raises(InvalidInput, match=word) as error:
        judge(documents, verdict, span)
    assert error.value.field == "document_offset"
    assert exported(documents) == {}


def test_rejects_unknown_documents_and_indexes(documents: Indexer) -> None:
    with pytest.raises(NotFound):
        give_feedback(documents, [Feedback("Who?", "nowhere", "unanswerable")], index="default")
    with pytest.raises(NotFound):
        export_feedback(documents, index="nowhere")


def test_stores_all_judgements_or_none(documents: Indexer) -> None:
    with pytest.raises(NotFound):
        give_feedback(
            documents,
            [Feedback("Who?", "mill", "right", MILL), Feedback("Who?", "gone", "unanswerable")],
            index="default",
        )
    assert exported(documents) == {}


def test_leaves_out_and_counts_labels_of_changed_documents(documents: Indexer) -> None:
    judge(documents, "right", MONDAYS)
    judge(documents, "unanswerable", None, "Who is the miller?")
    documents.update("mill", {"title": "Another title"})
    assert len(exported(documents)) == 2
    documents.add([Document("mill", TEXT.replace("Tuesdays", "Fridays"))])
    assert set(exported(documents)) == {"When does it grind?"}
    assert export_feedback(documents, index="default")["left_out"] == 1
    documents.add([Document("mill", "Now: " + TEXT)])
    assert (exported(documents), export_feedback(documents, index="default")["left_out"]) == ({}, 2)
    documents.remove(["mill"])
    assert export_feedback(documents, index="default")["left_out"] == 2


def test_purging_does_not_restore_overruled_labels(documents: Indexer) -> None:
    judge(documents, "right", MONDAYS)
    judge(documents, "corrected", TUESDAYS)
    judge(documents, "right", MILL, "What grinds?")
    documents.add([Document("mill", TEXT.replace("Tuesdays", "Fridays"))])
    before = exported(documents)
    assert before == {"What grinds?": (["mill"], False)}
    assert purge_feedback(documents, index="default") == 2
    assert exported(documents) == before


def test_drops_only_the_partial_line_left_by_a_crash(documents: Indexer) -> None:
    judge(documents, "right", MONDAYS)
    log = documents.indexes.get("default").folder / "feedback.jsonl"
    complete = log.read_bytes()
    log.write_bytes(complete + b'{"id": "half')
    assert exported(documents) == {"When does it grind?": (["Mondays"], False)}
    judge(documents, "right", TUESDAYS, "When does the baker buy?")
    assert log.read_bytes().startswith(complete)
    assert len(exported(documents)) == 2


def test_concurrent_writes_lose_nothing(documents: Indexer) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: judge(documents, "right", MONDAYS, f"Question {n}?"), range(40)))
    assert len(exported(documents)) == 40


def test_exported_labels_can_be_evaluated_and_imported(documents: Indexer, tmp_path: Path) -> None:
    judge(documents, "right", MONDAYS)
    judge(documents, "right", MILL)
    judge(documents, "unanswerable", None, "Who is the miller?")
    before = exported(documents)
    file = tmp_path / "labels.json"
    file.write_text(json.dumps(export_feedback(documents, index="default")))
    assert {q.text: len(q.answers) for q in load_squad(file).questions} == {
        "When does it grind?": 2,
        "Who is the miller?": 0,
    }
    documents.indexes.get_or_create("second")
    with pytest.raises(NotFound, match="no document of the index has its context"):
        import_feedback(documents, file, index="second")
    documents.add([Document("under another id", TEXT)], index="second")
    assert import_feedback(documents, file, index="second") == 2
    again: dict[str, Any] = export_feedback(documents, index="second")
    assert [len(p["qas"]) for a in again["data"] for p in a["paragraphs"]] == [2]
    import_feedback(documents, file, index="default")
    assert exported(documents) == before


def test_names_invalid_labels(documents: Indexer, tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    entry = {"id": "x", "question": "When?", "answers": [{"text": "Monday", "answer_start": 3}]}
    file.write_text(json.dumps({"data": [{"paragraphs": [{"context": TEXT, "qas": [entry]}]}]}))
    with pytest.raises(DatasetError, match="not at offset 3"):
        import_feedback(documents, file, index="default")
    entry["answers"] = [{"text": "Mon", "answer_start": 21}]
    file.write_text(json.dumps({"data": [{"paragraphs": [{"context": TEXT, "qas": [entry]}]}]}))
    with pytest.raises(DatasetError, match="question 'x': answer 'Mon' starts or ends inside a word"):
        import_feedback(documents, file, index="default")
    assert exported(documents) == {}
