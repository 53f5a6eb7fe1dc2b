"""Read transactions of the catalogue."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from qa.errors import Conflict
from qa.index.filter_sql import to_sql
from qa.index.rows import parse_marks, parse_tables
from qa.index.stored_documents import document_info, stored_document
from qa.search.filters import Filter, Scalar
from qa.text.headings import search_text
from qa.types import Document, DocumentInfo, Passage, Span

# NumPy takes a tenth of a second to import, and listing documents needs no vectors.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa.search.hybrid import StoredPassage
    from qa.search.quotations import PassageText

FOLD = "fold"
"""Name of the SQL function by which the catalogue's connections compare text in any case."""

# SQLite limits the number of parameters of a statement.
_MAX_PARAMETERS = 500
_MIN_BLOCK = 100
_Id = TypeVar("_Id", int, str)


class ReadTransaction:
    """One revision of the catalogue."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def revision(self) -> int:
        """Return the number of the last change; 0 for an index that was never written to."""
        return self.last_change()[0]

    def last_change(self) -> tuple[int, str]:
        """Return the number of the last change and its mark, a random token that is unique across catalogues."""
        row = self._connection.execute("SELECT revision, mark FROM changes ORDER BY revision DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else (0, "-")

    def mark_of(self, revision: int) -> str | None:
        """Return the mark of a change; None if there was no such change."""
        if revision == 0:
            return "-"
        row = self._connection.execute("SELECT mark FROM changes WHERE revision = ?", (revision,)).fetchone()
        return row[0] if row else None

    def live_generation(self) -> tuple[int, str]:
        """Return the number and the specification (JSON) of the live generation.

        Raises:
            Conflict: no generation is live; only a damaged catalogue is in this state.
        """
        row = self._connection.execute("SELECT id, spec FROM generations WHERE state = 'live'").fetchone()
        if row is None:
            raise Conflict("no generation of the index is live; restore it from an export", field="index")
        return int(row[0]), str(row[1])

    def generations(self, state: str) -> list[tuple[int, str]]:
        """Return the numbers and specifications of the generations in a state (building, live, old), newest first."""
        rows = self._connection.execute("SELECT id, spec FROM generations WHERE state = ? ORDER BY id DESC", (state,))
        return [(int(id), str(spec)) for id, spec in rows]

    def documents_without_passages(self, generation: int, limit: int) -> list[tuple[Document, int]]:
        """Return documents that have no passages in a generation yet, each with the revision that wrote it."""
        rows = self._connection.execute(
            f"{_DOCUMENT} WHERE NOT EXISTS"
            " (SELECT 1 FROM passages p WHERE p.document = d.key AND p.generation = ?) ORDER BY key LIMIT ?",
            (generation, limit),
        )
        return [(stored_document(row), row["revision"]) for row in rows]

    def has(self, id: str) -> bool:
        """Return whether a document with this id is stored."""
        return self._connection.execute("SELECT 1 FROM documents WHERE id = ?", (id,)).fetchone() is not None

    def document(self, id: str) -> Document | None:
        """Return a document with its text, without the data of its file."""
        row = self._connection.execute(f"{_DOCUMENT} WHERE id = ?", (id,)).fetchone()
        return stored_document(row) if row else None

    def all_documents(self) -> Iterator[tuple[Document, str]]:
        """Yield every document and its stored content hash."""
        for row in self._connection.execute(f"{_DOCUMENT} ORDER BY key"):
            yield stored_document(row), row["sha256"]

    def texts(self, filter: Filter | None = None) -> Iterator[tuple[str, str]]:
        """Yield the id and text of every document that passes a filter."""
        condition, parameters = _condition(filter)
        query = f"SELECT d.id, d.text FROM documents d WHERE {condition} ORDER BY d.key"
        return (tuple(row) for row in self._connection.execute(query, parameters))

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield the hash and the size of every stored file."""
        return (tuple(row) for row in self._connection.execute("SELECT sha256, size FROM files ORDER BY sha256"))

    def file_data(self, sha256: str, start: int = 0, end: int | None = None) -> bytes | None:
        """Return the bytes of a stored file from `start` to `end`; None if no such file is stored."""
        row = self._connection.execute("SELECT rowid FROM files WHERE sha256 = ?", (sha256,)).fetchone()
        if row is None:
            return None
        # A column of a statement would be copied twice.
        with self._connection.blobopen("files", "data", row[0], readonly=True) as blob:
            blob.seek(start)
            return blob.read(-1 if end is None else end - start)

    def document_info(self, id: str) -> DocumentInfo | None:
        """Return a document's description without its text."""
        row = self._connection.execute(f"{_INFO} WHERE d.id = ?", (id,)).fetchone()
        return document_info(row) if row else None

    def documents(self, after: str | None, limit: int, query: str | None = None) -> list[DocumentInfo]:
        """Return documents in the order of their ids, starting after the id `after`.

        With a query, only those whose title, file name or id contains it, in any case.
        """
        condition, parameters = "", list[object]()
        if query:
            condition = f" AND ({' OR '.join(f'instr({FOLD}({c}), {FOLD}(?))' for c in _SEARCHED)})"
            parameters = [query] * len(_SEARCHED)
        rows = self._connection.execute(
            f"{_INFO} WHERE d.id > ?{condition} ORDER BY d.id LIMIT ?", (after or "", *parameters, limit)
        )
        return [document_info(row) for row in rows]

    def documents_at(self, revision: int, filter: Filter | None, after: str | None, limit: int) -> list[DocumentInfo]:
        """Return documents that were stored at a revision, as they are now, in the order of their ids.

        Args:
            revision: documents added after it are left out; those removed since are missing.
            filter: condition that the documents pass now; None for all.
            after: the id after which the documents start; None for the first.
            limit: maximum number of documents.
        """
        condition, parameters = _condition(filter)
        documents: list[DocumentInfo] = []
        # Many documents may have been added since.
        block = max(limit, _MIN_BLOCK)
        while len(documents) < limit:
            rows = self._connection.execute(
                f"{_INFO} WHERE d.id > ? AND {condition} ORDER BY d.id LIMIT ?", (after or "", *parameters, block)
            ).fetchall()
            late = [row["id"] for row in rows if row["revision"] > revision]
            added = set(late) - self._stored_at(revision, late)
            documents += [document_info(row) for row in rows if row["id"] not in added]
            if len(rows) < block:
                break
            after = rows[-1]["id"]
        return documents[:limit]

    def count_documents(self, filter: Filter | None) -> int:
        """Return the number of documents that pass a filter."""
        condition, parameters = _condition(filter)
        row = self._connection.execute(f"SELECT count(*) FROM documents d WHERE {condition}", parameters).fetchone()
        return int(row[0])

    def _stored_at(self, revision: int, ids: Sequence[str]) -> set[str]:
        """Return those of the documents whose last change up to a revision was not their removal."""
        stored: set[str] = set()
        for placeholders, part in _parts(ids):
            # With `max`, SQLite takes the other columns from the row that has the maximum.
            rows = self._connection.execute(
                "SELECT document, op, max(revision) FROM changes"
                f" WHERE revision <= ? AND document IN ({placeholders}) GROUP BY document",
                (revision, *part),
            )
            stored |= {row["document"] for row in rows if row["op"] == "put"}
        return stored

    def counts(self, generation: int) -> tuple[int, int]:
        """Return the maintained counts of documents and of a generation's passages, in constant time."""
        row = self._connection.execute(
            "SELECT coalesce((SELECT documents FROM counters), 0),"
            " coalesce((SELECT passages FROM generations WHERE id = ?), 0)",
            (generation,),
        ).fetchone()
        return int(row[0]), int(row[1])

    def count_rows(self, generation: int) -> tuple[int, int]:
        """Return what `counts` should return, by counting the rows. The time grows with the index."""
        row = self._connection.execute(
            "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages WHERE generation = ?)",
            (generation,),
        ).fetchone()
        return int(row[0]), int(row[1])

    def passages(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        """Return passages by id; ids that do not exist are missing from the result."""
        from qa.search.hybrid import StoredPassage

        passages: dict[int, StoredPassage] = {}
        for placeholders, part in _parts(ids):
            rows = self._connection.execute(
                "SELECT p.id, d.id, p.start, p.end, p.text, p.cut, p.marks, p.boxes, p.tables, p.lead_in, p.vector,"
                " d.title, d.uri, d.meta FROM passages p JOIN documents d ON d.key = p.document"
                f" WHERE p.id IN ({placeholders})",
                part,
            )
            for id, document_id, start, end, text, cut, marks, boxes, tables, lead_in, vector, title, uri, meta in rows:
                cuts, places = (bool(cut & 1), bool(cut & 2)), (parse_marks(marks), boxes, parse_tables(tables))
                passage = Passage(document_id, Span(start, end), text, cuts, *places, lead_in)
                passages[id] = StoredPassage(id, passage, _decode(vector), title, uri, json.loads(meta))
        return passages

    def vectors(self, ids: Sequence[int]) -> dict[int, NDArray[np.float16]]:
        """Return the vectors of passages by id; ids that do not exist are missing from the result."""
        vectors: dict[int, NDArray[np.float16]] = {}
        for placeholders, part in _parts(ids):
            rows = self._connection.execute(f"SELECT id, vector FROM passages WHERE id IN ({placeholders})", part)
            vectors |= {id: _decode(vector) for id, vector in rows}
        return vectors

    def passage_texts(self, ids: Sequence[int], filter: Filter | None) -> Iterator[PassageText]:
        """Yield the texts of the passages whose documents pass a filter, by id; rows are read as they are needed."""
        from qa.search.quotations import PassageText

        condition, parameters = _condition(filter)
        for placeholders, part in _parts(ids):
            rows = self._connection.execute(
                "SELECT d.id, p.start, p.end, p.text FROM passages p JOIN documents d ON d.key = p.document"
                f" WHERE p.id IN ({placeholders}) AND {condition} ORDER BY p.id",
                (*part, *parameters),
            )
            for document_id, start, end, text in rows:
                yield PassageText(document_id, Span(start, end), text)

    def passages_of(self, document_id: str, generation: int) -> list[int]:
        """Return the ids of a document's passages, in the order of the text."""
        rows = self._connection.execute(
            "SELECT p.id FROM passages p JOIN documents d ON d.key = p.document"
            " WHERE d.id = ? AND p.generation = ? ORDER BY p.start",
            (document_id, generation),
        )
        return [row[0] for row in rows]

    def texts_since(self, generation: int, revision: int) -> Iterator[tuple[int, str]]:
        """Yield id and searchable text of each passage that was added after `revision` and is still stored, by id.

        The searchable text includes the headings above the passage.
        """
        rows = self._connection.execute(
            "SELECT p.id, p.text, d.title, p.marks, p.lead_in FROM passages p JOIN documents d ON d.key = p.document"
            f" WHERE {_without_index(revision)}p.generation = ? AND p.revision > ? ORDER BY p.id",
            (generation, revision),
        )
        for id, text, title, marks, lead_in in rows:
            yield id, search_text(text, title, parse_marks(marks), lead_in)

    def vectors_since(self, generation: int, revision: int) -> Iterator[tuple[int, NDArray[np.float16]]]:
        """Yield id and vector of each passage that was added after `revision` and is still stored, by id."""
        rows = self._connection.execute(
            "SELECT p.id, p.vector FROM passages p"
            f" WHERE {_without_index(revision)}p.generation = ? AND p.revision > ? ORDER BY p.id",
            (generation, revision),
        )
        for id, vector in rows:
            yield id, _decode(vector)

    def removed_since(self, generation: int, revision: int) -> list[int]:
        """Return the ids of the passages that were removed after `revision`."""
        rows = self._connection.execute(
            "SELECT passage FROM tombstones WHERE generation = ? AND revision > ? ORDER BY passage",
            (generation, revision),
        )
        return [row[0] for row in rows]

    def passages_matching(self, generation: int, filter: Filter) -> list[int]:
        """Return the ids of the passages whose documents pass a filter, ascending."""
        condition, parameters = to_sql(filter)
        rows = self._connection.execute(
            "SELECT p.id FROM passages p JOIN documents d ON d.key = p.document"
            f" WHERE p.generation = ? AND {condition} ORDER BY p.id",
            (generation, *parameters),
        )
        return [row[0] for row in rows]


_SEARCHED = ("d.title", "d.file_name", "d.id")
_FILE = "d.file, d.file_name, d.media_type, (SELECT size FROM files f WHERE f.sha256 = d.file) AS size"
_DOCUMENT = (
    "SELECT d.id, d.text, d.title, d.uri, d.meta, d.marks, d.boxes, d.tables, d.unread, d.sha256, d.revision,"
    f" {_FILE} FROM documents d"
)
_INFO = (
    "SELECT d.id, d.title, d.uri, d.meta, d.characters, d.sha256, d.added_at, d.revision, d.unread,"
    " (SELECT count(*) FROM passages p JOIN generations g ON g.id = p.generation AND g.state = 'live'"
    f"  WHERE p.document = d.key) AS passages, {_FILE} FROM documents d"
)


def _decode(vector: bytes) -> NDArray[np.float16]:
    import numpy as np

    return np.frombuffer(vector, np.float16)


def _without_index(revision: int) -> str:
    """Return `+` when all rows are read: it stops SQLite from using an index and then sorting the rows."""
    return "" if revision else "+"


def _condition(filter: Filter | None) -> tuple[str, tuple[Scalar, ...]]:
    return to_sql(filter) if filter else ("TRUE", ())


def _parts(ids: Sequence[_Id]) -> Iterator[tuple[str, list[_Id]]]:
    """Yield ids in groups that one statement accepts, each with its placeholders."""
    for start in range(0, len(ids), _MAX_PARAMETERS):
        part = list(ids[start : start + _MAX_PARAMETERS])
        yield ",".join("?" * len(part)), part
