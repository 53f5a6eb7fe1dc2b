"""The best answer of each of several documents."""

from __future__ import annotations

from typing import Any

import pytest

from qa.engine import Engine
from qa.errors import InvalidInput, NotFound
from qa.types import Document

QUESTION = "What is the yearly fee?"


@pytest.fixture
def fees(word_engine: Engine) -> Engine:
    """Four documents of which three name a fee, one of them in hundreds of passages."""
    word_engine.add(
        [
            Document("long", "The yearly fee is high. " * 800, meta={"kind": "essay"}),
            Document("club", "The yearly fee of the club is 20 euros.", "Club", meta={"kind": "rules"}),
            Document("gym", "At the gym the yearly fee is 300 euros.", "Gym", meta={"kind": "rules"}),
            Document("cat", "The cat sleeps."),
        ]
    )
    return word_engine


def test_returns_the_best_answer_of_each_document(fees: Engine) -> None:
    result = fees.ask(QUESTION, group_by="document", top_k=3)
    assert result.status == "answered"
    assert sorted(answer.document_id for answer in result.answers) == ["club", "gym", "long"]
    confidences = [answer.confidence for answer in result.answers]
    assert confidences == sorted(confidences, reverse=True)
    for answer in result.answers:
        assert fees.ask(QUESTION, filters={"document_id": answer.document_id}).answers[0] == answer
    assert (result.best_guess, result.alternatives, result.passages, result.index) == (None, (), (), "default")
    assert {unit.document_id for unit in result.evidence} <= {"club", "gym", "long"}
    assert len(result.evidence) <= 10


def test_the_number_of_documents_and_the_filters_limit_them(fees: Engine) -> None:
    assert len(fees.ask(QUESTION, group_by="document", top_k=1).answers) == 1
    result = fees.ask(QUESTION, group_by="document", top_k=9, filters={"kind": "rules"}, include_passages=True)
    assert sorted(answer.document_id for answer in result.answers) == ["club", "gym"]
    assert sorted(hit.document_id for hit in result.passages) == ["club", "gym"]
    # Without a filter, the cat's document is asked too, and has no answer.
    assert len(fees.ask(QUESTION, group_by="document", top_k=9).answers) == 3


def test_without_an_answer_it_has_the_guess_of_each_document(fees: Engine) -> None:
    result = fees.ask("Who won the regatta?", group_by="document", top_k=2)
    assert (result.status, result.answers, len(result.alternatives)) == ("not_found", (), 1)
    assert result.best_guess is not None
    assert result.best_guess.document_id != result.alternatives[0].document_id
    assert len(result.passages) == 3


def test_says_that_there_is_nothing_to_search(fees: Engine) -> None:
    result = fees.ask(QUESTION, group_by="document", filters={"kind": "letter"})
    assert (result.status, result.answers, result.passages, result.no_answer_score) == ("nothing_to_search", (), (), 1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"group_by": "page"}, InvalidInput, "group_by must be 'document'"),
        ({"group_by": "document", "top_k": 0}, InvalidInput, "top_k must be from 1 to 100"),
        ({"group_by": "document", "min_confidence": 2}, InvalidInput, "min_confidence must be from 0 to 1"),
        ({"group_by": "document", "index": "nowhere"}, NotFound, "index 'nowhere' not found"),
    ],
)
def test_rejects_invalid_arguments(fees: Engine, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fees.ask(QUESTION, **options)
