"""Write transactions of the catalogue."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from qa.index.transactions import ReadTransaction
from qa.types import Change, Document, Mark, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class WriteTransaction(ReadTransaction):
    """The next revisions of the catalogue, invisible to readers until the transaction commits."""

    def put(
        self, document: Document, passages: Sequence[Passage], vectors: NDArray[np.float16], generation: int
    ) -> Change:
        """Add a document, or replace the one with the same id unless its content is equal.

        Args:
            document: the document with its text.
            passages: all passages of the document, in order.
            vectors: their vectors, shape (passages, dimension).
            generation: the generation that passages and vectors were prepared for.
        """
        sha256 = content_hash(document)
        row = self._connection.execute("SELECT sha256 FROM documents WHERE id = ?", (document.id,)).fetchone()
        if row is not None:
            if row[0] == sha256:
                return "unchanged"
            self._delete(document.id, self.revision() + 1)
        revision = self._record_change(document.id, "put")
        attributes = (
            *(document.id, document.title, document.uri),
            *(_meta_json(document), _marks_json(document.marks), document.boxes),
        )
        key = self._connection.execute(
            "INSERT INTO documents (id, title, uri, meta, marks, boxes, text, characters, sha256, added_at,"
            " revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*attributes, document.text, len(document.text), sha256, _now(), revision),
        ).lastrowid
        self._insert(passages, vectors, (generation, key, revision))
        return "created" if row is None else "replaced"

    def update_meta(self, document: Document) -> None:
        """Replace the metadata of a stored document; its passages stay."""
        revision = self._record_change(document.id, "put")
        self._connection.execute(
            "UPDATE documents SET meta = ?, sha256 = ?, revision = ? WHERE id = ?",
            (_meta_json(document), content_hash(document), revision, document.id),
        )

    def remove(self, id: str) -> None:
        """Remove a stored document."""
        self._delete(id, self._record_change(id, "remove"))

    def begin_generation(self, specification: str) -> int:
        """Insert a generation that has no passages and is not live, and return its number."""
        row = self._connection.execute("INSERT INTO generations (spec, state) VALUES (?, 'building')", (specification,))
        assert row.lastrowid is not None
        return row.lastrowid

    def add_passages(
        self, id: str, revision: int, passages: Sequence[Passage], vectors: NDArray[np.float16], generation: int
    ) -> None:
        """Add a document's passages to a generation that is not live, unless the document changed after `revision`."""
        row = self._connection.execute(
            "SELECT key FROM documents WHERE id = ? AND revision = ?", (id, revision)
        ).fetchone()
        if row is not None:
            self._insert(passages, vectors, (generation, row[0], revision))

    def activate_generation(self, generation: int) -> list[int]:
        """Make a generation live, keep the previous one, and drop older ones.

        Returns:
            The numbers of the dropped generations.
        """
        (previous,) = self.generations("live")
        self._connection.execute("UPDATE generations SET state = 'old' WHERE id = ?", (previous[0],))
        self._connection.execute("UPDATE generations SET state = 'live' WHERE id = ?", (generation,))
        dropped = [number for number, _ in self.generations("old") if number != previous[0]]
        for number in dropped:
            self.drop_generation(number)
        return dropped

    def drop_generation(self, generation: int) -> None:
        """Delete a generation that is not live, with its passages."""
        for table, column in (("passages", "generation"), ("tombstones", "generation"), ("generations", "id")):
            self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (generation,))

    def reset_counters(self) -> None:
        """Set the maintained counts to the numbers of rows."""
        self._connection.execute("DELETE FROM counters")
        self._connection.execute("INSERT INTO counters SELECT count(*) FROM documents")
        self._connection.execute(
            "UPDATE generations SET passages = (SELECT count(*) FROM passages p WHERE p.generation = generations.id)"
        )

    def _insert(
        self, passages: Sequence[Passage], vectors: NDArray[np.float16], owner: tuple[int, int | None, int]
    ) -> None:
        """Insert passages; `owner` is their generation, their document's key and the revision that wrote it."""
        self._connection.executemany(
            "INSERT INTO passages (start, end, cut, marks, boxes, text, vector, generation, document, revision)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((*_passage_row(p), v.tobytes(), *owner) for p, v in zip(passages, vectors, strict=True)),
        )

    def _record_change(self, document: str, op: str) -> int:
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
    """Return a hash of a document's text, title, uri, metadata, marks and boxes."""
    parts: list[object] = [document.text, document.title, document.uri, dict(document.meta)]
    if document.marks:
        # Earlier versions hashed neither marks nor boxes. Documents without them keep their hashes.
        parts.append([astuple(mark) for mark in document.marks])
    if document.boxes:
        parts.append(document.boxes.hex())
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _passage_row(passage: Passage) -> tuple[object, ...]:
    cut = passage.cut[0] + 2 * passage.cut[1]
    return passage.span.start, passage.span.end, cut, _marks_json(passage.marks), passage.boxes, passage.text


def _meta_json(document: Document) -> str:
    return json.dumps(dict(document.meta), ensure_ascii=False, sort_keys=True)


def _marks_json(marks: Sequence[Mark]) -> str:
    return json.dumps([astuple(mark) for mark in marks], ensure_ascii=False)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
