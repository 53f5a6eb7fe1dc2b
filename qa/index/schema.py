"""The tables of a catalogue, and how older ones are brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from qa.errors import Conflict

SCHEMA_VERSION = 3

_SCHEMA = """
CREATE TABLE documents (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT,
    uri TEXT,
    meta TEXT NOT NULL,
    marks TEXT NOT NULL DEFAULT '[]',
    boxes BLOB NOT NULL DEFAULT x'',
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
# Step i brings a file of version i+1 to version i+2; opening a file runs those it lacks.
_MIGRATIONS = (
    "ALTER TABLE documents ADD COLUMN marks TEXT NOT NULL DEFAULT '[]';"
    "ALTER TABLE passages ADD COLUMN marks TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE documents ADD COLUMN boxes BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE passages ADD COLUMN boxes BLOB NOT NULL DEFAULT x''",
)


def prepare(connection: sqlite3.Connection, path: Path, specification: str | None) -> None:
    """Make the tables if there are none, and bring older ones to this version; otherwise wait for nobody's write.

    Args:
        connection: to the file.
        path: of the file.
        specification: JSON, of the first generation; None if tables must be there.

    Raises:
        Conflict: the file was made by a newer version of this program, or is no catalogue.
    """
    if _version(connection) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection)
    if version > SCHEMA_VERSION:
        raise Conflict(
            f"{path}: made by a newer version (schema {version}; this one knows {SCHEMA_VERSION})", field="index"
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
    """Run statements one by one: `executescript` would end the transaction they belong to."""
    for statement in script.split(";"):
        if statement.strip():
            connection.execute(statement)
