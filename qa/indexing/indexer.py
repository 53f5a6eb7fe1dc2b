"""Documents of named indexes: split, embed, store, list, change and remove them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import Changed, ModelError, NotFound
from qa.index.comparison import changed_error
from qa.index.local import Prepared
from qa.index.registry import DEFAULT_INDEX, Indexes
from qa.indexing.preparation import prepare_documents
from qa.indexing.rebuild import rebuild, roll_back
from qa.reports import AddedDocument
from qa.types import Change, Description, Document, DocumentInfo, SourceFile
from qa.validation import MAX_TITLE, check_characters, check_document, check_meta, check_optional

if TYPE_CHECKING:
    from qa.models.embedder import Embedder

_PAGE = 500


class Indexer:
    """The documents of all indexes. Thread-safe.

    An engine has one as `engine.documents`; calling it returns a page of documents.
    """

    def __init__(self, indexes: Indexes, embedder: Embedder | None = None, *, keep_files: bool = True) -> None:
        """Use the indexes.

        Args:
            indexes: the named indexes.
            embedder: turns texts into vectors; without one, documents can only be listed, read and removed.
            keep_files: store the original files of documents that are added.
        """
        self.indexes = indexes
        self._embedder = embedder
        self._keep_files = keep_files

    def in_folder(self, folder: Path) -> Indexer:
        """Return the documents of the indexes in another folder."""
        return Indexer(self.indexes.in_folder(folder), self._embedder, keep_files=self._keep_files)

    @property
    def embedder(self) -> Embedder:
        """Turns passages and questions into vectors.

        Raises:
            ModelError: no embedder is loaded.
        """
        if self._embedder is None:
            raise ModelError("no embedder is loaded; documents can only be listed, read and removed")
        return self._embedder

    def __call__(
        self,
        *,
        index: str = DEFAULT_INDEX,
        after: str | None = None,
        limit: int = 100,
        query: str | None = None,
    ) -> list[DocumentInfo]:
        """Return one page of documents, sorted by id.

        Args:
            index: name of the index.
            after: the id after which the page starts; None starts with the first document.
            limit: maximum number of documents.
            query: return only documents whose title, file name or id contains this, in any case.

        Raises:
            NotFound: the index does not exist.
        """
        return self.indexes.get(index).documents(after, limit, query)

    def all(self, *, index: str = DEFAULT_INDEX) -> Iterator[DocumentInfo]:
        """Yield every document, sorted by id.

        Raises:
            NotFound: the index does not exist.
        """
        page = self(index=index, limit=_PAGE)
        while page:
            yield from page
            page = self(index=index, after=page[-1].id, limit=_PAGE)

    def get(self, id: str, *, index: str = DEFAULT_INDEX) -> tuple[Document, DocumentInfo]:
        """Return a document with its text, and its description.

        Raises:
            NotFound: the index or the document does not exist.
        """
        stored = self.indexes.get(index).document(check_characters(id, "id"))
        if stored is None:
            raise _not_found(id, index)
        return stored

    def info(self, id: str, *, index: str = DEFAULT_INDEX) -> DocumentInfo:
        """Return a document's description.

        Raises:
            NotFound: the index or the document does not exist.
        """
        info = self.indexes.get(index).info(check_characters(id, "id"))
        if info is None:
            raise _not_found(id, index)
        return info

    def file(self, id: str, *, index: str = DEFAULT_INDEX) -> SourceFile:
        """Return the original file of a document, with its data.

        Raises:
            NotFound: the index or the document does not exist, or the document has no file.
        """
        file = kept_file(self.info(id, index=index))
        return replace(file, data=b"".join(self.indexes.get(index).file_parts(file, 0, file.size)))

    def add(
        self,
        documents: Sequence[Document],
        *,
        index: str = DEFAULT_INDEX,
        expected_hashes: Collection[str] | None = None,
    ) -> list[AddedDocument]:
        """Add or replace documents, all or none.

        When this returns, the documents are on disk and the next query finds them. A document that already has this
        content is left unchanged, except that a new original file replaces the stored one.

        Args:
            documents: any number of documents.
            index: name of the index.
            expected_hashes: content hashes, one of which each replaced document must have; None accepts any document,
                new ones included.

        Returns:
            One outcome for each document, in order.

        Raises:
            InvalidInput: a document is not valid; the field is `N.name` for document N, from 0.
            NotFound: the index does not exist.
            Changed: a document has none of the expected hashes, or does not exist.
        """
        documents = [self._check(document, f"{n}.") for n, document in enumerate(documents)]
        opened = self.indexes.get(index)
        # Embedding is slow, so it precedes the transaction, and is repeated if another generation went live meanwhile.
        while True:
            generation = opened.generation()
            unchanged, with_new_file = opened.compare(documents)
            new = [document for document in documents if document.id not in unchanged]
            prepared = self._prepare(new) if new else []
            changes: Sequence[Change] | None = []
            if new or with_new_file:
                changes = opened.put(prepared, generation, expected_hashes, with_new_file)
            if changes is not None:
                break
        stored = {
            p.document.id: _outcome(p.document, change, len(p.passages))
            for p, change in zip(prepared, changes, strict=True)
        }
        return [stored.get(d.id) or _outcome(d, "unchanged", unchanged[d.id]) for d in documents]

    def preview(self, documents: Sequence[Document], *, index: str = DEFAULT_INDEX) -> list[AddedDocument]:
        """Return what `add` would return, without writing; the index need not exist yet."""
        from qa.documents.splitting import split

        documents = [self._check(document, f"{n}.") for n, document in enumerate(documents)]
        opened = self.indexes.get(index) if self.indexes.has(index) else None
        unchanged = opened.compare(documents)[0] if opened else {}
        present = opened.present([d.id for d in documents]) if opened else set()
        return [
            _outcome(
                d,
                "unchanged" if d.id in unchanged else "replaced" if d.id in present else "created",
                len(split(d, self.embedder.token_starts)),
            )
            for d in documents
        ]

    def update(
        self,
        id: str,
        description: Description,
        *,
        index: str = DEFAULT_INDEX,
        expected_hashes: Collection[str] | None = None,
    ) -> DocumentInfo:
        """Change a document's title or metadata. The document is embedded again only if its title changes.

        Args:
            id: of the document.
            description: the fields to change.
            index: name of the index.
            expected_hashes: content hashes, one of which the document must have; None accepts any.

        Raises:
            NotFound: the index or the document does not exist.
            Changed: the document has none of the expected hashes.
            InvalidInput: the title or the metadata is not valid.
        """
        if "title" in description:
            check_optional(description["title"], "title", MAX_TITLE)
        if "meta" in description:
            check_meta(description["meta"])
        opened = self.indexes.get(index)
        while True:
            document, info = self.get(id, index=index)
            if expected_hashes is not None and info.sha256 not in expected_hashes:
                raise changed_error(id, info.sha256)
            updated = replace(document, **description)
            # A concurrent write or generation swap wins; then read the document again and retry.
            with suppress(Changed):
                if updated.title == document.title:
                    return opened.update_meta(updated, info.sha256)
                generation = opened.generation()
                (prepared,) = self._prepare([updated])
                new_info = opened.replace(prepared, generation, info.sha256)
                if new_info is not None:
                    return new_info

    def remove(
        self, ids: str | Sequence[str], *, index: str = DEFAULT_INDEX, expected_hashes: Collection[str] | None = None
    ) -> None:
        """Remove documents, all or none.

        Args:
            ids: one id or several.
            index: name of the index.
            expected_hashes: content hashes, one of which each document must have; None accepts any.

        Raises:
            NotFound: the index or one of the documents does not exist.
            Changed: a document has none of the expected hashes.
        """
        ids = [ids] if isinstance(ids, str) else ids
        for id in ids:
            check_characters(id, "id")
        missing = self.indexes.get(index).remove(ids, expected_hashes)
        if missing is not None:
            raise _not_found(missing, index)

    def rebuild(
        self, *, index: str = DEFAULT_INDEX, progress: Callable[[int], None] = lambda _: None
    ) -> tuple[int, int]:
        """Split and embed every document again with this indexer's models, as a new generation; then make it live.

        Queries and writes continue meanwhile. Work done by an interrupted rebuild is not repeated.

        Args:
            index: name of the index; it may have been built with another model.
            progress: called with the number of documents just finished.

        Returns:
            The number of the new generation and of the previous one.

        Raises:
            NotFound: the index does not exist.
            Conflict: another rebuild of this index is running.
        """
        with closing(self.indexes.open_to_rebuild(index)) as opened:
            return rebuild(opened, self._prepare, progress)

    def rollback(
        self, *, index: str = DEFAULT_INDEX, progress: Callable[[int], None] = lambda _: None
    ) -> tuple[int, int]:
        """Make the previous generation live again, after adding to it every write since.

        Returns:
            The number of the generation that is live now and of the one that was.

        Raises:
            NotFound: the index does not exist.
            Conflict: no previous generation exists, it was built with other models, or a rebuild is running.
        """
        with closing(self.indexes.open_to_rebuild(index)) as opened:
            return roll_back(opened, self._prepare, progress)

    def _check(self, document: Document, prefix: str) -> Document:
        """Return a valid document, without its file if files are not kept."""
        checked = check_document(document, prefix)
        if checked.file is None or not self._keep_files:
            return replace(checked, file=None)
        check_characters(checked.file.name, f"{prefix}file")
        return checked

    def _prepare(self, documents: Sequence[Document]) -> list[Prepared]:
        return prepare_documents(documents, self.embedder)


def kept_file(info: DocumentInfo) -> SourceFile:
    """Return a document's file, without its data.

    Raises:
        NotFound: the document has no file.
    """
    if info.file is None:
        raise NotFound(
            f"document {info.id!r} has no original file: it was added as text, by an earlier version, or with"
            " QA_KEEP_FILES=false; add its file again",
            field="id",
        )
    return info.file


def _outcome(document: Document, change: Change, passages: int) -> AddedDocument:
    ocr_pages = sorted({mark.page for mark in document.marks if mark.kind == "ocr" and mark.page is not None})
    return AddedDocument(document.id, change, passages, len(document.text), document.unread, tuple(ocr_pages))


def _not_found(id: str, index: str) -> NotFound:
    return NotFound(f"document {id!r} not found in index {index!r}", field="id")
