"""The documents that were stored at an earlier revision."""

from __future__ import annotations

import random

import pytest

from qa.index import transactions
from qa.index.local import LocalIndex
from qa.search.filters import Filter, parse_filter
from tests.conftest import prepare_document, put


def ids_at(index: LocalIndex, revision: int, filter: Filter | None = None, page: int = 2) -> list[str]:
    """Return the ids of all pages."""
    ids: list[str] = []
    with index.catalog.read() as transaction:
        while True:
            infos = transaction.documents_at(revision, filter, ids[-1] if ids else None, page)
            ids += [info.id for info in infos]
            if len(infos) < page:
                return ids


@pytest.mark.parametrize("block", [1, 3, 100])
def test_returns_the_documents_that_were_and_are_stored(
    index: LocalIndex, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "_MIN_BLOCK", block)
    chooser = random.Random(7)
    stored: set[str] = set()
    states: list[set[str]] = [set()]
    for _ in range(60):
        id = f"d{chooser.randint(0, 12)}"
        if id in stored and chooser.random() < 0.5:
            index.remove([id])
            stored = stored - {id}
        else:
            put(index, prepare_document(id, f"Fact {chooser.random()}."))
            stored = stored | {id}
        states.append(stored)
    assert index.state().revision == 60
    for revision, then in enumerate(states):
        assert ids_at(index, revision) == sorted(then & stored)
    assert any(then - stored for then in states)


def test_counts_and_filters_documents(index: LocalIndex) -> None:
    put(index, *(prepare_document(f"d{n}", f"Fact {n}.", meta={"even": n % 2 == 0}) for n in range(5)))
    even = parse_filter({"even": True})
    assert ids_at(index, 5, even) == ["d0", "d2", "d4"]
    with index.catalog.read() as transaction:
        assert (transaction.count_documents(None), transaction.count_documents(even)) == (5, 3)
