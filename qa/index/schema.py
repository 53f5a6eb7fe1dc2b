"""The tables of a catalogue, and the migrations from earlier versions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from qa.errors import Conflict

SCHEMA_VERSION = 6

_TABLES = """
CREATE TABLE documents (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT,
    uri TEXT,
    meta TEXT NOT NULL,
    marks TEXT NOT NULL DEFAULT '[]',
    boxes BLOB NOT NULL DEFAULT x'',
    tables TEXT NOT NULL DEFAULT '[]',
    unread TEXT NOT NULL DEFAULT '[]',
    file TEXT REFERENCES files (sha256),
    file_name TEXT,
    media_type TEXT,
    text TEXT NOT NULL,
    characters INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    added_at TEXT NOT NULL,
    revision INTEGER NOT NULL
);
CREATE TABLE changes (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    document TEXT NOT NULL,
    op TEXT NOT NULL CHECK (op IN ('put', 'remove')),
    at TEXT NOT NULL,
    mark TEXT NOT NULL
);
CREATE TABLE generations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    spec TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('building', 'live', 'old'))
);
CREATE UNIQUE INDEX one_live_generation ON generations (state) WHERE state = 'live';
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    generation INTEGER NOT NULL REFERENCES generations (id),
    document INTEGER NOT NULL REFERENCES documents (key),
    revision INTEGER NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    cut INTEGER NOT NULL,
    marks TEXT NOT NULL DEFAULT '[]',
    boxes BLOB NOT NULL DEFAULT x'',
    tables TEXT NOT NULL DEFAULT '[]',
    lead_in TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL,
    vector BLOB NOT NULL
);
CREATE INDEX passages_by_document ON passages (document, generation);
CREATE INDEX passages_by_revision ON passages (generation, revision);
CREATE TABLE tombstones (
    passage INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    revision INTEGER NOT NULL
);
CREATE INDEX tombstones_by_revision ON tombstones (generation, revision);
"""
# Triggers keep the counters exact even for writes by a process of an earlier version that has the file open.
_COUNTERS = """
CREATE TABLE counters (documents INTEGER NOT NULL);
INSERT INTO counters SELECT count(*) FROM documents;
ALTER TABLE generations ADD COLUMN passages INTEGER NOT NULL DEFAULT 0;
UPDATE generations SET passages = (SELECT count(*) FROM passages p WHERE p.generation = generations.id);
CREATE TRIGGER document_inserted AFTER INSERT ON documents BEGIN
    UPDATE counters SET documents = documents + 1;
END;
CREATE TRIGGER document_deleted AFTER DELETE ON documents BEGIN
    UPDATE counters SET documents = documents - 1;
END;
CREATE TRIGGER passage_inserted AFTER INSERT ON passages BEGIN
    UPDATE generations SET passages = passages + 1 WHERE id = new.generation;
END;
CREATE TRIGGER passage_deleted AFTER DELETE ON passages BEGIN
    UPDATE generations SET passages = passages - 1 WHERE id = old.generation;
END;
"""
# Triggers delete a file with the last document that refers to it, so removal, import and purge need no code for it.
# The size comes before the data: SQLite reads a row from its start, and listing documents must not read files.
_FILES = """
CREATE TABLE files (
    sha256 TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX documents_by_file ON documents (file);
CREATE TRIGGER document_with_file_deleted AFTER DELETE ON documents WHEN old.file IS NOT NULL BEGIN
    DELETE FROM files WHERE sha256 = old.file AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.file = old.file);
END;
CREATE TRIGGER document_file_changed AFTER UPDATE OF file ON documents WHEN old.file IS NOT new.file BEGIN
    DELETE FROM files WHERE sha256 = old.file AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.file = old.file);
END;
"""
_SCHEMA = _TABLES + _COUNTERS + _FILES
# Step i migrates a file from version i+1 to version i+2. Opening a file runs the steps that it lacks.
_MIGRATIONS = (
    "ALTER TABLE documents ADD COLUMN marks TEXT NOT NULL DEFAULT '[]';"
    "ALTER TABLE passages ADD COLUMN marks TEXT NOT NULL DEFAULT '[]';",
    "ALTER TABLE documents ADD COLUMN boxes BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE passages ADD COLUMN boxes BLOB NOT NULL DEFAULT x'';",
    _COUNTERS,
    "ALTER TABLE documents ADD COLUMN tables TEXT NOT NULL DEFAULT '[]';"
    "ALTER TABLE documents ADD COLUMN unread TEXT NOT NULL DEFAULT '[]';"
    "ALTER TABLE documents ADD COLUMN file TEXT REFERENCES files (sha256);"
    "ALTER TABLE documents ADD COLUMN file_name TEXT;"
    "ALTER TABLE documents ADD COLUMN media_type TEXT;"
    "ALTER TABLE passages ADD COLUMN tables TEXT NOT NULL DEFAULT '[]';" + _FILES,
    "ALTER TABLE passages ADD COLUMN lead_in TEXT NOT NULL DEFAULT '';",
)


def prepare(connection: sqlite3.Connection, path: Path, specification: str | None) -> None:
    """Create the tables if there are none, and migrate older ones. An up-to-date file is not locked.

    Args:
        connection: a connection to the file.
        path: the file, for error messages.
        specification: JSON of the first generation; None if the tables must already exist.

    Raises:
        Conflict: the file was written by a newer version of this program, or is not a catalogue.
    """
    if _version(connection) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection)
    if version > SCHEMA_VERSION:
        raise Conflict(
            f"{path}: written by a newer version (schema {version}, this version supports up to {SCHEMA_VERSION});"
            " upgrade spanlight",
            field="index",
        )
    if version == 0:
        if specification is None:
            raise Conflict(f"{path}: not a catalogue", field="index")
        _run(connection, _SCHEMA)
        connection.execute("INSERT INTO generations (spec, state) VALUES (?, 'live')", (specification,))
    else:
        for script in _MIGRATIONS[version - 1 :]:
            _run(connection, script)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Run statements one by one: `executescript` would commit the transaction first."""
    for statement in _statements(script):
        connection.execute(statement)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.split(";")[:-1]:
        statement += f"{line};"
        # The statements inside a trigger are part of it.
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
