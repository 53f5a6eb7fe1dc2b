"""Extractions by the clients of a real server."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from qa.client import AsyncClient, Client, extract_calls
from qa.config import Settings
from qa.engine import Engine
from qa.errors import InvalidInput, NotFound
from qa.rows import ExtractedRow, NamedQuestion
from tests.answering.test_extraction import QUESTIONS, contract
from tests.conftest import serving


@pytest.fixture
def url(word_engine: Engine) -> Iterator[str]:
    """A server with seven contracts."""
    word_engine.add([contract(n) for n in range(7)])
    with serving(word_engine, Settings(index_dir=word_engine.indexes.folder)) as address:
        yield address


@pytest.mark.parametrize("cells", [1, 6, 100])
def test_both_clients_yield_the_rows_of_the_engine(
    url: str, word_engine: Engine, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract_calls, "_CELLS_OF_CALL", cells)

    async def collect(**options: Any) -> list[ExtractedRow]:
        async with AsyncClient(url) as client:
            return [row async for row in client.extract(QUESTIONS, **options)]

    with Client(url) as client:
        expected = list(word_engine.extract(QUESTIONS))
        assert len(expected) == 7
        assert list(client.extract(QUESTIONS)) == asyncio.run(collect()) == expected
        some: dict[str, Any] = {"filters": {"even": True}, "document_ids": ["c02", "c03"], "min_confidence": 0.1}
        assert list(client.extract(QUESTIONS, **some)) == asyncio.run(collect(**some))
        (row,) = word_engine.extract(QUESTIONS, **some)
        assert list(client.extract(QUESTIONS, **some)) == [row]


def test_questions_can_be_their_own_names(url: str) -> None:
    with Client(url) as client:
        by_name = next(client.extract({"yearly fee": "yearly fee"}))
        assert next(client.extract("yearly fee")) == by_name
        assert next(client.extract(["yearly fee"])) == by_name
        assert next(client.extract([NamedQuestion("yearly fee", "yearly fee")])) == by_name
        assert by_name.cells["yearly fee"].text == "The yearly fee is 000 euros."


def test_the_errors_are_those_of_the_engine(url: str, word_engine: Engine) -> None:
    with Client(url) as client:
        for extract in (client.extract, word_engine.extract):
            with pytest.raises(InvalidInput, match=r"questions\.1\.name 'fee' is also the name") as repeated:
                list(extract(["fee", "fee"]))
            assert repeated.value.field == "questions.1.name"
            with pytest.raises(NotFound, match="index 'nowhere' not found"):
                list(extract("fee", index="nowhere"))
        with pytest.raises(NotFound, match="job 'none' not found"):
            client.extracted_rows("none")


def test_groups_answers_by_document(url: str, word_engine: Engine) -> None:
    with Client(url) as client:
        result = client.ask("yearly fee", group_by="document", top_k=5)
        expected = word_engine.ask("yearly fee", group_by="document", top_k=5)
        assert list(result.answers) == list(expected.answers)
        assert len({answer.document_id for answer in result.answers}) == 5


def test_the_methods_are_iterators() -> None:
    assert inspect.signature(Client.extract).return_annotation == "Iterator[ExtractedRow]"
    assert inspect.signature(AsyncClient.extract).return_annotation == "AsyncIterator[ExtractedRow]"
    assert "Ask the same questions" in (Client.extract.__doc__ or "")
