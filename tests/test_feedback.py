from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from qa.engine import Engine
from qa.indexing.indexer import Indexer
from qa.errors import DatasetError, InvalidInput, NotFound
from qa.evaluation.squad import load_squad
from qa.feedback import Feedback, Verdict, export_feedback, give_feedback, import_feedback, purge_feedback
from qa.types import Document, Span
from tests.conftest import labels_in

TEXT = "The mill 🌾 grinds on Mondays. The baker buys on Tuesdays."
MILL, MONDAYS, TUESDAYS = Span(4, 8), Span(21, 28), Span(48, 56)


@pytest.fixture
def library(engine: Engine) -> Indexer:
    engine.add([Document("mill", TEXT, "The mill"), Document("other", "Nothing is said here.")])
    return engine.documents


def say(library: Indexer, verdict: Verdict, span: Span | None = None, question: str = "When does it grind?") -> str:
    (id,) = give_feedback(library, [Feedback(question, "mill", verdict, span)], index="default")
    return id


def exported(library: Indexer) -> dict[str, tuple[list[str], bool]]:
    return labels_in(export_feedback(library, index="default"))


def test_the_texts_spans_are_what_they_are_called() -> None:
    assert (MILL.of(TEXT), MONDAYS.of(TEXT), TUESDAYS.of(TEXT)) == ("mill", "Mondays", "Tuesdays")


@pytest.mark.parametrize(
    ("said", "labels"),
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
def test_the_last_word_counts(
    library: Indexer, said: list[tuple[Verdict, Span | None]], labels: tuple[list[str], bool] | None
) -> None:
    for verdict, span in said:
        say(library, verdict, span)
    assert exported(library) == ({} if labels is None else {"When does it grind?": labels})


def test_a_question_is_the_same_however_it_is_spaced_or_written(library: Indexer) -> None:
    say(library, "right", TUESDAYS, "WHEN does it  grind?")
    say(library, "corrected", MONDAYS)
    assert exported(library) == {"When does it grind?": (["Mondays"], False)}


@pytest.mark.parametrize(
    ("verdict", "span", "word"),
    [
        ("right", None, "missing"),
        ("corrected", None, "missing"),
        ("unanswerable", MONDAYS, "no span"),
        ("right", Span(21, 25), "inside a word"),
        ("right", Span(50, 5000), "from 0 to"),
        ("right", Span(5, 5), "not empty"),
        ("right", Span(MONDAYS.start - 1, MONDAYS.end), "white space"),
        ("corrected", Span(MONDAYS.start - 1, MONDAYS.start), "white space"),
    ],
)
def test_what_cannot_be_a_label_is_refused(library: Indexer, verdict: Verdict, span: Span | None, word: str) -> None:
    with pytest.raises(InvalidInput, match=word) as refused:
        say(library, verdict, span)
    assert refused.value.field == "document_offset"
    assert exported(library) == {}


def test_feedback_on_what_is_not_there(library: Indexer) -> None:
    with pytest.raises(NotFound):
        give_feedback(library, [Feedback("Who?", "nowhere", "unanswerable")], index="default")
    with pytest.raises(NotFound):
        export_feedback(library, index="nowhere")


def test_all_or_none(library: Indexer) -> None:
    with pytest.raises(NotFound):
        give_feedback(
            library,
            [Feedback("Who?", "mill", "right", MILL), Feedback("Who?", "gone", "unanswerable")],
            index="default",
        )
    assert exported(library) == {}


def test_what_no_longer_holds_is_left_out_and_counted(library: Indexer) -> None:
    say(library, "right", MONDAYS)
    say(library, "unanswerable", None, "Who is the miller?")
    library.update("mill", {"title": "Another title"})
    assert len(exported(library)) == 2
    library.add([Document("mill", TEXT.replace("Tuesdays", "Fridays"))])
    assert set(exported(library)) == {"When does it grind?"}
    assert export_feedback(library, index="default")["left_out"] == 1
    library.add([Document("mill", "Now: " + TEXT)])
    assert (exported(library), export_feedback(library, index="default")["left_out"]) == ({}, 2)
    library.remove(["mill"])
    assert export_feedback(library, index="default")["left_out"] == 2


def test_purging_brings_no_overruled_label_back(library: Indexer) -> None:
    say(library, "right", MONDAYS)
    say(library, "corrected", TUESDAYS)
    say(library, "right", MILL, "What grinds?")
    library.add([Document("mill", TEXT.replace("Tuesdays", "Fridays"))])
    before = exported(library)
    assert before == {"What grinds?": (["mill"], False)}
    assert purge_feedback(library, index="default") == 2
    assert exported(library) == before


def test_a_line_that_a_crash_cut_off_is_dropped_and_nothing_else(library: Indexer) -> None:
    say(library, "right", MONDAYS)
    log = library.indexes.get("default").folder / "feedback.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + b'{"id": "half')
    assert exported(library) == {"When does it grind?": (["Mondays"], False)}
    say(library, "right", TUESDAYS, "When does the baker buy?")
    assert log.read_bytes().startswith(whole)
    assert len(exported(library)) == 2


def test_many_at_once_lose_nothing(library: Indexer) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: say(library, "right", MONDAYS, f"Question {n}?"), range(40)))
    assert len(exported(library)) == 40


def test_exported_labels_can_be_evaluated_and_imported(library: Indexer, tmp_path: Path) -> None:
    say(library, "right", MONDAYS)
    say(library, "right", MILL)
    say(library, "unanswerable", None, "Who is the miller?")
    before = exported(library)
    file = tmp_path / "labels.json"
    file.write_text(json.dumps(export_feedback(library, index="default")))
    assert {q.text: len(q.answers) for q in load_squad(file).questions} == {
        "When does it grind?": 2,
        "Who is the miller?": 0,
    }
    library.indexes.get_or_create("second")
    with pytest.raises(NotFound, match="no document has its context"):
        import_feedback(library, file, index="second")
    library.add([Document("under another id", TEXT)], index="second")
    assert import_feedback(library, file, index="second") == 2
    again: dict[str, Any] = export_feedback(library, index="second")
    assert [len(p["qas"]) for a in again["data"] for p in a["paragraphs"]] == [2]
    import_feedback(library, file, index="default")
    assert exported(library) == before


def test_wrong_labels_are_named(library: Indexer, tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    entry = {"id": "x", "question": "When?", "answers": [{"text": "Monday", "answer_start": 3}]}
    file.write_text(json.dumps({"data": [{"paragraphs": [{"context": TEXT, "qas": [entry]}]}]}))
    with pytest.raises(DatasetError, match="not at offset 3"):
        import_feedback(library, file, index="default")
    entry["answers"] = [{"text": "Mon", "answer_start": 21}]
    file.write_text(json.dumps({"data": [{"paragraphs": [{"context": TEXT, "qas": [entry]}]}]}))
    with pytest.raises(DatasetError, match="question 'x': answer 'Mon' begins or ends inside a word"):
        import_feedback(library, file, index="default")
    assert exported(library) == {}
