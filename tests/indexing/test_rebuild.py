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
from tests.conftest import EMBEDDER, SPECIFICATION, prepare_document, put, search_ids

TEXTS = {f"d{n:03}": f"Mill number {n} was built in {1700 + n} by the council." for n in range(150)}
QUESTION = "When was mill number 77 built?"


def prepare(documents: Sequence[Document]) -> list[Prepared]:
    return [prepare_document(d.id, d.text, title=d.title, uri=d.uri, meta=d.meta, marks=d.marks) for d in documents]


def filled(index: LocalIndex) -> LocalIndex:
    put(index, *(prepare_document(id, text) for id, text in TEXTS.items()))
    assert search_ids(index, QUESTION)[0] == "d077"
    return index


def reopen(index: LocalIndex, *, to_rebuild: bool = False) -> LocalIndex:
    """Open the index as another process would."""
    return LocalIndex(index.folder, SPECIFICATION, to_rebuild=to_rebuild)


def scores(index: LocalIndex) -> list[tuple[str, float]]:
    (vector,) = EMBEDDER.encode_questions([QUESTION])
    return [(hit.passage.document_id, hit.retrieval) for hit in index.search(QUESTION, vector, 10).hits]


def ignore(_: int) -> None:
    pass


def test_rebuild_keeps_scores_and_two_generations(index: LocalIndex) -> None:
    before, finished = scores(filled(index)), list[int]()
    for generation in (2, 3, 4):
        assert rebuild(index, prepare, finished.append) == (generation, generation - 1)
        assert index.state().generation == generation
        assert scores(index) == before
        assert scores(reopen(index)) == scores(index)
    assert sum(finished) == 3 * len(TEXTS)
    for kind in ("lexical", "vectors"):
        assert {path.name.split("-")[1] for path in index.folder.glob(f"{kind}-*")} <= {"3", "4"}
    with index.catalog.read() as transaction:
        assert [number for number, _ in transaction.generations("old")] == [3]
        assert transaction.counts(2) == (150, 0)
    assert verify_index(index).broken == verify_index(index).repaired == ()


def test_queries_and_writes_continue_during_a_rebuild(index: LocalIndex) -> None:
    filled(index)
    with closing(reopen(index)) as server:
        calls = 0

        def prepare_during_writes(documents: Sequence[Document]) -> list[Prepared]:
            nonlocal calls
            calls += 1
            assert search_ids(server, QUESTION)[0] == "d077"
            if calls == 2:
                # Change a document that was already rebuilt, one of a later batch, and one of this batch.
                put(
                    server,
                    prepare_document("d001", "The bridge was opened."),
                    prepare_document("d149", "The tower fell."),
                )
                put(
                    server,
                    prepare_document(documents[0].id, "The ferry sank."),
                    prepare_document("new", "The school burned down."),
                )
                server.remove(["d002", "d148", documents[1].id])
            return prepare(documents)

        assert rebuild(reopen(index, to_rebuild=True), prepare_during_writes, ignore) == (2, 1)
        assert calls == 3
        for reader in (server, index):
            for word, id in (("bridge", "d001"), ("tower", "d149"), ("ferry", "d064"), ("school", "new")):
                assert search_ids(reader, f"What of the {word}?")[0] == id
            assert not {"d002", "d148", "d065"} & set(search_ids(reader, "Which mill?", 150))
        assert index.counts() == (148, 148)
    assert verify_index(index).broken == verify_index(index).repaired == ()


def test_rollback_loses_no_write(index: LocalIndex) -> None:
    filled(index)
    with pytest.raises(Conflict, match="no previous generation"):
        roll_back(index, prepare, ignore)
    rebuild(index, prepare, ignore)
    put(index, prepare_document("new", "The school burned down."), prepare_document("d003", "The ferry sank."))
    index.remove(["d004"])
    prepared_ids: list[str] = []

    def prepare_and_record(documents: Sequence[Document]) -> list[Prepared]:
        prepared_ids.extend(document.id for document in documents)
        return prepare(documents)

    assert roll_back(index, prepare_and_record, ignore) == (1, 2)
    assert sorted(prepared_ids) == ["d003", "new"]
    assert search_ids(index, "What of the school?")[0] == "new"
    assert search_ids(index, "What of the ferry?")[0] == "d003"
    assert "d004" not in search_ids(index, "Which mill?", 150)
    assert roll_back(index, prepare, ignore) == (2, 1)
    assert verify_index(index).broken == verify_index(index).repaired == ()


def interrupt_after(batches: int) -> Callable[[Sequence[Document]], list[Prepared]]:
    def prepare_or_interrupt(documents: Sequence[Document]) -> list[Prepared]:
        nonlocal batches
        if batches == 0:
            raise KeyboardInterrupt
        batches -= 1
        return prepare(documents)

    return prepare_or_interrupt


def test_rebuild_resumes_an_interrupted_one(index: LocalIndex) -> None:
    before = scores(filled(index))
    with pytest.raises(KeyboardInterrupt):
        rebuild(index, interrupt_after(2), ignore)
    assert index.state().generation == 1
    assert scores(index) == before
    finished: list[int] = []
    assert rebuild(index, prepare, finished.append) == (2, 1)
    assert sum(finished) == len(TEXTS) - 128


def test_rejects_a_concurrent_rebuild(index: LocalIndex) -> None:
    filled(index)
    rejected: list[Conflict] = []

    def prepare_and_rebuild(documents: Sequence[Document]) -> list[Prepared]:
        with pytest.raises(Conflict, match="index 'books' is being rebuilt") as raised:
            rebuild(reopen(index, to_rebuild=True), prepare, ignore)
        rejected.append(raised.value)
        return prepare(documents)

    rebuild(index, prepare_and_rebuild, ignore)
    assert rejected
    assert index.state().generation == 2


def test_rebuilds_with_another_embedder_and_rolls_back(index: LocalIndex) -> None:
    filled(index)
    wider = replace(SPECIFICATION, embedder="wider@1", dimension=2 * SPECIFICATION.dimension)

    def prepare_wider(documents: Sequence[Document]) -> list[Prepared]:
        batch = []
        for document in documents:
            passages = splitting.split(document, EMBEDDER.token_starts)
            vectors = EMBEDDER.encode_passages([p.text for p in passages])
            batch.append(Prepared(document, passages, (np.hstack([vectors] * 2) / np.sqrt(2)).astype(np.float16)))
        return batch

    with pytest.raises(Conflict, match="was built with embedder"):
        LocalIndex(index.folder, wider)
    # An interrupted rebuild with a third embedder leaves passages that cannot be reused.
    third = LocalIndex(index.folder, replace(wider, embedder="third@1"), to_rebuild=True)
    with pytest.raises(KeyboardInterrupt):
        rebuild(third, interrupt_after(1), ignore)
    assert rebuild(LocalIndex(index.folder, wider, to_rebuild=True), prepare_wider, ignore) == (3, 1)
    (vector,) = EMBEDDER.encode_questions([QUESTION])
    with pytest.raises(Conflict, match=r"was built with embedder 'wider@1'.*use the same settings, run `qa rebuild`"):
        index.search(QUESTION, vector, 5)
    assert index.put([prepare_document("late", "Too late.")], 1) is None
    with pytest.raises(Conflict, match="wider@1"):
        index.generation()
    reopened = LocalIndex(index.folder, wider)
    hits = reopened.search(QUESTION, (np.hstack([vector] * 2) / np.sqrt(2)).astype(np.float32), 5).hits
    assert hits[0].passage.document_id == "d077"
    with pytest.raises(Conflict, match="generation 1' was built with embedder"):
        roll_back(reopened, prepare_wider, ignore)
    assert roll_back(reopen(index, to_rebuild=True), prepare, ignore) == (1, 3)
    assert search_ids(index, QUESTION)[0] == "d077"
