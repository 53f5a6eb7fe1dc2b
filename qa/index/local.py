"""The embedded index: a folder with the catalogue and the files derived from it.

indexes/<name>/catalog.sqlite3      documents, passages, vectors and changes
               vectors-G-R-M.faiss  base of generation G at revision R with mark M; its passage ids are beside it
               lexical-G/           tantivy's files of generation G, and the REVISION that they have reached
               exported.json        path of the last export
               lock                 held while the derived files are updated
               aside.lock           held while files of a generation that is not live yet are built
               rebuild.lock         held during a rebuild or rollback
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import Conflict, NotFound, Unavailable
from qa.index.catalog import Catalog, Specification
from qa.index.comparison import check_unchanged, compare_documents, stored_except_file
from qa.index.durable import PRIVATE_FOLDER
from qa.index.rows import content_hash
from qa.results import SearchResult
from qa.search.filters import Filter
from qa.search.spelling import correct_spelling
from qa.types import Change, Document, DocumentInfo, Passage, SourceFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa.index.derived import DerivedFiles

CATALOG = "catalog.sqlite3"
FILE_PART = 4_000_000
"""Bytes of a stored file that are read at once."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with its passages and their vectors, shape (passages, dimension), ready to be written."""

    document: Document
    passages: Sequence[Passage]
    vectors: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class IndexState:
    """The size of an index, its live generation and its revision."""

    documents: int
    passages: int
    generation: int
    revision: int


class LocalIndex:
    """A named index. Any number of threads and processes may use the same folder."""

    def __init__(
        self, folder: Path, specification: Specification | None, *, create: bool = False, to_rebuild: bool = False
    ) -> None:
        """Open an index; with `create`, create it if it does not exist.

        Args:
            folder: the index's folder.
            specification: the embedder and splitting in use; None accepts those that the index was built with.
            create: create the index if it does not exist.
            to_rebuild: accept an index of another specification. It cannot be searched or written to.

        Raises:
            NotFound: the index does not exist.
            Conflict: the index was built with another embedder or splitting.
        """
        try:
            if create:
                folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                f"{folder}: cannot create the index ({error.strerror}); check permissions", field="index"
            ) from error
        self.folder = folder
        self.name = folder.name
        self.catalog = Catalog(folder / CATALOG, specification if create else None)
        try:
            self.specification = specification or self.catalog.specification()[1]
            if not to_rebuild:
                self.generation()
        except Conflict:
            self.catalog.close()
            raise
        self._derived: DerivedFiles | None = None
        self._guard = threading.Lock()

    def close(self) -> None:
        """Close the files."""
        self.catalog.close()

    @property
    def derived(self) -> DerivedFiles:
        """The vectors and postings. Their libraries are imported on first use."""
        with self._guard:
            if self._derived is None:
                from qa.index.derived import DerivedFiles

                self._derived = DerivedFiles(self.folder, self.catalog, self.specification)
            return self._derived

    def generation(self) -> int:
        """Return the number of the live generation.

        Raises:
            Conflict: the index was rebuilt with another embedder or splitting.
        """
        generation, actual = self.catalog.specification()
        self.specification.check(actual, self.name)
        return generation

    def put(
        self,
        prepared: Sequence[Prepared],
        generation: int,
        expected_hashes: Collection[str] | None = None,
        with_new_file: Sequence[Document] = (),
    ) -> list[Change] | None:
        """Add or replace documents, all or none. The next query of any process finds them.

        Args:
            prepared: the documents.
            generation: the generation that they were prepared for.
            expected_hashes: each document must be stored with one of these content hashes; None accepts any state.
            with_new_file: documents of which only the original file is replaced; see `compare`.

        Returns:
            What changed for each prepared document; None if `generation` is no longer live, or a document of
            `with_new_file` has changed, and nothing was written.

        Raises:
            Changed: a document is not stored, or has another content hash.
        """
        with self.catalog.write() as transaction:
            if transaction.live_generation()[0] != generation:
                return None
            if any(stored_except_file(transaction, document) is None for document in with_new_file):
                return None
            for id in (*(p.document.id for p in prepared), *(document.id for document in with_new_file)):
                check_unchanged(transaction, id, expected_hashes)
            for document in with_new_file:
                transaction.update_file(document)
            return [transaction.put(p.document, p.passages, p.vectors, generation) for p in prepared]

    def replace(self, prepared: Prepared, generation: int, expected_hash: str) -> DocumentInfo | None:
        """Replace a document that still has the expected content hash.

        Returns:
            The new description; None as for `put`.

        Raises:
            Changed: the document is not stored, or has another content hash.
        """
        document = prepared.document
        with self.catalog.write() as transaction:
            if transaction.live_generation()[0] != generation:
                return None
            check_unchanged(transaction, document.id, {expected_hash})
            transaction.put(document, prepared.passages, prepared.vectors, generation)
            return transaction.document_info(document.id)

    def compare(self, documents: Sequence[Document]) -> tuple[dict[str, int], list[Document]]:
        """Compare documents with those that are stored.

        Returns:
            The number of passages, by id, of each document that is stored with equal content; and those among them
            that have another original file than the stored one. A row of a table is such a document if another row of
            the file changed.
        """
        with self.catalog.read() as transaction:
            return compare_documents(transaction, documents)

    def present(self, ids: Sequence[str]) -> set[str]:
        """Return the ids that are stored."""
        with self.catalog.read() as transaction:
            return {id for id in ids if transaction.has(id)}

    def remove(self, ids: Sequence[str], expected_hashes: Collection[str] | None = None) -> str | None:
        """Remove documents, all or none.

        Args:
            ids: the documents' ids.
            expected_hashes: as for `put`.

        Returns:
            The first id that is not stored; None if all were removed.

        Raises:
            Changed: a document has another content hash.
        """
        with self.catalog.write() as transaction:
            missing = next((id for id in ids if not transaction.has(id)), None)
            if missing is None:
                for id in dict.fromkeys(ids):
                    check_unchanged(transaction, id, expected_hashes)
                    transaction.remove(id)
        return missing

    def update_meta(self, document: Document, expected_hash: str) -> DocumentInfo:
        """Replace the metadata of a document that still has the expected content hash.

        Args:
            document: the stored document with other metadata.
            expected_hash: the content hash that the caller has read.

        Raises:
            Changed: the document is not stored, or has another content hash.
        """
        with self.catalog.write() as transaction:
            check_unchanged(transaction, document.id, {expected_hash})
            if content_hash(document) != expected_hash:
                transaction.update_meta(document)
            info = transaction.document_info(document.id)
        assert info is not None
        return info

    def document(self, id: str) -> tuple[Document, DocumentInfo] | None:
        """Return a document with its text, and its description."""
        with self.catalog.read() as transaction:
            document, info = transaction.document(id), transaction.document_info(id)
        return (document, info) if document and info else None

    def info(self, id: str) -> DocumentInfo | None:
        """Return the description of a document."""
        with self.catalog.read() as transaction:
            return transaction.document_info(id)

    def documents(self, after: str | None, limit: int, query: str | None = None) -> list[DocumentInfo]:
        """Return documents in the order of their ids, starting after the id `after`.

        With a query, only those whose title, file name or id contains it, in any case.
        """
        with self.catalog.read() as transaction:
            return transaction.documents(after, limit, query)

    def file_parts(self, file: SourceFile, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes of a stored file from `start` to `end`, in parts.

        Each part is read in its own transaction, because a client that reads slowly must not delay a checkpoint.

        Raises:
            NotFound: the file was removed meanwhile.
        """
        for first in range(start, end, FILE_PART):
            with self.catalog.read() as transaction:
                part = transaction.file_data(file.sha256, first, min(first + FILE_PART, end))
            if part is None:
                raise NotFound(f"file {file.name!r} was removed", field="id")
            yield part

    def state(self) -> IndexState:
        """Return the index's size, live generation and revision, in constant time."""
        with self.catalog.read() as transaction:
            generation, _ = transaction.live_generation()
            return IndexState(*transaction.counts(generation), generation, transaction.revision())

    def lag(self) -> int:
        """Return the number of writes since this process's last query; 0 before the first."""
        with self.catalog.read() as transaction:
            queried = self.derived.revision
            return max(0, transaction.revision() - queried) if queried else 0

    def counts(self) -> tuple[int, int]:
        """Return the numbers of documents and passages, in constant time."""
        with self.catalog.read() as transaction:
            return transaction.counts(transaction.live_generation()[0])

    def search(
        self,
        question: str,
        vector: NDArray[np.float32],
        limit: int,
        filter: Filter | None = None,
        *,
        by_sentence: bool = False,
    ) -> SearchResult:
        """Find the passages that most likely answer a question: `qa.search.hybrid.search` on the newest revision."""
        from qa.index.snapshot import LocalSnapshot
        from qa.search.hybrid import search

        return self.derived.query(
            lambda *pinned: search(LocalSnapshot(*pinned), question, vector, limit, filter, by_sentence=by_sentence)
        )

    def correct_spelling(self, question: str, token_starts: Callable[[str], Sequence[int]]) -> str | None:
        """Correct a question with the words of the newest revision: `qa.search.spelling.correct_spelling`."""
        return self.derived.query(lambda view, _: correct_spelling(question, view.lexical.vocabulary(), token_starts))

    def purge(self) -> None:
        """Permanently erase removed and replaced documents from all files.

        Raises:
            Unavailable: another process keeps a transaction open.
        """
        self.catalog.purge()
        self.derived.discard()
        self.catch_up()

    def catch_up(self) -> None:
        """Update the derived files now instead of on the next query."""
        with self.derived.pin():
            pass
