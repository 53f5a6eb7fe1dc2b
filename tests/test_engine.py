"""Guarantees about answers, tested on the sample documents with the shipped models."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa import errors
from qa.engine import Engine
from qa.errors import Changed, InvalidInput, NotFound
from qa.reading.early_stopping import MAX_PASSAGES_READ, ROUND_SIZES
from qa.reading.selection import is_yes_no_question
from qa.results import QueryResult
from qa.types import Document, Mark
from tests.conftest import golden_articles, golden_documents

TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in golden_documents()}
QUESTIONS = [(article["title"], q) for article in golden_articles() for q in article["paragraphs"][0]["qas"]]


def without_timings(result: QueryResult) -> QueryResult:
    return replace(result, query_id="", timings_ms={})


def assert_verbatim(result: QueryResult, texts: dict[str, str]) -> None:
    guesses = [result.best_guess] if result.best_guess else []
    for answer in [*result.answers, *guesses, *result.alternatives]:
        text = texts[answer.document_id]
        start, end = answer.span.start, answer.span.end
        assert text[start:end] == answer.text != ""
        assert answer.context_span.of(answer.context) == answer.text
        assert answer.context in text
        assert all(s.span.of(texts[s.document_id]).casefold() == answer.text.casefold() for s in answer.support)
        assert not (text[start - 1 : start].isalnum() and text[start].isalnum())
        assert not (text[end - 1].isalnum() and text[end : end + 1].isalnum())
        graphemes = {0, *(match.end() for match in regex.finditer(r"\X", text))}
        assert {start, end} <= graphemes


@pytest.mark.slow
def test_answers_are_verbatim_and_sorted(golden_guesses: list[QueryResult]) -> None:
    for result in golden_guesses:
        assert_verbatim(result, TEXTS)
        scores = [a.score for a in result.answers]
        confidences = [a.confidence for a in result.answers]
        assert scores == sorted(scores, reverse=True)
        assert confidences == sorted(confidences, reverse=True)
        assert len({(a.document_id, a.span) for a in result.answers}) == len(result.answers)


@pytest.mark.parametrize("threshold", [None, 0.02])
@pytest.mark.slow
def test_status_follows_from_the_confidence_of_the_best_answer(
    golden: Engine, golden_guesses: list[QueryResult], threshold: float | None
) -> None:
    calibrated = golden.calibration.query
    scale = calibrated if threshold is None else replace(calibrated, threshold=threshold)
    engine = Engine(golden.documents, golden.reader, replace(golden.calibration, query=scale))
    decided = engine.ask_batch([q["question"] for _, q in QUESTIONS[::4]], top_k=5)
    assert {result.status for result in decided} == {"answered", "unsure", "not_found"}
    for result, guesses in zip(decided, golden_guesses[::4], strict=True):
        best, *others = guesses.answers
        if result.has_answer and result.answers[0].kind == "evidence":
            assert scale.status(best.confidence) != "answered" or is_yes_no_question(result.question)
            assert result.evidence[0].score >= scale.evidence.threshold
            continue
        assert result.status == scale.status(best.confidence)
        assert result.has_answer == (result.status == "answered")
        if result.has_answer:
            # The threshold applies to further answers only.
            assert result.answers == (best, *(a for a in others if a.confidence >= scale.threshold))
            assert (result.best_guess, result.alternatives, result.passages) == (None, (), ())
        else:
            assert (result.answers, result.best_guess) == ((), best)
            # With as many alternatives as answers, there is one candidate more.
            assert list(result.alternatives[: len(others)]) == others
            assert len(result.passages) == 3
            assert_verbatim(result, TEXTS)
    if threshold == 0.02:
        assert any(len(result.answers) > 1 for result in decided)


def test_without_an_answer_there_is_a_best_guess(golden: Engine) -> None:
    result = golden.ask("When does the library open?", min_confidence=1.0)
    assert (result.has_answer, result.answers) == (False, ())
    assert result.status in ("unsure", "not_found")
    assert result.best_guess is not None
    assert result.best_guess.confidence < 1.0
    unfiltered = golden.ask("When does the library open?", min_confidence=0.0)
    assert unfiltered.status == "answered"
    assert unfiltered.best_guess is None
    assert unfiltered.answers == (result.best_guess, *result.alternatives[:2])


def test_alternatives_of_a_text_have_their_page_and_section(golden: Engine) -> None:
    text = "Ann opened the mill. Ben ran it, and Carl sold it."
    result = golden.read("Who ran the mill?", text, min_confidence=1.0, marks=(Mark(0, 4, "History"),))
    assert len(result.alternatives) >= 2
    assert {(answer.page, answer.section) for answer in result.alternatives} == {(4, "History")}
    assert all(answer.span.of(text) == answer.text for answer in result.alternatives)


@pytest.mark.parametrize("bound", [-0.1, 1.1, float("nan")])
def test_rejects_a_minimum_confidence_out_of_range(golden: Engine, bound: float) -> None:
    with pytest.raises(InvalidInput, match="min_confidence must be from 0 to 1") as ask_error:
        golden.ask("When does the library open?", min_confidence=bound)
    with pytest.raises(InvalidInput, match="min_confidence must be from 0 to 1") as read_error:
        golden.read("When does it open?", "It opens at nine.", min_confidence=bound)
    assert ask_error.value.field == read_error.value.field == "min_confidence"


@pytest.mark.slow
def test_results_are_the_same_alone_batched_and_after_a_restart(golden: Engine) -> None:
    questions = [q["question"] for _, q in QUESTIONS[::20]]
    batched = golden.ask_batch(questions, include_passages=True)
    single = [golden.ask(question, include_passages=True) for question in questions]
    golden.indexes.get("default").derived.discard()
    restarted = golden.in_folder(golden.indexes.folder)
    repeated = restarted.ask_batch(questions, include_passages=True)
    reranked = [result.hits for result in restarted.search_batch(questions, rerank=True)]
    restarted.close()
    for results in zip(batched, single, repeated, strict=True):
        first, second, third = map(without_timings, results)
        assert first == second == third
    assert [golden.search(question, rerank=True).hits for question in questions] == reranked


def test_reranked_hits_do_not_depend_on_their_number(golden: Engine) -> None:
    question = QUESTIONS[0][1]["question"]
    assert list(golden.search(question, top_k=40, rerank=True).hits[:3]) == list(
        golden.search(question, top_k=3, rerank=True).hits
    )


@pytest.mark.slow
def test_stops_reading_when_the_remaining_passages_cannot_win(golden: Engine) -> None:
    def ask(stop_margin: float | None) -> list[QueryResult]:
        calibration = golden.calibration
        if stop_margin is not None:
            calibration = replace(calibration, stop_margin=stop_margin)
        engine = Engine(golden.documents, golden.reader, calibration)
        return engine.ask_batch([q["question"] for _, q in QUESTIONS[::10]], min_confidence=0.0, include_passages=True)

    hasty, shipped, thorough = ask(-math.inf), ask(None), ask(math.inf)
    assert {len(result.passages) for result in hasty} == {ROUND_SIZES[0]}
    assert {len(result.passages) for result in thorough} == {MAX_PASSAGES_READ}
    counts = [len(result.passages) for result in shipped]
    assert ROUND_SIZES[0] < sum(counts) / len(counts) < MAX_PASSAGES_READ
    agreements = []
    for stopped, full in zip(shipped, thorough, strict=True):
        assert list(stopped.passages) == list(full.passages)[: len(stopped.passages)]
        agreements.append(stopped.answers[0].span == full.answers[0].span)
    assert sum(agreements) >= 0.9 * len(agreements)


def test_results_name_index_generation_and_revision(engine: Engine) -> None:
    engine.add([Document("a", "The kettle is blue."), Document("b", "The cup is red.")])
    result = engine.ask("What colour is the kettle?", min_confidence=0.0)
    assert (result.index, result.generation, result.revision) == ("default", 1, 2)
    assert result.answers[0].text == "blue"


def test_an_empty_index_has_nothing_to_search(engine: Engine) -> None:
    result = engine.ask("What colour is the kettle?")
    assert (result.status, result.has_answer, result.passages) == ("nothing_to_search", False, ())
    assert (result.answers, result.best_guess, result.no_answer_score) == ((), None, 1.0)
    engine.add([Document("a", "The kettle is blue.")])
    assert engine.ask("What colour is the kettle?", min_confidence=0.0).status == "answered"
    engine.remove("a")
    assert engine.ask("What colour is the kettle?").status == "nothing_to_search"


def test_a_filter_that_no_document_meets_leaves_nothing_to_search(engine: Engine) -> None:
    engine.add([Document("a", "The kettle is blue.", meta={"year": 2020}), Document("b", "The cup is red.")])

    def status(**filters: object) -> str:
        # The question shares no word with the documents.
        return engine.ask("Who discovered penicillin?", filters=filters).status

    assert [status(year=2021), status(document_id="c"), status(year=2020, document_id="b")] == ["nothing_to_search"] * 3
    assert "nothing_to_search" not in {status(), status(year=2020), status(document_id="b")}


def test_adding_a_document_again_leaves_it_unchanged_or_replaces_it(engine: Engine) -> None:
    def change(text: str) -> str:
        return engine.add([Document("a", text)])[0].change

    assert [change(t) for t in ("The kettle is blue.", "The kettle is blue.", "The kettle is green.")] == [
        "created",
        "unchanged",
        "replaced",
    ]
    assert engine.ask("What colour is the kettle?", min_confidence=0.0).answers[0].text == "green"


def test_a_document_is_found_by_its_current_title(engine: Engine) -> None:
    engine.add([Document("b", "It is open from nine to five.", "The museum of bells"), Document("t", "Tea is green.")])
    question = "When is the lighthouse open?"
    (before,) = [hit for hit in engine.search(question).hits if hit.passage.document_id == "b"]
    engine.documents.update("b", {"title": "The lighthouse"})
    (after,) = [hit for hit in engine.search(question).hits if hit.passage.document_id == "b"]
    assert after.lexical > before.lexical
    assert after.dense > before.dense
    assert (after.title, after.passage.text) == ("The lighthouse", "It is open from nine to five.")
    # The cosine equals that of an index that never had the old title; BM25 statistics still count replaced passages.
    fresh = engine.in_folder(engine.indexes.folder.parent / "fresh")
    fresh.indexes.get_or_create("default")
    fresh.add([Document("b", "It is open from nine to five.", "The lighthouse"), Document("t", "Tea is green.")])
    assert [hit.dense for hit in fresh.search(question).hits if hit.title] == [after.dense]
    fresh.close()


def test_titles_are_read_but_never_answers(engine: Engine) -> None:
    text = "It is open from nine to five."
    titles = ("The museum of bells", "The swimming hall", "The town library", "The castle")
    engine.add([Document(title, text, title) for title in titles])
    for title in titles:
        (first, *_) = engine.ask(f"When is {title.lower()} open?", min_confidence=0).answers
        assert first.document_id == title
        assert "nine to five" in first.text
        for answer in engine.ask("What is open from nine to five?", min_confidence=0, top_k=10).answers:
            assert text[answer.span.start : answer.span.end] == answer.text


def test_concurrent_updates_keep_both_changes(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.add([Document("b", "It is open from nine to five.", "Bells")])
    first = engine.documents.get("b")[1].sha256
    prepare, prepared_titles = engine.documents._prepare, []

    def prepare_during_an_update(documents: Sequence[Document]) -> object:
        prepared_titles.append(documents[0].title)
        if len(prepared_titles) == 1:
            engine.documents.update("b", {"meta": {"kind": "museum"}})
        return prepare(documents)

    monkeypatch.setattr(engine.documents, "_prepare", prepare_during_an_update)
    updated = engine.documents.update("b", {"title": "Clocks"})
    assert prepared_titles == ["Clocks", "Clocks"]
    assert (updated.title, updated.meta) == ("Clocks", {"kind": "museum"})
    with pytest.raises(Changed, match="has changed"):
        engine.documents.update("b", {"title": "Bells"}, expected_hashes={first})


def test_only_documents_that_match_the_filter_answer(engine: Engine) -> None:
    engine.add([Document(c, f"The kettle is {c}.", meta={"colour": c}) for c in ("blue", "green", "red")])
    for colour in ("green", "red"):
        result = engine.ask("What colour is the kettle?", filters={"colour": colour}, min_confidence=0.0, top_k=5)
        assert {a.document_id for a in result.answers} == {colour}


def test_long_texts_are_read_in_windows(shipped: Engine) -> None:
    filler = "The committee met again and talked about many things without deciding anything. " * 120
    text = filler + "The bridge was opened by Queen Astrid in 1931. " + filler
    result = shipped.read("Who opened the bridge?", text, min_confidence=0.0)
    assert result.answers[0].text == "Queen Astrid"
    assert_verbatim(result, {"": text})


PIECES = st.sampled_from(
    ["The mayor of Harwick is Ana Ruiz. ", "\r\n", "\t", "👩‍👩‍👧 ", "cafe\u0301 ", "שלום ", "x" * 400, "\n\n",
     "नमस्ते", "🇬🇧", "The mayor of Harwick is Ana Ruiz. ", "1931", " | a | b |\n", "\u200d"]
)  # fmt: skip


@given(st.lists(PIECES, min_size=1, max_size=12).map("".join).filter(str.strip))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_answers_from_any_text_are_verbatim(
    shipped: Engine, tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    engine = shipped.in_folder(tmp_path_factory.mktemp("any"))
    engine.indexes.get_or_create("default")
    engine.add([Document("d", text)])
    assert_verbatim(engine.ask("Who is the mayor of Harwick?", min_confidence=0.0, top_k=10), {"d": text})
    assert_verbatim(shipped.read("Who is the mayor of Harwick?", text, min_confidence=0.0, top_k=10), {"": text})
    engine.close()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"question": " \n"}, "question"),
        ({"question": "x" * 100_000}, "question"),
        ({"question": "a\0b"}, "question"),
        ({"question": "a\ud800b"}, "question"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": -1}, "top_k"),
        ({"top_k": 10**9}, "top_k"),
        ({"index": "../x"}, "index"),
        ({"filters": {"a": [["b"]]}}, "filters.a"),
    ],
)
def test_errors_name_the_field(golden: Engine, options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=field.split(".")[0]) as error:
        golden.ask(**{"question": "Who?", **options})
    assert error.value.field == field


def test_rejects_unknown_indexes_and_documents(golden: Engine) -> None:
    with pytest.raises(NotFound, match="index 'other' not found"):
        golden.ask("Who?", index="other")
    with pytest.raises(NotFound, match="document 'x' not found"):
        golden.documents.get("x")
    with pytest.raises(NotFound, match="document 'x' not found"):
        golden.remove(["nato-iraq", "x"])
    assert golden.documents.get("nato-iraq")[0].text == TEXTS["nato-iraq"]


def test_asking_and_adding_import_neither_torch_nor_transformers(tmp_path: Path) -> None:
    script = (
        "import sys, qa\n"
        "from qa.types import Document\n"
        f"engine = qa.open({str(tmp_path)!r})\n"
        "engine.add([Document('a', 'The kettle is blue.')])\n"
        "print(engine.ask('What colour is the kettle?', min_confidence=0.0).answers[0].text)\n"
        "from qa.service.app import create_app\n"
        "print(sorted({'torch', 'transformers', 'sentence_transformers', 'nltk', 'spacy'} & set(sys.modules)))\n"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert process.stdout.splitlines() == ["blue", "[]"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (Document("", "The kettle is blue."), "1.id"),
        (Document("a/b", "The kettle is blue."), "1.id"),
        (Document("a", " \n"), "1.text"),
        (Document("a", "The kettle is blue.", "x" * 1001), "1.title"),
        (Document("a", "The kettle is blue.", meta={"colours": ["blue"]}), "1.meta.colours"),  # type: ignore[dict-item]
    ],
)
def test_rejects_invalid_documents_and_adds_none(engine: Engine, document: Document, field: str) -> None:
    with pytest.raises(InvalidInput, match=r"^(1\.|the document has no text)") as error:
        engine.add([Document("good", "The cup is red."), document])
    assert error.value.field == field
    assert engine.documents() == []


def test_deprecated_names_of_version_0_1_warn_and_work(engine: Engine) -> None:
    legacy: Any = engine
    engine.add([Document("a", "The kettle is blue.")])
    with pytest.warns(DeprecationWarning, match=r"engine\.document is deprecated; use engine\.documents\.get"):
        assert legacy.document("a") == engine.documents.get("a")
    with pytest.warns(DeprecationWarning, match=r"engine\.all_documents is deprecated; use engine\.documents\.all"):
        assert list(legacy.all_documents()) == engine.documents()
    with pytest.warns(DeprecationWarning, match=r"engine\.describe is deprecated; use engine\.documents\.update"):
        assert legacy.describe("a", {"title": "Kettle"}).title == "Kettle"
    with pytest.warns(DeprecationWarning, match=r"qa\.errors\.Abandoned is deprecated"):
        assert errors.Abandoned is errors.ClientDisconnected
    with pytest.raises(AttributeError, match="no attribute 'answer'"):
        legacy.answer("Who?")
