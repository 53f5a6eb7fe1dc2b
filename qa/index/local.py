"""The embedded index: a folder with the catalogue and what is derived from it.

indexes/<name>/catalog.sqlite3      the truth
               vectors-G-R-M.faiss  base of generation G at revision R with mark M, and its passage numbers beside it
               lexical-G/           tantivy's files of generation G, and the REVISION they hold
               lock                 held by whoever brings the derived files up to date
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.errors import Conflict, Unavailable
from qa.index.catalog import Catalog, Specification
from qa.index.durable import exclusively
from qa.index.filters import CompiledFilter
from qa.index.fusion import CANDIDATES, fuse
from qa.index.lexical import LexicalIndex, LexicalSearcher, StaleLexicalIndex, discard
from qa.index.transactions import Change, ReadTransaction, content_hash
from qa.index.vectors import VectorView, build_base, cosines, newest_base
from qa.types import Description, Document, DocumentInfo, Hit, Passage, SearchResult

_log = logging.getLogger(__name__)

# tantivy's statistics count deleted passages until it merges them away: past this share the postings are made anew.
_MAX_DEAD_POSTINGS = 0.1


CATALOG = "catalog.sqlite3"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with its passages and their vectors, shape (passages, dimension), ready to be written."""

    document: Document
    passages: Sequence[Passage]
    vectors: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class IndexState:
    """How much an index holds, as of one revision."""

    documents: int
    passages: int
    generation: int
    revision: int


@dataclass(frozen=True, slots=True)
class _View:
    generation: int
    revision: int
    mark: str
    vectors: VectorView
    lexical: LexicalSearcher


class LocalIndex:
    """One named index. Any number of threads and processes may use the same folder."""

    def __init__(self, folder: Path, specification: Specification, *, create: bool = False) -> None:
        """Open an index, or with `create` make it where there is none.

        Raises:
            NotFound: there is none.
            Conflict: it was made with another embedder or another way of splitting.
        """
        try:
            if create:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"{folder}: {error.strerror}", field="index") from error
        self.folder = folder
        self.name = folder.name
        self.specification = specification
        self.catalog = Catalog(folder / CATALOG, specification if create else None)
        _, found = self.catalog.specification()
        if found != specification:
            self.catalog.close()
            raise Conflict(
                f"index {self.name!r} was made with {_described(found)}, but the settings name"
                f" {_described(specification)}: use the same, or another index",
                field="index",
            )
        self._view: _View | None = None
        self._lexical: LexicalIndex | None = None
        self._catching_up = threading.Lock()

    def close(self) -> None:
        """Let go of the files."""
        self.catalog.close()

    def put(self, prepared: Sequence[Prepared], generation: int) -> list[Change] | None:
        """Add or replace documents, all or none; each is searchable by the next query of any process.

        Returns:
            What each did, or None if `generation` is not the live one any more and nothing was written.
        """
        with self.catalog.write() as transaction:
            if transaction.live_generation()[0] != generation:
                return None
            return [transaction.put(p.document, p.passages, p.vectors, generation) for p in prepared]

    def unchanged(self, documents: Sequence[Document]) -> dict[str, int]:
        """Return the ids of those documents that are stored just so already, with their numbers of passages."""
        with self.catalog.read() as transaction:
            known = {d.id: (d, transaction.document_info(d.id)) for d in documents}
        return {id: info.passages for id, (d, info) in known.items() if info and info.sha256 == content_hash(d)}

    def present(self, ids: Sequence[str]) -> set[str]:
        """Return those of the ids that are stored."""
        with self.catalog.read() as transaction:
            return {id for id in ids if transaction.has(id)}

    def remove(self, ids: Sequence[str]) -> str | None:
        """Remove documents, all or none; return the first id that is not there, or None when all are removed."""
        with self.catalog.write() as transaction:
            missing = next((id for id in ids if not transaction.has(id)), None)
            if missing is None:
                for id in dict.fromkeys(ids):
                    transaction.remove(id)
        return missing

    def describe(self, id: str, description: Description) -> DocumentInfo | None:
        """Change a document's title or metadata; return what is known of it then, or None if there is none."""
        with self.catalog.write() as transaction:
            document = transaction.document(id)
            if document is None:
                return None
            described = replace(document, **description)
            # By hash: to Python, true equals 1.
            if content_hash(described) != content_hash(document):
                transaction.describe(described)
            return transaction.document_info(id)

    def document(self, id: str) -> tuple[Document, DocumentInfo] | None:
        """Return a document and what is known of it."""
        with self.catalog.read() as transaction:
            document, info = transaction.document(id), transaction.document_info(id)
        return (document, info) if document and info else None

    def documents(self, after: str | None, limit: int) -> list[DocumentInfo]:
        """Return documents in the order of their ids, those behind `after`."""
        with self.catalog.read() as transaction:
            return transaction.documents(after, limit)

    def state(self) -> IndexState:
        """Return how much the index holds, and which state of it that is."""
        with self.catalog.read() as transaction:
            generation, _ = transaction.live_generation()
            return IndexState(*transaction.counts(generation), generation, transaction.revision())

    def counts(self) -> tuple[int, int]:
        """Return the numbers of documents and passages."""
        with self.catalog.read() as transaction:
            return transaction.counts(transaction.live_generation()[0])

    def search(
        self, question: str, vector: NDArray[np.float32], limit: int, compiled: CompiledFilter | None = None
    ) -> SearchResult:
        """Find the passages that most likely answer a question.

        Args:
            question: as it was asked.
            vector: its unit vector.
            limit: how many passages.
            compiled: which documents may answer.
        """
        with self._pinned() as (view, transaction):
            allowed = None if compiled is None else transaction.allowed(view.generation, compiled)
            depth = max(CANDIDATES, limit)
            dense_ids = view.vectors.search(vector, depth, allowed)
            lexical = dict(view.lexical.search(question, depth, allowed))
            candidates = sorted({*dense_ids, *lexical})
            lexical |= view.lexical.scores(question, [number for number in candidates if number not in lexical])
            ceiling = view.lexical.ceiling(question)
            stored = transaction.passages(candidates)
        dense = cosines([stored[number].vector for number in candidates], vector)
        fused = fuse([lexical[number] for number in candidates], dense, ceiling)
        hits = [
            Hit(n, stored[n].passage, stored[n].title, stored[n].uri, stored[n].meta, lexical[n], d, float(f))
            for n, d, f in zip(candidates, dense, fused, strict=True)
        ]
        hits.sort(key=lambda hit: (-hit.retrieval, hit.passage_id))
        return SearchResult(hits[:limit], view.generation, view.revision)

    def catch_up(self) -> None:
        """Bring the derived files to the catalogue's revision now, rather than with the next query."""
        with self._pinned():
            pass

    def discard_derived(self) -> None:
        """Remove vectors' base and postings: they are made again from the catalogue when they are next needed."""
        with self._catching_up, exclusively(self.folder / "lock"):
            self._view = self._lexical = None
            for path in self.folder.glob("vectors-*"):
                path.unlink(missing_ok=True)
            for path in self.folder.glob("lexical-*"):
                discard(path)

    def compare_derived(self) -> list[str]:
        """Return how the files of vectors and postings, once caught up, differ from the catalogue."""
        with self._catching_up:
            self._view = self._lexical = None
        with self._pinned() as (view, transaction):
            expected = {number: vector for number, _, vector in transaction.added_since(view.generation, 0)}
            vectors, postings = view.vectors.stored(), view.lexical.passages()
        wrong = [
            f"{name}: {len(expected.keys() - found)} passages missing, {len(found - expected.keys())} too many"
            for name, found in (("vectors", set(vectors)), ("postings", set(postings)))
            if found != expected.keys()
        ]
        differing = sum(not np.array_equal(vector, expected[n]) for n, vector in vectors.items() if n in expected)
        return [*wrong, f"vectors: {differing} differ"] if differing else wrong

    @contextmanager
    def _pinned(self) -> Iterator[tuple[_View, ReadTransaction]]:
        """Give a view and a read transaction of the same revision.

        The transaction that catching up uses begins under the lock and is kept: nobody can have taken the derived files
        past it, and later writes of others do not matter.
        """
        with ExitStack() as stack:
            transaction = stack.enter_context(self.catalog.read())
            view = self._view
            if view is None or not _fresh(view, transaction):
                stack.close()
                with self._catching_up, exclusively(self.folder / "lock"):
                    transaction = stack.enter_context(self.catalog.read())
                    view = self._view
                    if view is None or not _fresh(view, transaction):
                        view = self._view = self._caught_up(transaction, view)
            yield view, transaction

    def _caught_up(self, transaction: ReadTransaction, view: _View | None) -> _View:
        generation, spec = transaction.live_generation()
        revision, mark = transaction.state()
        dimension = Specification.parse(spec).dimension
        if view is not None and view.generation == generation and transaction.mark_of(view.revision) == view.mark:
            vectors = view.vectors
        else:
            vectors = newest_base(self.folder, generation, dimension, transaction.mark_of)
        removed = transaction.removed_since(generation, vectors.revision)
        added = ((n, vector) for n, _, vector in transaction.added_since(generation, vectors.revision))
        vectors = vectors.advance(revision, removed, added)
        if vectors.worn:
            rows = [(n, vector) for n, _, vector in transaction.added_since(generation, 0)]
            ids = np.array([n for n, _ in rows], np.int64)
            matrix = np.stack([vector for _, vector in rows]) if rows else np.zeros((0, dimension), np.float16)
            vectors = build_base(self.folder, generation, revision, mark, ids, matrix)
        return _View(generation, revision, mark, vectors, self._lexical_at(transaction, generation))

    def _lexical_at(self, transaction: ReadTransaction, generation: int) -> LexicalSearcher:
        folder = self.folder / f"lexical-{generation}"
        _, alive = transaction.counts(generation)
        lexical = self._opened_lexical(folder)
        if lexical is not None and (
            transaction.mark_of(lexical.revision) != lexical.mark or lexical.dead > _MAX_DEAD_POSTINGS * alive + 100
        ):
            lexical = None
        if lexical is not None:
            try:
                _bring_up(lexical, transaction, generation)
            except (StaleLexicalIndex, ValueError, OSError):
                lexical = None
        if lexical is None:
            _log.info("index %s: making the postings of %d passages anew", self.name, alive)
            lexical = LexicalIndex(folder, create=True)
            _bring_up(lexical, transaction, generation)
        self._lexical = lexical
        return lexical.searcher()

    def _opened_lexical(self, folder: Path) -> LexicalIndex | None:
        """Return this process's handle, or a new one, at what the files now hold; None if they cannot be used."""
        try:
            if self._lexical is None or self._lexical.folder != folder:
                return LexicalIndex(folder)
            self._lexical.reload()
            return self._lexical
        except StaleLexicalIndex:
            return None


def _bring_up(lexical: LexicalIndex, transaction: ReadTransaction, generation: int) -> None:
    revision, mark = transaction.state()
    if lexical.revision < revision:
        # Postings that were just begun hold nothing that could have been removed.
        removed = transaction.removed_since(generation, lexical.revision) if lexical.revision else []
        added = ((n, text) for n, text, _ in transaction.added_since(generation, lexical.revision))
        lexical.apply(removed, added, revision, mark)


def _fresh(view: _View, transaction: ReadTransaction) -> bool:
    return (view.revision, view.mark) == transaction.state() and view.generation == transaction.live_generation()[0]


def _described(specification: Specification) -> str:
    return f"embedder {specification.embedder!r} and splitting {specification.splitting!r}"
