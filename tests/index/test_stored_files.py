"""Original files: stored, shared and deleted with their documents."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qa.errors import InvalidInput, NotFound
from qa.index import local
from qa.index.local import LocalIndex, Prepared
from qa.index.registry import Indexes
from qa.index.verification import verify_index
from qa.types import Mark, SourceFile, Table, Unread
from tests.conftest import SPECIFICATION, prepare_document, put

DATA = b"%PDF the original bytes of the manual " * 100


def source(data: bytes = DATA, name: str = "manual.pdf", **fields: Any) -> SourceFile:
    return SourceFile(name, "application/pdf", hashlib.sha256(data).hexdigest(), len(data), data, **fields)


def stored_hashes(index: LocalIndex) -> list[str]:
    with index.catalog.read() as transaction:
        return [sha256 for sha256, _ in transaction.files()]


def read_file(index: LocalIndex, id: str) -> bytes:
    info = index.info(id)
    assert info is not None
    assert info.file is not None
    return b"".join(index.file_parts(info.file, 0, info.file.size))


def prepared(
    id: str, text: str = "The pump has an oil filter.", file: SourceFile | None = None, **fields: Any
) -> Prepared:
    return prepare_document(id, text, file=file or source(), **fields)


def test_a_document_and_its_passages_keep_what_extraction_returned(index: LocalIndex) -> None:
    table = Table(0, ((4, 1), (4, 1)), ("Part", "Price"), 1, True)
    fields: dict[str, Any] = {
        "marks": (Mark(0, 1, None, "ocr"),),
        "tables": (table,),
        "unread": (Unread(2, "a picture of text"), Unread(None, "an embedded object")),
    }
    put(index, prepared("a", "Part | €\nPump | 9", **fields))
    document, info = index.document("a") or pytest.fail("not stored")
    assert (document.marks, document.tables, document.unread) == tuple(fields.values())
    assert info.unread == fields["unread"]
    assert document.file == info.file == source()
    assert (info.file and info.file.size, info.file and info.file.data) == (len(DATA), None)
    with index.catalog.read() as transaction:
        passages = transaction.passages(transaction.passages_of("a", 1)).values()
        assert [stored.passage.tables for stored in passages] == [(table,)]
    assert [listed.file for listed in index.documents(None, 10)] == [source()]


def test_a_file_is_read_back_in_parts(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "FILE_PART", 1_000)
    put(index, prepared("a"))
    assert read_file(index, "a") == DATA
    parts = list(index.file_parts(source(), 900, 2_100))
    assert (list(map(len, parts)), b"".join(parts)) == ([1_000, 200], DATA[900:2_100])
    index.remove(["a"])
    with pytest.raises(NotFound, match=r"file 'manual\.pdf' was removed"):
        list(index.file_parts(source(), 0, 10))


def test_documents_of_one_file_share_it_until_the_last_is_removed(index: LocalIndex) -> None:
    put(index, prepared("row-1"), prepared("row-2", "Another row."), prepared("other", file=source(b"another file")))
    assert stored_hashes(index) == sorted({source().sha256, source(b"another file").sha256})
    index.remove(["row-1"])
    assert read_file(index, "row-2") == DATA
    index.remove(["row-2"])
    assert stored_hashes(index) == [source(b"another file").sha256]


def test_a_replaced_document_keeps_its_file_or_gets_the_new_one(index: LocalIndex) -> None:
    put(index, prepared("a"))
    # A new title: the document was read from the index, so the data of its file is not in memory.
    put(index, prepared("a", title="Pump", file=replace(source(), data=None)))
    assert read_file(index, "a") == DATA
    put(index, prepared("a", title="Pump", file=source(b"a new file")))
    assert stored_hashes(index) == [source(b"a new file").sha256]
    put(index, prepare_document("a", "Text without a file."))
    assert stored_hashes(index) == []
    assert index.counts() == (1, 1)


def test_a_failed_write_stores_no_file(index: LocalIndex) -> None:
    for file, message in (
        (replace(source(), data=None), r"the data of its file 'manual\.pdf' is neither given nor stored"),
        (replace(source(), data=b"other bytes"), "has another hash than its `sha256`"),
    ):
        with pytest.raises(InvalidInput, match=message):
            put(index, prepared("good", file=source(b"good")), prepared("a", file=file))
    with suppress(RuntimeError), index.catalog.write() as transaction:
        document = prepared("a")
        transaction.put(document.document, document.passages, document.vectors, 1)
        raise RuntimeError
    assert (stored_hashes(index), index.counts()) == ([], (0, 0))


def test_listing_and_rebuilding_read_no_file(index: LocalIndex) -> None:
    put(index, prepared("a"))
    with index.catalog.read() as transaction:
        reads: list[str] = []

        def note_reads(action: int, table: str | None, column: str | None, *_: object) -> int:
            if action == sqlite3.SQLITE_READ and table == "files":
                reads.append(str(column))
            return sqlite3.SQLITE_OK

        transaction._connection.set_authorizer(note_reads)
        assert transaction.documents(None, 10)[0].file == source()
        assert transaction.document("a")
        assert transaction.documents_without_passages(2, 10)
        assert list(transaction.all_documents())
        transaction._connection.set_authorizer(None)
    assert set(reads) == {"sha256", "size"}


def test_an_export_contains_the_files_of_its_documents_only(index: LocalIndex, tmp_path: Path) -> None:
    put(index, prepared("a"), prepared("b", file=source(b"removed original")))
    index.remove(["b"])
    index.catalog.export(tmp_path / "export")
    assert b"removed original" not in (tmp_path / "export").read_bytes()
    with closing(Indexes(tmp_path / "indexes", SPECIFICATION)) as indexes:
        imported = indexes.restore("copy", tmp_path / "export")
        assert read_file(imported, "a") == DATA
        assert verify_index(imported).broken == ()


def test_purge_erases_the_files_of_removed_documents(index: LocalIndex) -> None:
    secret = b"Zanzibar, the original" * 1_000
    put(index, prepared("a", file=source(secret)), prepared("b"))
    index.remove(["a"])
    index.purge()
    assert all(b"Zanzibar" not in path.read_bytes() for path in index.folder.rglob("*") if path.is_file())
    assert read_file(index, "b") == DATA


def test_verify_reports_changed_files_and_texts(index: LocalIndex) -> None:
    put(index, prepared("a"), prepared("b", "A text of its own.", file=source(b"second")))
    assert verify_index(index).broken == ()
    with closing(sqlite3.connect(index.folder / "catalog.sqlite3")) as connection, connection:
        connection.execute("UPDATE files SET data = x'00' || substr(data, 2) WHERE sha256 = ?", (source().sha256,))
        connection.execute("UPDATE documents SET title = 'Another' WHERE id = 'b'")
    assert verify_index(index).broken == (
        "document 'b': its content does not have the stored hash",
        f"file {source().sha256}: its data does not have this hash",
    )


def test_a_process_of_an_earlier_version_leaves_no_file_behind(index: LocalIndex) -> None:
    put(index, prepared("a"))
    # It opened the catalogue before the migration, and replaces the document with its own statements.
    with closing(sqlite3.connect(index.folder / "catalog.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM passages")
        connection.execute("DELETE FROM documents WHERE id = 'a'")
        connection.execute(
            "INSERT INTO documents (id, meta, text, characters, sha256, added_at, revision)"
            " VALUES ('a', '{}', 'New.', 4, 'hash', '2026-01-01', 2)"
        )
    assert stored_hashes(index) == []
    document, info = index.document("a") or pytest.fail("not stored")
    assert (document.text, info.file) == ("New.", None)


def test_documents_are_found_by_title_file_name_and_id(index: LocalIndex) -> None:
    put(
        index,
        prepared("pump-1", title="Ölfilter 100 %_wechseln", file=source(b"1", "Handbuch.PDF")),
        prepared("mill-2", title=None, file=source(b"2", "Re\u0301glages.pdf")),
        prepare_document("note", "Just a note.", title="Notes"),
    )

    def found(query: str | None, after: str | None = None) -> list[str]:
        return [info.id for info in index.documents(after, 10, query)]

    assert found("ÖLFILTER") == found("handbuch.pdf") == found("100 %_") == ["pump-1"]
    # The accent is one character in the query, and two in the file name.
    assert found("réglages") == found("MILL") == ["mill-2"]
    assert found("o") == ["note"]
    assert found("%") == ["pump-1"]
    assert found(None) == found("") == ["mill-2", "note", "pump-1"]
    assert found("pdf", after="mill-2") == ["pump-1"]
    assert found("nothing") == []


def test_the_file_of_a_document_that_is_added_twice_in_one_batch_is_stored_once(index: LocalIndex) -> None:
    put(index, prepared("a"), prepared("a", "A later text of the same file."))
    assert stored_hashes(index) == [source().sha256]
    assert index.counts() == (1, 1)
