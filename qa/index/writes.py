"""Write transactions of the catalogue."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from qa.errors import InvalidInput
from qa.index.rows import content_hash, marks_json, meta_json, tables_json, unread_json
from qa.index.transactions import ReadTransaction
from qa.types import Change, Document, Passage, SourceFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COLUMNS = (
    *("id", "title", "uri", "meta", "marks", "boxes", "tables", "unread", "file", "file_name", "media_type"),
    *("text", "characters", "sha256", "added_at", "revision"),
)
_PUT = (
    f"INSERT INTO documents ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) ON CONFLICT (id)"
    f" DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in _COLUMNS[1:])} RETURNING key"
)


class WriteTransaction(ReadTransaction):
    """The next revisions of the catalogue, invisible to readers until the transaction commits."""

    def put(
        self, document: Document, passages: Sequence[Passage], vectors: NDArray[np.float16], generation: int
    ) -> Change:
        """Add a document, or replace the one with the same id unless its content is equal.

        Args:
            document: the document with its text. The data of its file is required unless the file is already stored.
            passages: all passages of the document, in order.
            vectors: their vectors, shape (passages, dimension).
            generation: the generation that passages and vectors were prepared for.

        Raises:
            InvalidInput: the data of the document's file is missing, or does not have the file's hash.
        """
        sha256 = content_hash(document)
        row = self._connection.execute("SELECT key, sha256 FROM documents WHERE id = ?", (document.id,)).fetchone()
        if row is not None:
            if row[1] == sha256:
                return "unchanged"
            self._delete_passages(row[0], self.revision() + 1)
        revision = self._record_change(document.id, "put")
        if document.file:
            self._store_file(document.id, document.file)
        values = (
            *(document.id, document.title, document.uri, meta_json(document), marks_json(document.marks)),
            *(document.boxes, tables_json(document.tables), unread_json(document.unread)),
            *_file_row(document.file),
            *(document.text, len(document.text), sha256, _now(), revision),
        )
        # Updating the row of a replaced document keeps its file, if it stays the same.
        ((key,),) = self._connection.execute(_PUT, values).fetchall()
        self._insert(passages, vectors, (generation, key, revision))
        return "created" if row is None else "replaced"

    def update_meta(self, document: Document) -> None:
        """Replace the metadata of a stored document; its passages stay."""
        revision = self._record_change(document.id, "put")
        self._connection.execute(
            "UPDATE documents SET meta = ?, sha256 = ?, revision = ? WHERE id = ?",
            (meta_json(document), content_hash(document), revision, document.id),
        )

    def update_file(self, document: Document) -> None:
        """Replace the original file of a stored document; its passages stay."""
        revision = self._record_change(document.id, "put")
        if document.file:
            self._store_file(document.id, document.file)
        self._connection.execute(
            "UPDATE documents SET file = ?, file_name = ?, media_type = ?, sha256 = ?, revision = ? WHERE id = ?",
            (*_file_row(document.file), content_hash(document), revision, document.id),
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
            "INSERT INTO passages"
            " (start, end, cut, marks, boxes, tables, lead_in, text, vector, generation, document, revision)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((*_passage_row(p), v.tobytes(), *owner) for p, v in zip(passages, vectors, strict=True)),
        )

    def _record_change(self, document: str, op: str) -> int:
        cursor = self._connection.execute(
            "INSERT INTO changes (document, op, at, mark) VALUES (?, ?, ?, ?)",
            (document, op, _now(), secrets.token_hex(8)),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _store_file(self, id: str, file: SourceFile) -> None:
        """Store a file unless it is stored already."""
        if self._connection.execute("SELECT 1 FROM files WHERE sha256 = ?", (file.sha256,)).fetchone():
            return
        if file.data is None:
            raise InvalidInput(
                f"document {id!r}: the data of its file {file.name!r} is neither given nor stored; set `data`, or set"
                " the document's `file` to None",
                field="file",
            )
        if hashlib.sha256(file.data).hexdigest() != file.sha256:
            raise InvalidInput(
                f"document {id!r}: the data of its file {file.name!r} has another hash than its `sha256`", field="file"
            )
        cursor = self._connection.execute(
            "INSERT INTO files (sha256, size, data) VALUES (?, ?, zeroblob(?))",
            (file.sha256, len(file.data), len(file.data)),
        )
        assert cursor.lastrowid is not None
        # As a parameter of the statement, SQLite would copy the data twice.
        with self._connection.blobopen("files", "data", cursor.lastrowid) as blob:
            blob.write(file.data)

    def _delete(self, id: str, revision: int) -> None:
        (key,) = self._connection.execute("SELECT key FROM documents WHERE id = ?", (id,)).fetchone()
        self._delete_passages(key, revision)
        self._connection.execute("DELETE FROM documents WHERE key = ?", (key,))

    def _delete_passages(self, key: int, revision: int) -> None:
        """Delete the passages of a document in all generations."""
        self._connection.execute(
            "INSERT INTO tombstones (passage, generation, revision) SELECT id, generation, ? FROM passages"
            " WHERE document = ?",
            (revision, key),
        )
        self._connection.execute("DELETE FROM passages WHERE document = ?", (key,))


def _passage_row(passage: Passage) -> tuple[object, ...]:
    cut = passage.cut[0] + 2 * passage.cut[1]
    places = marks_json(passage.marks), passage.boxes, tables_json(passage.tables)
    return passage.span.start, passage.span.end, cut, *places, passage.lead_in, passage.text


def _file_row(file: SourceFile | None) -> tuple[str | None, ...]:
    return (file.sha256, file.name, file.media_type) if file else (None, None, None)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
