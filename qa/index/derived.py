"""What is made from the catalogue: vectors and postings of a generation, and the view that a query pins.

They can be made again at any time; one process at a time brings them up to date, under a file lock.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qa.errors import NotFound, Unavailable
from qa.index.catalog import Catalog, Specification
from qa.index.durable import exclusively
from qa.index.lexical import LexicalIndex, LexicalSearcher, StaleFiles, discard
from qa.index.transactions import ReadTransaction
from qa.index.vectors import VectorView, build_base, extend_base, newest_base
from qa.malloc import trim_heap

_log = logging.getLogger(__name__)

# tantivy's statistics count deleted passages until it merges them away: past this share the postings are made anew.
_MAX_DEAD_POSTINGS = 0.1
# tantivy has some thousands of texts wait for it: a hundred megabytes that would stay when they are written.
_MANY = 1_000
# Held by whoever makes the files of a generation that does not answer yet.
_ASIDE = "aside.lock"


@dataclass(frozen=True, slots=True)
class View:
    """One revision of a generation: what it was searched by, as it will stay."""

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
        self._catching_up = threading.Lock()

    @property
    def revision(self) -> int:
        """The revision that the next query finds here, if there has been no write since; 0 before the first query."""
        view = self._view
        return view.revision if view else 0

    @contextmanager
    def pinned(self) -> Iterator[tuple[View, ReadTransaction]]:
        """Give a view and a read transaction of the same revision.

        The transaction that catching up uses begins under the lock and is kept: nobody can have taken the derived files
        past it, and later writes of others do not matter.
        """
        with ExitStack() as stack:
            transaction = stack.enter_context(self._catalog.read())
            view = self._view
            if view is None or not _fresh(view, transaction):
                stack.close()
                with self._files_told(), self._catching_up, exclusively(self._folder / "lock"):
                    transaction = stack.enter_context(self._catalog.read())
                    view = self._view
                    if view is None or not _fresh(view, transaction):
                        view = self._view = self._caught_up(transaction, view)
            yield view, transaction

    @contextmanager
    def _files_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if self._catalog.is_deleted():
                raise NotFound(f"no index {self._folder.name!r}", field="index") from error
            raise Unavailable(f"{error.filename or self._folder}: {error.strerror or error}", field="index") from error

    def derive(self, generation: int) -> None:
        """Make the files of a generation that does not answer yet, so that nobody waits for them when it does.

        Queries bring the other generation's files up to date meanwhile: the lock is another one.
        """
        with self._catching_up, exclusively(self._folder / _ASIDE), self._catalog.read() as transaction:
            self._derived(transaction, generation, None)

    def discard_generation(self, generation: int) -> None:
        """Remove the files of a generation that is gone."""
        with self._catching_up, exclusively(self._folder / "lock"):
            for path in self._folder.glob(f"vectors-{generation}-*"):
                path.unlink(missing_ok=True)
            discard(self._folder / f"lexical-{generation}")

    def discard(self, damaged: View | None = None) -> None:
        """Remove vectors' base and postings: they are made again from the catalogue when they are next needed.

        Args:
            damaged: only if this is still the view, and nobody has made them again already.
        """
        # In this order: while files are made aside, nobody waits for the other lock.
        with self._catching_up, exclusively(self._folder / _ASIDE), exclusively(self._folder / "lock"):
            if damaged is not None and self._view is not damaged:
                return
            self._view = self._lexical = None
            for path in self._folder.glob("vectors-*"):
                path.unlink(missing_ok=True)
            for path in self._folder.glob("lexical-*"):
                discard(path)

    def compare(self) -> list[str]:
        """Return how the files of vectors and postings, once caught up, differ from the catalogue."""
        with self._catching_up:
            self._view = self._lexical = None
        with self.pinned() as (view, transaction):
            expected = dict(transaction.vectors_since(view.generation, 0))
            vectors, postings = view.vectors.stored(), view.lexical.passages()
        wrong = [
            f"{name}: {len(expected.keys() - found)} passages missing, {len(found - expected.keys())} too many"
            for name, found in (("vectors", set(vectors)), ("postings", set(postings)))
            if found != expected.keys()
        ]
        with self._catching_up, exclusively(self._folder / "lock"):
            damaged: list[str] = self._lexical.damaged() if self._lexical else []
        wrong += [f"postings: {name} is not as it was written" for name in damaged]
        if view.vectors.base is not None and not view.vectors.base.find_themselves():
            wrong.append("vectors: some are not found by themselves")
        differing = sum(not np.array_equal(vector, expected[n]) for n, vector in vectors.items() if n in expected)
        return [*wrong, f"vectors: {differing} differ"] if differing else wrong

    def _caught_up(self, transaction: ReadTransaction, view: View | None) -> View:
        generation, spec = transaction.live_generation()
        self._specification.check(Specification.parse(spec), self._folder.name)
        return self._derived(transaction, generation, view)

    def _derived(self, transaction: ReadTransaction, generation: int, view: View | None) -> View:
        revision, mark = transaction.state()
        if view is not None and view.generation == generation and transaction.mark_of(view.revision) == view.mark:
            vectors = view.vectors
        else:
            dimension = self._specification.dimension
            vectors = newest_base(self._folder, generation, dimension, transaction.mark_of)
        _, alive = transaction.counts(generation)
        if vectors.outgrown_by(alive):
            vectors = self._new_base(transaction, generation, alive)
        else:
            removed = transaction.removed_since(generation, vectors.revision)
            added = transaction.vectors_since(generation, vectors.revision)
            vectors = vectors.advance(revision, removed, added)
            if vectors.worn:
                grown = extend_base(vectors, self._folder, generation, mark)
                vectors = grown or self._new_base(transaction, generation, alive)
        return View(generation, revision, mark, vectors, self._lexical_at(transaction, generation, alive))

    def _new_base(self, transaction: ReadTransaction, generation: int, alive: int) -> VectorView:
        """Make a base of all passages of a generation, of which there are `alive`."""
        ids = np.zeros(alive, np.int64)
        vectors = np.zeros((alive, self._specification.dimension), np.float16)
        for row, (number, vector) in enumerate(transaction.vectors_since(generation, 0)):
            ids[row], vectors[row] = number, vector
        return build_base(self._folder, generation, *transaction.state(), ids, vectors)

    def _lexical_at(self, transaction: ReadTransaction, generation: int, alive: int) -> LexicalSearcher:
        folder = self._folder / f"lexical-{generation}"
        lexical = self._opened_lexical(folder)
        if lexical is not None and (
            transaction.mark_of(lexical.revision) != lexical.mark or lexical.dead > _MAX_DEAD_POSTINGS * alive + 100
        ):
            lexical = None
        if lexical is not None:
            try:
                _bring_up(lexical, transaction, generation)
            except StaleFiles:
                lexical = None
        if lexical is None:
            _log.info("index %s: making the postings of %d passages anew", self._folder.name, alive)
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
        except StaleFiles:
            return None


def _bring_up(lexical: LexicalIndex, transaction: ReadTransaction, generation: int) -> None:
    revision, mark = transaction.state()
    if lexical.revision < revision:
        before = len(lexical.searcher())
        # Postings that were just begun hold nothing that could have been removed.
        removed = transaction.removed_since(generation, lexical.revision) if lexical.revision else []
        lexical.apply(removed, transaction.texts_since(generation, lexical.revision), revision, mark)
        if len(lexical.searcher()) - before > _MANY:
            trim_heap()


def _fresh(view: View, transaction: ReadTransaction) -> bool:
    return (view.revision, view.mark) == transaction.state() and view.generation == transaction.live_generation()[0]
