"""The maintained counts of documents and passages always equal the numbers of rows."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing

from qa.index.local import LocalIndex, Prepared
from qa.index.verification import verify_index
from qa.indexing.rebuild import rebuild, roll_back
from qa.types import Document
from tests.conftest import SPECIFICATION, prepare_document, put


def prepare(documents: Sequence[Document]) -> list[Prepared]:
    return [prepare_document(d.id, d.text, meta=d.meta) for d in documents]


def ignore(_: int) -> None:
    pass


def check_counters(index: LocalIndex) -> None:
    with index.catalog.read() as transaction:
        for generation in range(1, 20):
            assert transaction.counts(generation) == transaction.count_rows(generation)
        live, _ = transaction.live_generation()
        assert index.counts() == transaction.count_rows(live)


def test_counters_equal_the_rows_after_any_writes(index: LocalIndex) -> None:
    chooser = random.Random(7)
    ids = [f"d{number}" for number in range(12)]
    performed = set[str]()
    for step in range(150):
        kinds = ["put", "remove", "update", "rebuild", "interrupt", "roll back", "fail"]
        kind = chooser.choices(kinds, [8, 4, 2, 1, 1, 1, 1])[0]
        chosen = chooser.sample(ids, chooser.randint(1, 4))
        with index.catalog.read() as transaction:
            has_previous = bool(transaction.generations("old"))
        if kind == "put":
            put(index, *(prepare_document(id, f"Fact {step}. " * chooser.randint(1, 400)) for id in chosen))
        elif kind == "remove":
            index.remove(sorted(index.present(chosen)))
        elif kind == "update" and (stored := index.document(chosen[0])):
            document, info = stored
            index.update_meta(Document(document.id, document.text, meta={"step": step}), info.sha256)
        elif kind == "rebuild":
            rebuild(index, prepare, ignore)
        elif kind == "interrupt":
            with index.catalog.write() as transaction:
                transaction.begin_generation("{}")
                unfinished = transaction.generations("building")[0][0]
                for missing, revision in transaction.documents_without_passages(unfinished, 2):
                    p = prepare_document(missing.id, missing.text)
                    transaction.add_passages(missing.id, revision, p.passages, p.vectors, unfinished)
            check_counters(index)
            with index.catalog.write() as transaction:
                transaction.drop_generation(unfinished)
        elif kind == "roll back" and has_previous:
            roll_back(index, prepare, ignore)
        elif kind == "fail":
            p = prepare_document("failed", "Not acknowledged.")
            try:
                with index.catalog.write() as transaction:
                    transaction.put(p.document, p.passages, p.vectors, transaction.live_generation()[0])
                    raise KeyboardInterrupt
            except KeyboardInterrupt:
                assert not index.present(["failed"])
        performed.add(kind)
        check_counters(index)
    assert performed == set(kinds)
    reopened = LocalIndex(index.folder, SPECIFICATION)
    check_counters(reopened)
    assert verify_index(reopened).repaired == ()
    reopened.close()


def test_reading_the_state_counts_no_rows(index: LocalIndex) -> None:
    put(index, *(prepare_document(f"d{number}", f"Fact {number}.") for number in range(20)))
    statements: list[str] = []
    with index.catalog._connection() as connection:
        connection.set_trace_callback(statements.append)
    assert (index.counts(), index.lag(), index.state().passages) == ((20, 20), 0, 20)
    assert len(statements) > 3
    assert not [statement for statement in statements if "count(" in statement.lower()]


def test_verify_repairs_wrong_counters(index: LocalIndex) -> None:
    put(index, prepare_document("a", "The mill burned down."), prepare_document("b", "The ferry sank."))
    index.catch_up()
    with closing(sqlite3.connect(index.folder / "catalog.sqlite3")) as connection, connection:
        connection.execute("UPDATE counters SET documents = 7")
        connection.execute("UPDATE generations SET passages = passages + 1")
    assert index.counts() == (7, 3)
    result = verify_index(index)
    assert result.broken == ()
    assert result.repaired == ("counters of generation 1: 7 documents and 3 passages instead of 2 and 2",)
    assert (result.documents, result.passages) == index.counts() == (2, 2)
    assert verify_index(index).repaired == ()
