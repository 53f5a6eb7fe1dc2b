"""Questions as people type them: misspelt, long, or with identifiers, with the shipped models."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa.engine import Engine
from qa.results import QueryResult
from qa.types import Document

MANUAL = [
    Document("retry", "The default temperature of the kettle is 95 degrees. The calendar starts on Monday."),
    Document("limits", "The server accepts 200 clients. Set max_connections to change this number."),
    Document("releases", "Release 4.6.1 of the server was published in April. Release 1.6.4 followed in June."),
    Document("log", "The log has an entry for each request. It is deleted after 30 days."),
]


@pytest.fixture
def manual(engine: Engine) -> Engine:
    engine.add(MANUAL)
    return engine


def without_ids(result: QueryResult) -> QueryResult:
    return replace(result, query_id="", timings_ms={})


def test_a_misspelt_question_gets_the_answer_of_the_correct_one(manual: Engine) -> None:
    typed = manual.ask("What is the defualt temprature of the kettel?", min_confidence=0)
    right = manual.ask("What is the default temperature of the kettle?", min_confidence=0)
    assert typed.corrected == "What is the default temperature of the kettle?"
    assert typed.question == "What is the defualt temprature of the kettel?"
    assert right.corrected is None
    assert without_ids(typed) == replace(without_ids(right), question=typed.question, corrected=typed.corrected)
    assert typed.answers[0].text in ("95", "95 degrees")


def test_words_that_are_english_or_identifiers_are_not_changed(manual: Engine) -> None:
    for question in ("Is there a dog?", "What is the calendula?", "max_conections or --tempreture?", "Dont abort it"):
        assert manual.ask(question).corrected is None, question


def test_a_search_and_a_reranked_search_are_corrected_too(manual: Engine) -> None:
    for rerank, by_sentence in ((False, True), (True, True), (False, False)):
        typed, right = manual.search_batch(
            ["kettel temprature", "kettle temperature"], rerank=rerank, by_sentence=by_sentence
        )
        assert (typed.corrected, right.corrected) == ("kettle temperature", None)
        assert typed.hits == right.hits


def test_a_question_gets_the_same_result_alone_and_in_a_batch(manual: Engine) -> None:
    questions = [
        "how long is the log kept",
        "the temprature of the kettel",
        "We run a server for a school. It is often full. How many clients may it have?",
        "what came in 4.6.1",
    ]
    together = manual.ask_batch(questions, min_confidence=0)
    for question, result in zip(questions, together, strict=True):
        assert without_ids(manual.ask(question, min_confidence=0)) == without_ids(result)
    assert [result.corrected for result in together] == [None, "the temperature of the kettle", None, None]


def test_the_reader_reads_the_end_of_a_long_question(manual: Engine) -> None:
    background = "We are a school with many pupils, and they are all on the network in the morning. " * 5
    result = manual.read(f"{background}How many days is the log kept?", MANUAL[3].text, min_confidence=0)
    assert result.answers[0].text in ("30", "30 days", "after 30 days")
    assert manual.ask(f"{background}How many days is the log kept?", min_confidence=0).answers[0].document_id == "log"


def test_a_version_number_finds_its_own_passage(engine: Engine) -> None:
    engine.add(
        [Document(f"{a}{b}{c}", f"Notes on {a}.{b}.{c} of the tool.") for a, b, c in ("461", "164", "416", "614")]
    )
    for version in ("4.6.1", "1.6.4", "4.1.6", "6.1.4"):
        assert engine.search(f"notes on {version}").hits[0].document_id == version.replace(".", "")
