from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from qa.documents import splitting
from qa.errors import Conflict
from qa.index.local import LocalIndex, Prepared
from qa.index.verification import verify_index
from qa.indexing.rebuild import rebuild, roll_back
from qa.types import Document
from tests.conftest import EMBEDDER, SPECIFICATION, found, prepared, put

TEXTS = {f"d{n:03}": f"Mill number {n} was built in {1700 + n} by the council." for n in range(150)}
QUESTION = "When was mill number 77 built?"


def prepare(documents: Sequence[Document]) -> list[Prepared]:
    return [prepared(d.id, d.text, title=d.title, uri=d.uri, meta=d.meta, marks=d.marks) for d in documents]


def filled(index: LocalIndex) -> LocalIndex:
    put(index, *(prepared(id, text) for id, text in TEXTS.items()))
    assert found(index, QUESTION)[0] == "d077"
    return index


def other(index: LocalIndex, *, to_rebuild: bool = False) -> LocalIndex:
    """The same index as another process has it."""
    return LocalIndex(index.folder, SPECIFICATION, to_rebuild=to_rebuild)


def scores(index: LocalIndex) -> list[tuple[str, float]]:
    (vector,) = EMBEDDER.encode_questions([QUESTION])
    return [(hit.passage.document_id, hit.retrieval) for hit in index.search(QUESTION, vector, 10).hits]


def nothing(_: int) -> None:
    pass


def test_a_rebuild_answers_as_before_and_two_generations_are_kept(index: LocalIndex) -> None:
    before, told = scores(filled(index)), list[int]()
    for generation in (2, 3, 4):
        assert rebuild(index, prepare, told.append) == (generation, generation - 1)
        assert index.state().generation == generation
        assert scores(index) == before
        assert scores(other(index)) == scores(index)
    assert sum(told) == 3 * len(TEXTS)
    for kind in ("lexical", "vectors"):
        assert {path.name.split("-")[1] for path in index.folder.glob(f"{kind}-*")} <= {"3", "4"}
    with index.catalog.read() as transaction:
        assert [number for number, _ in transaction.generations("old")] == [3]
        assert transaction.counts(2) == (150, 0)
    assert verify_index(index).broken == verify_index(index).repaired == ()


def test_queries_and_writes_go_on_meanwhile(index: LocalIndex) -> None:
    filled(index)
    with closing(other(index)) as server:
        calls = 0

        def disturbed(documents: Sequence[Document]) -> list[Prepared]:
            nonlocal calls
            calls += 1
            assert found(server, QUESTION)[0] == "d077"
            if calls == 2:
                # One that was built anew already, one that comes later, and one of those being built now.
                put(server, prepared("d001", "The bridge was opened."), prepared("d149", "The tower fell."))
                put(server, prepared(documents[0].id, "The ferry sank."), prepared("new", "The school burned down."))
                server.remove(["d002", "d148", documents[1].id])
            return prepare(documents)

        assert rebuild(other(index, to_rebuild=True), disturbed, nothing) == (2, 1)
        assert calls == 3
        for reader in (server, index):
            for word, id in (("bridge", "d001"), ("tower", "d149"), ("ferry", "d064"), ("school", "new")):
                assert found(reader, f"What of the {word}?")[0] == id
            assert not {"d002", "d148", "d065"} & set(found(reader, "Which mill?", 150))
        assert index.counts() == (148, 148)
    assert verify_index(index).broken == verify_index(index).repaired == ()


def test_bringing_back_loses_no_write(index: LocalIndex) -> None:
    filled(index)
    with pytest.raises(Conflict, match="no generation before this one"):
        roll_back(index, prepare, nothing)
    rebuild(index, prepare, nothing)
    put(index, prepared("new", "The school burned down."), prepared("d003", "The ferry sank."))
    index.remove(["d004"])
    again: list[str] = []

    def counted(documents: Sequence[Document]) -> list[Prepared]:
        again.extend(document.id for document in documents)
        return prepare(documents)

    assert roll_back(index, counted, nothing) == (1, 2)
    assert sorted(again) == ["d003", "new"]
    assert found(index, "What of the school?")[0] == "new"
    assert found(index, "What of the ferry?")[0] == "d003"
    assert "d004" not in found(index, "Which mill?", 150)
    assert roll_back(index, prepare, nothing) == (2, 1)
    assert verify_index(index).broken == verify_index(index).repaired == ()


def broken_off_after(batches: int) -> Callable[[Sequence[Document]], list[Prepared]]:
    def some(documents: Sequence[Document]) -> list[Prepared]:
        nonlocal batches
        if batches == 0:
            raise KeyboardInterrupt
        batches -= 1
        return prepare(documents)

    return some


def test_what_was_built_before_it_was_broken_off_is_used(index: LocalIndex) -> None:
    before = scores(filled(index))
    with pytest.raises(KeyboardInterrupt):
        rebuild(index, broken_off_after(2), nothing)
    assert index.state().generation == 1
    assert scores(index) == before
    told: list[int] = []
    assert rebuild(index, prepare, told.append) == (2, 1)
    assert sum(told) == len(TEXTS) - 128


def test_of_two_rebuilds_one_is_refused(index: LocalIndex) -> None:
    filled(index)
    refused: list[Conflict] = []

    def beside(documents: Sequence[Document]) -> list[Prepared]:
        with pytest.raises(Conflict, match="a rebuild of index 'books' is under way") as caught:
            rebuild(other(index, to_rebuild=True), prepare, nothing)
        refused.append(caught.value)
        return prepare(documents)

    rebuild(index, beside, nothing)
    assert refused
    assert index.state().generation == 2


def test_another_model_takes_over_and_the_first_can_be_brought_back(index: LocalIndex) -> None:
    filled(index)
    wider = replace(SPECIFICATION, embedder="wider@1", dimension=2 * SPECIFICATION.dimension)

    def doubled(documents: Sequence[Document]) -> list[Prepared]:
        made = []
        for document in documents:
            passages = splitting.split(document, EMBEDDER.token_starts)
            vectors = EMBEDDER.encode_passages([p.text for p in passages])
            made.append(Prepared(document, passages, (np.hstack([vectors] * 2) / np.sqrt(2)).astype(np.float16)))
        return made

    with pytest.raises(Conflict, match="was made with embedder"):
        LocalIndex(index.folder, wider)
    # Broken off with yet another one: what it left is of no use.
    narrow = LocalIndex(index.folder, replace(wider, embedder="third@1"), to_rebuild=True)
    with pytest.raises(KeyboardInterrupt):
        rebuild(narrow, broken_off_after(1), nothing)
    assert rebuild(LocalIndex(index.folder, wider, to_rebuild=True), doubled, nothing) == (3, 1)
    (vector,) = EMBEDDER.encode_questions([QUESTION])
    with pytest.raises(Conflict, match=r"was made with embedder 'wider@1'.*use the same, rebuild it"):
        index.search(QUESTION, vector, 5)
    assert index.put([prepared("late", "Too late.")], 1) is None
    with pytest.raises(Conflict, match="wider@1"):
        index.generation()
    taken = LocalIndex(index.folder, wider)
    hits = taken.search(QUESTION, (np.hstack([vector] * 2) / np.sqrt(2)).astype(np.float32), 5).hits
    assert hits[0].passage.document_id == "d077"
    with pytest.raises(Conflict, match="generation 1' was made with embedder"):
        roll_back(taken, doubled, nothing)
    assert roll_back(other(index, to_rebuild=True), prepare, nothing) == (1, 3)
    assert found(index, QUESTION)[0] == "d077"
