"""What can be written in one transaction of the catalogue."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qa.index.transactions import ReadTransaction
from qa.types import Document, Mark, Passage

Change = Literal["created", "replaced", "unchanged"]


class WriteTransaction(ReadTransaction):
    """The next revisions of the catalogue, seen by nobody until the transaction ends well."""

    def put(
        self, document: Document, passages: Sequence[Passage], vectors: NDArray[np.float16], generation: int
    ) -> Change:
        """Add a document, or replace the one of the same id unless it is equal.

        Args:
            document: with its text.
            passages: all of the document's, in order.
            vectors: shape (passages, dimension).
            generation: the one that passages and vectors were made for.
        """
        digest = content_hash(document)
        known = self._connection.execute("SELECT sha256 FROM documents WHERE id = ?", (document.id,)).fetchone()
        if known is not None:
            if known[0] == digest:
                return "unchanged"
            self._delete(document.id, self.revision() + 1)
        revision = self._change(document.id, "put")
        described = (
            *(document.id, document.title, document.uri),
            *(_meta_as_json(document), _as_json(document.marks), document.boxes),
        )
        key = self._connection.execute(
            "INSERT INTO documents (id, title, uri, meta, marks, boxes, text, characters, sha256, added_at,"
            " revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*described, document.text, len(document.text), digest, _now(), revision),
        ).lastrowid
        self._insert(passages, vectors, (generation, key, revision))
        return "created" if known is None else "replaced"

    def describe(self, document: Document) -> None:
        """Give a document that is there other metadata; its passages stay."""
        revision = self._change(document.id, "put")
        self._connection.execute(
            "UPDATE documents SET meta = ?, sha256 = ?, revision = ? WHERE id = ?",
            (_meta_as_json(document), content_hash(document), revision, document.id),
        )

    def remove(self, id: str) -> None:
        """Remove a document that is there."""
        self._delete(id, self._change(id, "remove"))

    def begin_generation(self, specification: str) -> int:
        """Begin a generation, which has no passages yet and answers nothing."""
        row = self._connection.execute("INSERT INTO generations (spec, state) VALUES (?, 'building')", (specification,))
        assert row.lastrowid is not None
        return row.lastrowid

    def fill(
        self, id: str, revision: int, passages: Sequence[Passage], vectors: NDArray[np.float16], generation: int
    ) -> None:
        """Give a generation that does not answer a document's passages, unless the document has changed since."""
        row = self._connection.execute(
            "SELECT key FROM documents WHERE id = ? AND revision = ?", (id, revision)
        ).fetchone()
        if row is not None:
            self._insert(passages, vectors, (generation, row[0], revision))

    def make_live(self, generation: int) -> list[int]:
        """Let a generation answer from now on; the one before it is kept, older ones go: return their numbers."""
        (before,) = self.generations("live")
        self._connection.execute("UPDATE generations SET state = 'old' WHERE id = ?", (before[0],))
        self._connection.execute("UPDATE generations SET state = 'live' WHERE id = ?", (generation,))
        gone = [number for number, _ in self.generations("old") if number != before[0]]
        for number in gone:
            self.drop_generation(number)
        return gone

    def drop_generation(self, generation: int) -> None:
        """Remove a generation that does not answer, with its passages."""
        for table, column in (("passages", "generation"), ("tombstones", "generation"), ("generations", "id")):
            self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (generation,))

    def _insert(
        self, passages: Sequence[Passage], vectors: NDArray[np.float16], where: tuple[int, int | None, int]
    ) -> None:
        """Write passages; `where` is their generation, their document's key and the revision they came with."""
        self._connection.executemany(
            "INSERT INTO passages (start, end, cut, marks, boxes, text, vector, generation, document, revision)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((*_as_row(p), v.tobytes(), *where) for p, v in zip(passages, vectors, strict=True)),
        )

    def _change(self, document: str, op: str) -> int:
        cursor = self._connection.execute(
            "INSERT INTO changes (document, op, at, mark) VALUES (?, ?, ?, ?)",
            (document, op, _now(), secrets.token_hex(8)),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _delete(self, id: str, revision: int) -> None:
        (key,) = self._connection.execute("SELECT key FROM documents WHERE id = ?", (id,)).fetchone()
        self._connection.execute(
            "INSERT INTO tombstones (passage, generation, revision) SELECT id, generation, ? FROM passages"
            " WHERE document = ?",
            (revision, key),
        )
        self._connection.execute("DELETE FROM passages WHERE document = ?", (key,))
        self._connection.execute("DELETE FROM documents WHERE key = ?", (key,))


def content_hash(document: Document) -> str:
    """Return a hash that is equal exactly for equal text, title, uri, metadata, marks and boxes."""
    parts: list[object] = [document.text, document.title, document.uri, dict(document.meta)]
    if document.marks:
        # Documents without any have the hash that they had before there were marks; so it is with boxes.
        parts.append([astuple(mark) for mark in document.marks])
    if document.boxes:
        parts.append(document.boxes.hex())
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _as_row(passage: Passage) -> tuple[object, ...]:
    cut = passage.cut[0] + 2 * passage.cut[1]
    return passage.span.start, passage.span.end, cut, _as_json(passage.marks), passage.boxes, passage.text


def _meta_as_json(document: Document) -> str:
    return json.dumps(dict(document.meta), ensure_ascii=False, sort_keys=True)


def _as_json(marks: Sequence[Mark]) -> str:
    return json.dumps([astuple(mark) for mark in marks], ensure_ascii=False)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
