"""The embedded index: a folder with the catalogue and what is derived from it.

indexes/<name>/catalog.sqlite3      the truth
               vectors-G-R-M.faiss  base of generation G at revision R with mark M, and its passage numbers beside it
               lexical-G/           tantivy's files of generation G, and the REVISION they hold
               exported.json        where the last export went
               lock                 held by whoever brings the derived files up to date
               aside.lock           held by whoever makes those of a generation that does not answer yet
               rebuild.lock         held by whoever builds another generation
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.errors import Changed, Conflict, Unavailable
from qa.index.catalog import Catalog, Specification
from qa.index.derived import DerivedFiles, View
from qa.index.lexical import StaleFiles, ceiling
from qa.index.transactions import ReadTransaction, StoredPassage
from qa.index.vectors import cosines
from qa.index.writes import Change, content_hash
from qa.search.filters import CompiledFilter
from qa.search.fusion import CANDIDATES, LOOKED_AT, fuse
from qa.search.sentence_coverage import coverage
from qa.text.headings import headings_above
from qa.types import Document, DocumentInfo, Hit, Passage, SearchResult

CATALOG = "catalog.sqlite3"

_log = logging.getLogger(__name__)


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


class LocalIndex:
    """One named index. Any number of threads and processes may use the same folder."""

    def __init__(
        self, folder: Path, specification: Specification, *, create: bool = False, to_rebuild: bool = False
    ) -> None:
        """Open an index, or with `create` make it where there is none.

        Args:
            folder: of the index.
            specification: what passages and vectors are made with.
            create: make it if need be.
            to_rebuild: it may have been made with another specification; then it cannot be searched or written to.

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
        if not to_rebuild:
            try:
                self.generation()
            except Conflict:
                self.catalog.close()
                raise
        self.derived = DerivedFiles(folder, self.catalog, specification)

    def close(self) -> None:
        """Let go of the files."""
        self.catalog.close()

    def generation(self) -> int:
        """Return the number of the generation that answers.

        Raises:
            Conflict: it was rebuilt with another embedder or another way of splitting.
        """
        generation, found = self.catalog.specification()
        self.specification.check(found, self.name)
        return generation

    def put(
        self, prepared: Sequence[Prepared], generation: int, only: Collection[str] | None = None
    ) -> list[Change] | None:
        """Add or replace documents, all or none; each is searchable by the next query of any process.

        Returns:
            What each did, or None if `generation` is not the live one any more and nothing was written.

        Raises:
            Changed: one is not there, or has another content hash than those in `only`.
        """
        with self.catalog.write() as transaction:
            if transaction.live_generation()[0] != generation:
                return None
            for p in prepared:
                _check_unchanged(transaction, p.document.id, only)
            return [transaction.put(p.document, p.passages, p.vectors, generation) for p in prepared]

    def replace(self, prepared: Prepared, generation: int, before: str) -> DocumentInfo | None:
        """Replace a document that has still the content hash `before`.

        Returns:
            What is known of it then, or None as `put` does.

        Raises:
            Changed: it has another hash, or is not there.
        """
        document = prepared.document
        with self.catalog.write() as transaction:
            if transaction.live_generation()[0] != generation:
                return None
            _check_unchanged(transaction, document.id, {before})
            transaction.put(document, prepared.passages, prepared.vectors, generation)
            return transaction.document_info(document.id)

    def unchanged(self, documents: Sequence[Document]) -> dict[str, int]:
        """Return the ids of those documents that are stored just so already, with their numbers of passages."""
        with self.catalog.read() as transaction:
            known = {d.id: (d, transaction.document_info(d.id)) for d in documents}
        return {id: info.passages for id, (d, info) in known.items() if info and info.sha256 == content_hash(d)}

    def present(self, ids: Sequence[str]) -> set[str]:
        """Return those of the ids that are stored."""
        with self.catalog.read() as transaction:
            return {id for id in ids if transaction.has(id)}

    def remove(self, ids: Sequence[str], only: Collection[str] | None = None) -> str | None:
        """Remove documents, all or none; return the first id that is not there, or None when all are removed.

        Raises:
            Changed: one has another content hash than those in `only`.
        """
        with self.catalog.write() as transaction:
            missing = next((id for id in ids if not transaction.has(id)), None)
            if missing is None:
                for id in dict.fromkeys(ids):
                    _check_unchanged(transaction, id, only)
                    transaction.remove(id)
        return missing

    def describe(self, document: Document, before: str) -> DocumentInfo:
        """Give a document other metadata that has still the content hash `before`; nothing else of it may be new.

        Raises:
            Changed: it has another hash, or is not there.
        """
        with self.catalog.write() as transaction:
            _check_unchanged(transaction, document.id, {before})
            if content_hash(document) != before:
                transaction.describe(document)
            info = transaction.document_info(document.id)
        assert info is not None
        return info

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

    def lag(self) -> int:
        """Return how many writes there were since this process' last query; 0 before its first."""
        with self.catalog.read() as transaction:
            seen = self.derived.revision
            return max(0, transaction.revision() - seen) if seen else 0

    def counts(self) -> tuple[int, int]:
        """Return the numbers of documents and passages."""
        with self.catalog.read() as transaction:
            return transaction.counts(transaction.live_generation()[0])

    def search(
        self,
        question: str,
        vector: NDArray[np.float32],
        limit: int,
        compiled: CompiledFilter | None = None,
        *,
        by_sentence: bool = False,
    ) -> SearchResult:
        """Find the passages that most likely answer a question.

        Args:
            question: as it was asked.
            vector: its unit vector.
            limit: how many passages.
            compiled: which documents may answer.
            by_sentence: let count what the best sentence of each covers: where passages are wanted, and not answers.
        """
        with self.derived.pinned() as (view, transaction):
            try:
                return _found(view, transaction, question, vector, limit, compiled, by_sentence)
            except StaleFiles as error:
                # Damaged while it was open, or in a place that opening does not look at.
                _log.warning("index %s: %s; it is made anew", self.name, error)
                damaged = view
        self.derived.discard(damaged)
        with self.derived.pinned() as (view, transaction):
            return _found(view, transaction, question, vector, limit, compiled, by_sentence)

    def purge(self) -> None:
        """Let nothing of documents that were removed or replaced stay in any file.

        Raises:
            Unavailable: another process uses the catalogue, and does not end.
        """
        self.catalog.purge()
        self.derived.discard()
        self.catch_up()

    def catch_up(self) -> None:
        """Bring the derived files to the catalogue's revision now, rather than with the next query."""
        with self.derived.pinned():
            pass


def _found(
    view: View,
    transaction: ReadTransaction,
    question: str,
    vector: NDArray[np.float32],
    limit: int,
    compiled: CompiledFilter | None,
    by_sentence: bool,
) -> SearchResult:
    allowed = None if compiled is None else transaction.allowed(view.generation, compiled)
    depth = max(CANDIDATES, limit)
    dense_ids = view.vectors.search(vector, depth, allowed)
    lexical = dict(view.lexical.search(question, depth, allowed))
    candidates = sorted({*dense_ids, *lexical})
    lexical |= view.lexical.scores(question, [number for number in candidates if number not in lexical])
    stored = transaction.vectors(candidates)
    if len(stored) < len(candidates):
        raise StaleFiles(f"{len(candidates) - len(stored)} passages that were found are not there")
    dense = dict(zip(candidates, cosines([stored[number] for number in candidates], vector), strict=True))
    weights = view.lexical.weights(question)
    most = ceiling(weights)
    fused = fuse([lexical[number] for number in candidates], list(dense.values()), most).tolist()
    best = _best(fused, candidates, max(LOOKED_AT, limit) if by_sentence else limit)
    # Only what may be given back is fetched whole.
    found = transaction.passages([number for _, number in best])
    if len(found) < len(best):
        raise StaleFiles(f"{len(best) - len(found)} passages that were found belong to no document")
    if by_sentence:
        looked_at, behind = [number for _, number in best[:LOOKED_AT]], best[LOOKED_AT:]
        covered = [_covered(found[number], weights, view) for number in looked_at]
        fused = fuse([lexical[n] for n in looked_at], [dense[n] for n in looked_at], most, covered).tolist()
        best = _best(fused, looked_at, LOOKED_AT)
        # The rest stays behind, so that the first hits are the same however many are asked for.
        best += [(min(score, best[-1][0]), number) for score, number in behind]
    hits = [
        Hit(n, found[n].passage, found[n].title, found[n].uri, found[n].meta, lexical[n], dense[n], score)
        for score, n in best[:limit]
    ]
    return SearchResult(hits, view.generation, view.revision)


def _best(scores: Sequence[float], numbers: Sequence[int], limit: int) -> list[tuple[float, int]]:
    return sorted(zip(scores, numbers, strict=True), key=lambda pair: (-pair[0], pair[1]))[:limit]


def _covered(stored: StoredPassage, weights: Mapping[str, float], view: View) -> float:
    passage = stored.passage
    return coverage(
        weights, passage.text, headings_above(passage.text, stored.title, passage.marks), view.lexical.stems
    )


def changed(id: str, found: str | None) -> Changed:
    """Return the error that a document is not what whoever asks for a change believes."""
    told = "gone" if found is None else f"not as it was: its content hash is {found}"
    return Changed(f"document {id!r} is {told}", field="If-Match")


def _check_unchanged(transaction: ReadTransaction, id: str, only: Collection[str] | None) -> None:
    info = transaction.document_info(id) if only is not None else None
    if only is not None and (info is None or info.sha256 not in only):
        raise changed(id, info.sha256 if info else None)
