"""What can be read and written in one transaction of the catalogue."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.errors import Conflict
from qa.search.filters import CompiledFilter
from qa.text.headings import search_text
from qa.types import Document, DocumentInfo, Mark, Passage, Span

# SQLite takes a limited number of parameters in a statement.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with its number, its vector (float16, unit length) and the description of its document."""

    id: int
    passage: Passage
    vector: NDArray[np.float16]
    title: str | None
    uri: str | None
    meta: dict[str, Any]


class ReadTransaction:
    """One revision of the catalogue."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def revision(self) -> int:
        """Return the number of the last change; 0 for an index that never had one."""
        return self.state()[0]

    def state(self) -> tuple[int, str]:
        """Return the number of the last change and its mark, which no other catalogue's change of that number has."""
        row = self._connection.execute("SELECT revision, mark FROM changes ORDER BY revision DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else (0, "-")

    def mark_of(self, revision: int) -> str | None:
        """Return the mark of a change; None if there was none of that number."""
        if revision == 0:
            return "-"
        row = self._connection.execute("SELECT mark FROM changes WHERE revision = ?", (revision,)).fetchone()
        return row[0] if row else None

    def live_generation(self) -> tuple[int, str]:
        """Return the number and the specification (JSON) of the generation that answers.

        Raises:
            Conflict: none does, which no catalogue of this program's comes to.
        """
        row = self._connection.execute("SELECT id, spec FROM generations WHERE state = 'live'").fetchone()
        if row is None:
            raise Conflict("no generation of the index is live", field="index")
        return int(row[0]), str(row[1])

    def generations(self, state: str) -> list[tuple[int, str]]:
        """Return the numbers and specifications of the generations in a state (building, live, old), newest first."""
        rows = self._connection.execute("SELECT id, spec FROM generations WHERE state = ? ORDER BY id DESC", (state,))
        return [(int(id), str(spec)) for id, spec in rows]

    def lacking(self, generation: int, limit: int) -> list[tuple[Document, int]]:
        """Return documents that a generation has no passages of, with the revision each came with."""
        rows = self._connection.execute(
            "SELECT id, text, title, uri, meta, marks, boxes, revision FROM documents d WHERE NOT EXISTS"
            " (SELECT 1 FROM passages p WHERE p.document = d.key AND p.generation = ?) ORDER BY key LIMIT ?",
            (generation, limit),
        )
        return [(_document(row), int(row[7])) for row in rows]

    def has(self, id: str) -> bool:
        """Tell whether there is a document of that id."""
        return self._connection.execute("SELECT 1 FROM documents WHERE id = ?", (id,)).fetchone() is not None

    def document(self, id: str) -> Document | None:
        """Return a document with its text."""
        row = self._connection.execute(
            "SELECT id, text, title, uri, meta, marks, boxes FROM documents WHERE id = ?", (id,)
        ).fetchone()
        return _document(row) if row else None

    def document_info(self, id: str) -> DocumentInfo | None:
        """Return what is known of a document, without its text."""
        row = self._connection.execute(f"{_INFO} WHERE d.id = ?", (id,)).fetchone()
        return _info(row) if row else None

    def documents(self, after: str | None, limit: int) -> list[DocumentInfo]:
        """Return documents in the order of their ids, those behind `after`."""
        rows = self._connection.execute(f"{_INFO} WHERE d.id > ? ORDER BY d.id LIMIT ?", (after or "", limit))
        return [_info(row) for row in rows]

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield every document's id and text."""
        yield from self._connection.execute("SELECT id, text FROM documents ORDER BY key")

    def counts(self, generation: int) -> tuple[int, int]:
        """Return the numbers of documents and of a generation's passages."""
        (documents,) = self._connection.execute("SELECT count(*) FROM documents").fetchone()
        (passages,) = self._connection.execute(
            "SELECT count(*) FROM passages WHERE generation = ?", (generation,)
        ).fetchone()
        return int(documents), int(passages)

    def passages(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        """Return the passages of these numbers; those that do not exist are missing from the result."""
        found: dict[int, StoredPassage] = {}
        for places, part in _parts(ids):
            rows = self._connection.execute(
                "SELECT p.id, d.id, p.start, p.end, p.text, p.cut, p.marks, p.boxes, p.vector, d.title, d.uri, d.meta"
                f" FROM passages p JOIN documents d ON d.key = p.document WHERE p.id IN ({places})",
                part,
            )
            for number, document, start, end, text, cut, marks, boxes, vector, title, uri, meta in rows:
                edges = bool(cut & 1), bool(cut & 2)
                passage = Passage(document, Span(start, end), text, edges, _marks(marks), boxes)
                array = np.frombuffer(vector, np.float16)
                found[number] = StoredPassage(number, passage, array, title, uri, json.loads(meta))
        return found

    def vectors(self, ids: Sequence[int]) -> dict[int, NDArray[np.float16]]:
        """Return the vectors of the passages of these numbers; those that do not exist are missing from the result."""
        found: dict[int, NDArray[np.float16]] = {}
        for places, part in _parts(ids):
            rows = self._connection.execute(f"SELECT id, vector FROM passages WHERE id IN ({places})", part)
            found |= {number: np.frombuffer(vector, np.float16) for number, vector in rows}
        return found

    def passages_of(self, document: str, generation: int) -> list[int]:
        """Return the numbers of a document's passages, in the order of the text."""
        rows = self._connection.execute(
            "SELECT p.id FROM passages p JOIN documents d ON d.key = p.document"
            " WHERE d.id = ? AND p.generation = ? ORDER BY p.start",
            (document, generation),
        )
        return [row[0] for row in rows]

    def texts_since(self, generation: int, revision: int) -> Iterator[tuple[int, str]]:
        """Yield number and text of each passage that came after `revision` and is still there, by number.

        The text is what it is found by.
        """
        rows = self._connection.execute(
            "SELECT p.id, p.text, d.title, p.marks FROM passages p JOIN documents d ON d.key = p.document"
            f" WHERE {_all_or(revision)}p.generation = ? AND p.revision > ? ORDER BY p.id",
            (generation, revision),
        )
        for number, text, title, marks in rows:
            yield number, search_text(text, title, _marks(marks))

    def vectors_since(self, generation: int, revision: int) -> Iterator[tuple[int, NDArray[np.float16]]]:
        """Yield number and vector of each passage that came after `revision` and is still there, by number."""
        rows = self._connection.execute(
            "SELECT p.id, p.vector FROM passages p"
            f" WHERE {_all_or(revision)}p.generation = ? AND p.revision > ? ORDER BY p.id",
            (generation, revision),
        )
        for number, vector in rows:
            yield number, np.frombuffer(vector, np.float16)

    def removed_since(self, generation: int, revision: int) -> list[int]:
        """Return the numbers of the passages that went after `revision`."""
        rows = self._connection.execute(
            "SELECT passage FROM tombstones WHERE generation = ? AND revision > ? ORDER BY passage",
            (generation, revision),
        )
        return [row[0] for row in rows]

    def allowed(self, generation: int, compiled: CompiledFilter) -> list[int]:
        """Return the numbers of the passages whose documents pass a filter, ascending."""
        rows = self._connection.execute(
            "SELECT p.id FROM passages p JOIN documents d ON d.key = p.document"
            f" WHERE p.generation = ? AND {compiled.condition} ORDER BY p.id",
            (generation, *compiled.parameters),
        )
        return [row[0] for row in rows]


_INFO = (
    "SELECT d.id, d.title, d.uri, d.meta, d.characters, d.sha256, d.added_at, d.revision,"
    " (SELECT count(*) FROM passages p JOIN generations g ON g.id = p.generation AND g.state = 'live'"
    "  WHERE p.document = d.key) FROM documents d"
)


def _info(row: tuple[Any, ...]) -> DocumentInfo:
    id, title, uri, meta, characters, sha256, added_at, revision, passages = row
    return DocumentInfo(id, title, uri, json.loads(meta), characters, passages, sha256, added_at, revision)


def _document(row: tuple[Any, ...]) -> Document:
    return Document(row[0], row[1], row[2], row[3], json.loads(row[4]), _marks(row[5]), row[6])


def _marks(text: str) -> tuple[Mark, ...]:
    return tuple(Mark(*fields) for fields in json.loads(text))


def _all_or(revision: int) -> str:
    """Return what keeps SQLite from an index where all are wanted: it would sort them behind it."""
    return "" if revision else "+"


def _parts(ids: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
    """Yield numbers by as many as a statement takes, with a place for each."""
    for first in range(0, len(ids), _AT_ONCE):
        part = list(ids[first : first + _AT_ONCE])
        yield ",".join("?" * len(part)), part
