"""Documents in: they are split, embedded and written to an index, and given back as they are there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace

import numpy as np

from qa.documents.splitting import split
from qa.errors import Changed, NotFound
from qa.index.local import LocalIndex, Prepared, changed
from qa.index.registry import DEFAULT_INDEX, Indexes
from qa.index.writes import Change
from qa.indexing.rebuild import rebuild, roll_back
from qa.models.embedder import Embedder
from qa.text.headings import search_text
from qa.types import Description, Document, DocumentInfo
from qa.validation import MAX_TITLE, check_characters, check_meta, check_optional

_PAGE = 500


@dataclass(frozen=True, slots=True)
class AddedDocument:
    """What became of a document that was added."""

    id: str
    change: Change
    passages: int
    characters: int


class Indexer:
    """The documents of all indexes. Safe to share between threads."""

    def __init__(self, indexes: Indexes, embedder: Embedder) -> None:
        self.indexes = indexes
        self.embedder = embedder

    def add(
        self, documents: Sequence[Document], *, index: str = DEFAULT_INDEX, only: Collection[str] | None = None
    ) -> list[AddedDocument]:
        """Add or replace documents, all or none. When this returns they are on disk, and the next query finds them.

        Args:
            documents: of any number.
            index: its name.
            only: the content hashes of which each must have one that is to be replaced; None: any, or new ones.

        Raises:
            NotFound: there is no such index.
            Changed: one has another content hash, or is not there; one that is as it shall be is left so.
        """
        opened = self.indexes.get(index)
        known = opened.unchanged(documents)
        new = [document for document in documents if document.id not in known]
        prepared, changes = self._put(new, opened, only) if new else ([], [])
        done = {
            p.document.id: AddedDocument(p.document.id, change, len(p.passages), len(p.document.text))
            for p, change in zip(prepared, changes, strict=True)
        }
        return [done.get(d.id) or AddedDocument(d.id, "unchanged", known[d.id], len(d.text)) for d in documents]

    def preview(self, documents: Sequence[Document], *, index: str = DEFAULT_INDEX) -> list[AddedDocument]:
        """Return what `add` would do, and do nothing; the index need not be there yet."""
        opened = self.indexes.get(index) if self.indexes.has(index) else None
        unchanged = opened.unchanged(documents) if opened else {}
        present = opened.present([d.id for d in documents]) if opened else set()
        return [
            AddedDocument(
                d.id,
                "unchanged" if d.id in unchanged else "replaced" if d.id in present else "created",
                len(split(d, self.embedder.token_starts)),
                len(d.text),
            )
            for d in documents
        ]

    def _put(
        self, documents: Sequence[Document], index: LocalIndex, only: Collection[str] | None
    ) -> tuple[list[Prepared], list[Change]]:
        """Embed outside the transaction, as it takes long; do it again if another generation went live meanwhile."""
        while True:
            generation = index.generation()
            prepared = self._prepare(documents)
            changes = index.put(prepared, generation, only)
            if changes is not None:
                return prepared, changes

    def rebuild(
        self, *, index: str = DEFAULT_INDEX, advance: Callable[[int], None] = lambda _: None
    ) -> tuple[int, int]:
        """Split and embed all documents anew, aside, with the models of this library; then let that answer.

        Queries and writes go on meanwhile. What was built before a rebuild is broken off is used by the next one.

        Args:
            index: its name; it may have been made with another model.
            advance: is told how many more documents are done.

        Returns:
            The number of the new generation and the one that it follows.

        Raises:
            NotFound: there is no such index.
            Conflict: a rebuild of it is under way.
        """
        with closing(self.indexes.open_to_rebuild(index)) as opened:
            return rebuild(opened, self._prepare, advance)

    def rollback(
        self, *, index: str = DEFAULT_INDEX, advance: Callable[[int], None] = lambda _: None
    ) -> tuple[int, int]:
        """Let the generation before answer again, after giving it what was written since.

        Returns:
            The number of the generation that answers now and the one that did.

        Raises:
            NotFound: there is no such index.
            Conflict: there is no generation before, it was made with other models, or a rebuild is under way.
        """
        with closing(self.indexes.open_to_rebuild(index)) as opened:
            return roll_back(opened, self._prepare, advance)

    def _prepare(self, documents: Sequence[Document]) -> list[Prepared]:
        """Split and embed; the passages of all documents are embedded together, which keeps every core busy."""
        passages = [split(document, self.embedder.token_starts) for document in documents]
        texts = [
            search_text(passage.text, document.title, passage.marks)
            for document, part in zip(documents, passages, strict=True)
            for passage in part
        ]
        vectors = self.embedder.encode_passages(texts)
        ends = np.cumsum([len(part) for part in passages])[:-1]
        parts = np.split(vectors.astype(np.float16), ends)
        return [Prepared(*made) for made in zip(documents, passages, parts, strict=True)]

    def remove(self, ids: Sequence[str], *, index: str = DEFAULT_INDEX, only: Collection[str] | None = None) -> None:
        """Remove documents, all or none.

        Args:
            ids: theirs.
            index: its name.
            only: the content hashes that they may have, if that matters.

        Raises:
            NotFound: there is no such index, or one of the documents is not in it.
            Changed: one has another content.
        """
        for id in ids:
            check_characters(id, "id")
        missing = self.indexes.get(index).remove(ids, only)
        if missing is not None:
            raise _no_document(missing, index)

    def describe(
        self,
        id: str,
        description: Description,
        *,
        index: str = DEFAULT_INDEX,
        only: Collection[str] | None = None,
    ) -> DocumentInfo:
        """Give a document another title or other metadata. It is embedded again only if its title changes.

        Args:
            id: the document's.
            description: what is to be changed.
            index: its name.
            only: the content hashes that it may have before, if that matters.

        Raises:
            NotFound: there is no such index or document.
            Changed: it has another content.
            InvalidInput: the title or the metadata cannot be stored.
        """
        if "title" in description:
            check_optional(description["title"], "title", MAX_TITLE)
        if "meta" in description:
            check_meta(description["meta"])
        opened = self.indexes.get(index)
        while True:
            document, info = self.document(id, index=index)
            if only is not None and info.sha256 not in only:
                raise changed(id, info.sha256)
            described = replace(document, **description)
            # Whoever changes it meanwhile, or swaps generations, is faster: then it is looked at again.
            with suppress(Changed):
                if described.title == document.title:
                    return opened.describe(described, info.sha256)
                generation = opened.generation()
                (prepared,) = self._prepare([described])
                found = opened.replace(prepared, generation, info.sha256)
                if found is not None:
                    return found

    def document(self, id: str, *, index: str = DEFAULT_INDEX) -> tuple[Document, DocumentInfo]:
        """Return a document with its text, and what is known of it.

        Raises:
            NotFound: there is no such index or document.
        """
        found = self.indexes.get(index).document(check_characters(id, "id"))
        if found is None:
            raise _no_document(id, index)
        return found

    def documents(
        self, *, index: str = DEFAULT_INDEX, after: str | None = None, limit: int = 100
    ) -> list[DocumentInfo]:
        """Return documents in the order of their ids, those behind `after`.

        Raises:
            NotFound: there is no such index.
        """
        return self.indexes.get(index).documents(after, limit)

    def all_documents(self, *, index: str = DEFAULT_INDEX) -> Iterator[DocumentInfo]:
        """Yield every document in the order of the ids.

        Raises:
            NotFound: there is no such index.
        """
        page = self.documents(index=index, limit=_PAGE)
        while page:
            yield from page
            page = self.documents(index=index, after=page[-1].id, limit=_PAGE)


def _no_document(id: str, index: str) -> NotFound:
    return NotFound(f"no document {id!r} in index {index!r}", field="id")
