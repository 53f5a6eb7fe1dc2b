"""The derived files of an index: vectors and postings of a generation, and the view that a query pins.

They can be rebuilt from the catalogue at any time. One process at a time brings them up to date, under a file lock.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from qa.errors import NotFound, Unavailable
from qa.index.catalog import Catalog, Specification
from qa.index.durable import file_lock
from qa.index.lexical import LexicalIndex, LexicalSearcher, discard
from qa.index.stale_files import StaleFiles
from qa.index.transactions import ReadTransaction
from qa.index.vectors import VectorView, build_base, extend_base, newest_base
from qa.malloc import trim_heap

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)

# tantivy's statistics include deleted passages until segments merge. Above this share the postings are rebuilt.
_MAX_DEAD_POSTINGS = 0.1
# tantivy buffers about a hundred megabytes of texts. After writing more texts than this, the heap is trimmed.
_TRIM_ABOVE = 1_000
# Lock held while building files for a generation that is not live yet.
_BUILD_LOCK = "aside.lock"
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class View:
    """The derived data of one generation at one revision; immutable."""

    generation: int
    revision: int
    mark: str
    vectors: VectorView
    lexical: LexicalSearcher


class DerivedFiles:
    """The derived files of one index. Safe to share between threads."""

    def __init__(self, folder: Path, catalog: Catalog, specification: Specification) -> None:
        self._folder = folder
        self._catalog = catalog
        self._specification = specification
        self._view: View | None = None
        self._lexical: LexicalIndex | None = None
        self._update_guard = threading.Lock()

    @property
    def revision(self) -> int:
        """The revision of this process's last query; 0 before the first."""
        view = self._view
        return view.revision if view else 0

    @contextmanager
    def pin(self) -> Iterator[tuple[View, ReadTransaction]]:
        """Yield a view and a read transaction of the same revision.

        If the files need an update, the transaction begins while this process holds the lock. No other process can then
        have advanced the files past its revision, and later writes do not matter.
        """
        with ExitStack() as stack:
            transaction = stack.enter_context(self._catalog.read())
            view = self._view
            if view is None or not _is_current(view, transaction):
                stack.close()
                with self._translate_file_errors(), self._update_guard, file_lock(self._folder / _LOCK):
                    transaction = stack.enter_context(self._catalog.read())
                    view = self._view
                    if view is None or not _is_current(view, transaction):
                        view = self._view = self._update(transaction, view)
            yield view, transaction

    def query(self, query: Callable[[View, ReadTransaction], _Result]) -> _Result:
        """Return the result of a query of the newest revision; rebuild the files if they turn out to be damaged."""
        with self.pin() as (view, transaction):
            try:
                return query(view, transaction)
            except StaleFiles as error:
                # The files were damaged while open, or in a part that opening does not read.
                _log.warning("index %s: rebuilding vectors and postings: %s", self._folder.name, error)
                damaged = view
        self.discard(damaged)
        with self.pin() as (view, transaction):
            return query(view, transaction)

    @contextmanager
    def _translate_file_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if self._catalog.is_deleted():
                raise NotFound(f"index {self._folder.name!r} was deleted", field="index") from error
            raise Unavailable(f"{error.filename or self._folder}: {error.strerror or error}", field="index") from error

    def build(self, generation: int) -> None:
        """Build the files of a generation before it goes live, so that the next query does not wait.

        This takes a separate lock, so queries can update the live generation's files meanwhile.
        """
        with self._update_guard, file_lock(self._folder / _BUILD_LOCK), self._catalog.read() as transaction:
            self._build_view(transaction, generation, None)

    def discard_generation(self, generation: int) -> None:
        """Delete the files of a dropped generation."""
        with self._update_guard, file_lock(self._folder / _LOCK):
            for path in self._folder.glob(f"vectors-{generation}-*"):
                path.unlink(missing_ok=True)
            discard(self._folder / f"lexical-{generation}")

    def discard(self, damaged: View | None = None) -> None:
        """Delete all derived files; the next query rebuilds them from the catalogue.

        Args:
            damaged: delete only if this is still the current view, and no other thread has rebuilt the files.
        """
        # The build lock can be held for long. Taking it first keeps queries from waiting for the other lock meanwhile.
        with self._update_guard, file_lock(self._folder / _BUILD_LOCK), file_lock(self._folder / _LOCK):
            if damaged is not None and self._view is not damaged:
                return
            self._view = self._lexical = None
            for path in self._folder.glob("vectors-*"):
                path.unlink(missing_ok=True)
            for path in self._folder.glob("lexical-*"):
                discard(path)

    def differences(self) -> list[str]:
        """Bring the files up to date and return how they differ from the catalogue."""
        with self._update_guard:
            self._view = self._lexical = None
        with self.pin() as (view, transaction):
            expected = dict(transaction.vectors_since(view.generation, 0))
            vectors, postings = view.vectors.stored(), view.lexical.passage_ids()
        differences = [
            f"{name}: {len(expected.keys() - ids)} passages missing, {len(ids - expected.keys())} too many"
            for name, ids in (("vectors", set(vectors)), ("postings", set(postings)))
            if ids != expected.keys()
        ]
        with self._update_guard, file_lock(self._folder / _LOCK):
            damaged: list[str] = self._lexical.damaged_files() if self._lexical else []
        differences += [f"postings: checksum of {name} differs" for name in damaged]
        if view.vectors.base is not None and not view.vectors.base.finds_own_vectors():
            differences.append("vectors: a search does not find some of them")
        changed = sum(not np.array_equal(vector, expected[id]) for id, vector in vectors.items() if id in expected)
        return [*differences, f"vectors: {changed} differ"] if changed else differences

    def _update(self, transaction: ReadTransaction, view: View | None) -> View:
        generation, specification = transaction.live_generation()
        self._specification.check(Specification.parse(specification), self._folder.name)
        return self._build_view(transaction, generation, view)

    def _build_view(self, transaction: ReadTransaction, generation: int, view: View | None) -> View:
        revision, mark = transaction.last_change()
        if view is not None and view.generation == generation and transaction.mark_of(view.revision) == view.mark:
            vectors = view.vectors
        else:
            dimension = self._specification.dimension
            vectors = newest_base(self._folder, generation, dimension, transaction.mark_of)
        _, passages = transaction.counts(generation)
        if vectors.is_outgrown_by(passages):
            vectors = self._build_base(transaction, generation)
        else:
            removed = transaction.removed_since(generation, vectors.revision)
            added = transaction.vectors_since(generation, vectors.revision)
            vectors = vectors.advance(revision, removed, added)
            if vectors.needs_new_base:
                extended = extend_base(vectors, self._folder, generation, mark)
                vectors = extended or self._build_base(transaction, generation)
        return View(generation, revision, mark, vectors, self._update_lexical(transaction, generation, passages))

    def _build_base(self, transaction: ReadTransaction, generation: int) -> VectorView:
        """Write a base with all passages of a generation."""
        _, count = transaction.count_rows(generation)
        ids = np.zeros(count, np.int64)
        vectors = np.zeros((count, self._specification.dimension), np.float16)
        for row, (id, vector) in enumerate(transaction.vectors_since(generation, 0)):
            ids[row], vectors[row] = id, vector
        return build_base(self._folder, generation, *transaction.last_change(), ids, vectors)

    def _update_lexical(self, transaction: ReadTransaction, generation: int, passages: int) -> LexicalSearcher:
        folder = self._folder / f"lexical-{generation}"
        lexical = self._open_lexical(folder)
        if lexical is not None and (
            transaction.mark_of(lexical.revision) != lexical.mark or lexical.dead > _MAX_DEAD_POSTINGS * passages + 100
        ):
            lexical = None
        if lexical is not None:
            try:
                _apply_changes(lexical, transaction, generation)
            except StaleFiles:
                lexical = None
        if lexical is None:
            _log.info("index %s: rebuilding the postings of %d passages", self._folder.name, passages)
            lexical = LexicalIndex(folder, create=True)
            _apply_changes(lexical, transaction, generation)
        self._lexical = lexical
        return lexical.searcher()

    def _open_lexical(self, folder: Path) -> LexicalIndex | None:
        """Return the files' current state, through this process's handle or a new one; None if they are unusable."""
        try:
            if self._lexical is None or self._lexical.folder != folder:
                return LexicalIndex(folder)
            self._lexical.reload()
            return self._lexical
        except StaleFiles:
            return None


def _apply_changes(lexical: LexicalIndex, transaction: ReadTransaction, generation: int) -> None:
    revision, mark = transaction.last_change()
    if lexical.revision < revision:
        before = len(lexical.searcher())
        # New postings contain nothing that could have been removed.
        removed = transaction.removed_since(generation, lexical.revision) if lexical.revision else []
        lexical.apply(removed, transaction.texts_since(generation, lexical.revision), revision, mark)
        if len(lexical.searcher()) - before > _TRIM_ABOVE:
            trim_heap()


def _is_current(view: View, transaction: ReadTransaction) -> bool:
    is_last = (view.revision, view.mark) == transaction.last_change()
    return is_last and view.generation == transaction.live_generation()[0]
