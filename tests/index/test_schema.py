from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from qa.errors import Conflict
from qa.index.local import LocalIndex
from qa.index.registry import Indexes
from qa.index.verification import verify_index
from qa.types import Mark, SourceFile, Table, Unread
from tests.conftest import SPECIFICATION, prepare_document, put, search_ids

TEXTS = {
    "cats": "Cats sleep most of the day. They hunt at night.",
    "trains": "The train to Harwick leaves at noon. It stops twice.",
    "tea": "Green tea should steep for two minutes.",
}
# Statements that undo each migration.
DOWNGRADES = {
    5: "ALTER TABLE passages DROP COLUMN lead_in;",
    4: """
        DROP TRIGGER document_with_file_deleted; DROP TRIGGER document_file_changed;
        DROP INDEX documents_by_file;
        ALTER TABLE documents DROP COLUMN file; ALTER TABLE documents DROP COLUMN file_name;
        ALTER TABLE documents DROP COLUMN media_type;
        ALTER TABLE documents DROP COLUMN tables; ALTER TABLE passages DROP COLUMN tables;
        ALTER TABLE documents DROP COLUMN unread;
        DROP TABLE files;
    """,
    3: """
        DROP TRIGGER document_inserted; DROP TRIGGER document_deleted;
        DROP TRIGGER passage_inserted; DROP TRIGGER passage_deleted;
        DROP TABLE counters;
        ALTER TABLE generations DROP COLUMN passages;
    """,
    2: "ALTER TABLE documents DROP COLUMN boxes; ALTER TABLE passages DROP COLUMN boxes;",
    1: "ALTER TABLE documents DROP COLUMN marks; ALTER TABLE passages DROP COLUMN marks;",
}


def filled(index: LocalIndex) -> LocalIndex:
    put(index, *(prepare_document(id, text) for id, text in TEXTS.items()))
    return index


def downgrade(path: Path, version: int) -> None:
    """Turn a catalogue into one that an earlier version of the program created."""
    with closing(sqlite3.connect(path)) as connection:
        for step in range(5, version - 1, -1):
            connection.executescript(DOWNGRADES[step])
        connection.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_migrates_an_index_of_an_earlier_version(index: LocalIndex, version: int) -> None:
    filled(index)
    index.close()
    downgrade(index.folder / "catalog.sqlite3", version)
    migrated = LocalIndex(index.folder, SPECIFICATION)
    assert migrated.counts() == (3, 3)
    assert search_ids(migrated, "When does the train leave?")[0] == "trains"
    assert migrated.put([prepare_document("tea", TEXTS["tea"])], migrated.generation()) == ["unchanged"]
    file = SourceFile("b.pdf", "application/pdf", hashlib.sha256(b"original").hexdigest(), 8, b"original")
    new = {"marks": (Mark(0, 3),), "boxes": b"16 bytes, a word", "tables": (Table(0, ((10,),)),), "file": file}
    put(migrated, prepare_document("b", "A new one.", unread=(Unread(4, "a picture"),), **new))
    document, _ = migrated.document("b") or pytest.fail("not stored")
    assert {name: getattr(document, name) for name in new} == new
    assert document.unread == (Unread(4, "a picture"),)
    assert b"".join(migrated.file_parts(file, 0, 8)) == b"original"
    assert migrated.counts() == (4, 4)
    assert verify_index(migrated).broken == verify_index(migrated).repaired == ()
    migrated.close()


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_imports_an_export_of_an_earlier_version(index: LocalIndex, tmp_path: Path, version: int) -> None:
    filled(index).catalog.export(tmp_path / "export")
    downgrade(tmp_path / "export", version)
    imported = Indexes(tmp_path / "indexes", SPECIFICATION).restore("copy", tmp_path / "export")
    assert imported.counts() == (3, 3)
    assert search_ids(imported, "how long should tea steep")[0] == "tea"
    imported.close()


def test_writes_of_an_earlier_version_are_counted(index: LocalIndex) -> None:
    filled(index)
    # A process that opened the catalogue before the migration continues to write with its own statements.
    with closing(sqlite3.connect(index.folder / "catalog.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM passages WHERE document = 1")
        connection.execute("DELETE FROM documents WHERE key = 1")
    assert index.counts() == (2, 2)


def test_rejects_a_newer_schema(index: LocalIndex) -> None:
    index.close()
    connection = sqlite3.connect(index.folder / "catalog.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Conflict, match="newer version"):
        LocalIndex(index.folder, SPECIFICATION)


def test_rejects_a_file_that_is_not_a_catalogue(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "catalog.sqlite3").write_bytes(b"not a database at all, but long enough to be read" * 50)
    with pytest.raises(Conflict, match="not a catalogue"):
        LocalIndex(tmp_path / "x", SPECIFICATION)
