"""The embedded index's implementation of `qa.search.hybrid.Snapshot` and `qa.search.quotations.QuotationSnapshot`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from qa.index.derived import View
from qa.index.stale_files import StaleFiles
from qa.index.transactions import ReadTransaction
from qa.search.filters import Filter
from qa.search.hybrid import StoredPassage
from qa.search.quotations import PassageText
from qa.types import Document


class LocalSnapshot:
    """A read transaction, and the vectors and postings of the same revision."""

    def __init__(self, view: View, transaction: ReadTransaction) -> None:
        self._view = view
        self._transaction = transaction
        self._matching: dict[Filter, list[int]] = {}
        self.generation = view.generation
        self.revision = view.revision
        self.passage_count = len(view.lexical)

    def nearest(self, vector: NDArray[np.float32], limit: int, filter: Filter | None) -> list[int]:
        """Return the ids of the passages nearest to a unit vector, in any order."""
        allowed = self._allowed(filter)
        if allowed is not None and len(allowed) <= limit:
            # A filter on one document is common, and comparing its few vectors with all others is not needed.
            return allowed
        return self._view.vectors.search(vector, limit, allowed)

    def bm25(self, question: str, limit: int, filter: Filter | None) -> dict[int, float]:
        """Return the ids and BM25 scores of the best passages that share a term with a question."""
        return dict(self._view.lexical.search(question, limit, self._allowed(filter)))

    def bm25_of(self, question: str, ids: Sequence[int]) -> dict[int, float]:
        """Return the BM25 scores of passages; 0.0 for a passage that shares no term with the question."""
        return self._view.lexical.scores(question, ids)

    def document_frequencies(self, question: str) -> dict[str, int]:
        """Return a question's terms, each with the number of passages that contain it."""
        return self._view.lexical.document_frequencies(question)

    def analyze(self, text: str) -> Iterable[str]:
        """Return the terms of a text as they are indexed; "" for a word that is not indexed."""
        return self._view.lexical.analyze(text)

    def vectors(self, ids: Sequence[int]) -> dict[int, NDArray[np.float16]]:
        """Return the stored vectors of passages.

        Raises:
            StaleFiles: the derived files name a passage that the catalogue does not have.
        """
        vectors = self._transaction.vectors(ids)
        _check_all_stored(vectors, ids)
        return vectors

    def passages(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        """Return passages with their documents' attributes.

        Raises:
            StaleFiles: as for `vectors`.
        """
        passages = self._transaction.passages(ids)
        _check_all_stored(passages, ids)
        return passages

    def frequency(self, term: str) -> int:
        """Return the number of passages that contain a term; it may include deleted ones."""
        return self._view.lexical.frequency(term)

    def passages_with(self, terms: Sequence[str], filter: Filter | None) -> Iterator[PassageText]:
        """Yield all passages that contain any of the terms, in the order in which they were added."""
        return self._transaction.passage_texts(self._view.lexical.passages_with(terms), filter)

    def best_passages(self, terms: Sequence[str], limit: int, filter: Filter | None) -> list[PassageText]:
        """Return the passages with the highest BM25 scores for terms, best first; ties by passage id."""
        ids = [id for id, _ in self._view.lexical.rank(terms, limit, self._allowed(filter))]
        passages = self.passages(ids)
        return [PassageText(p.document_id, p.span, p.text) for p in (passages[id].passage for id in ids)]

    def document(self, id: str) -> Document:
        """Return a stored document.

        Raises:
            StaleFiles: the catalogue does not have it.
        """
        document = self._transaction.document(id)
        if document is None:
            raise StaleFiles(f"document {id!r} is not in the catalogue")
        return document

    def texts(self, filter: Filter | None) -> Iterator[tuple[str, str]]:
        """Yield the id and text of every document that passes a filter."""
        return self._transaction.texts(filter)

    def _allowed(self, filter: Filter | None) -> list[int] | None:
        """Return the ids of the passages that pass a filter, evaluated once; None without a filter."""
        if filter is None:
            return None
        if filter not in self._matching:
            self._matching[filter] = self._transaction.passages_matching(self.generation, filter)
        return self._matching[filter]


def _check_all_stored(rows: dict[int, StoredPassage] | dict[int, NDArray[np.float16]], ids: Sequence[int]) -> None:
    if len(rows) < len(ids):
        raise StaleFiles(f"{len(ids) - len(rows)} passages in the vectors or postings are not in the catalogue")
