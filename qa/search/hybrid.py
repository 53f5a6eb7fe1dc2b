"""Hybrid search: candidates from dense and lexical retrieval, scored once over a snapshot of an index (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.results import Hit, SearchResult
from qa.search.analysis import bm25_ceiling, identifiers, term_weights
from qa.search.filters import Filter
from qa.search.fusion import CANDIDATES, SENTENCE_DEPTH, fuse
from qa.search.sentence_coverage import coverage
from qa.text.headings import headings_above
from qa.types import Passage


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with its id, its vector (float16, unit length) and the attributes of its document."""

    id: int
    passage: Passage
    vector: NDArray[np.float16]
    title: str | None
    uri: str | None
    meta: dict[str, Any]


class Snapshot(Protocol):
    """One revision of one generation of an index, as one question sees it. Later writes do not change it."""

    @property
    def generation(self) -> int:
        """The generation that is searched."""

    @property
    def revision(self) -> int:
        """The last write that is included."""

    @property
    def passage_count(self) -> int:
        """The number of passages."""

    def nearest(self, vector: NDArray[np.float32], limit: int, filter: Filter | None) -> Sequence[int]:
        """Return the ids of at most `limit` passages whose vectors are nearest to a unit vector.

        It is empty exactly when the filter matches no passage; results report that there is nothing to search.
        """

    def bm25(self, question: str, limit: int, filter: Filter | None) -> Mapping[int, float]:
        """Return the ids and BM25 scores of the best passages, at most `limit`, that share a term with a question."""

    def bm25_of(self, question: str, ids: Sequence[int]) -> Mapping[int, float]:
        """Return the BM25 scores of passages; 0.0 for a passage that shares no term with the question."""

    def document_frequencies(self, question: str) -> Mapping[str, int]:
        """Return a question's terms, in its order, each with the number of passages that contain it."""

    def analyze(self, text: str) -> Iterable[str]:
        """Return the terms of a text as they are indexed; "" for a word that is not indexed."""

    def vectors(self, ids: Sequence[int]) -> Mapping[int, NDArray[np.float16]]:
        """Return the stored vectors of passages, all of them or an error."""

    def passages(self, ids: Sequence[int]) -> Mapping[int, StoredPassage]:
        """Return passages with their documents' attributes, all of them or an error."""


def search(
    snapshot: Snapshot,
    question: str,
    vector: NDArray[np.float32],
    limit: int,
    filter: Filter | None = None,
    *,
    by_sentence: bool = False,
) -> SearchResult:
    """Return the passages that most likely answer a question, best first; ties by passage id.

    Args:
        snapshot: the snapshot to search.
        question: the question in plain language.
        vector: the question's unit vector, shape (dimension,).
        limit: the number of passages to return.
        filter: restricts the documents that are searched.
        by_sentence: re-score the first passages by sentence coverage. Use it when passages are the result, not when
            answers are extracted from them.
    """
    depth = max(CANDIDATES, limit)
    nearest = snapshot.nearest(vector, depth, filter)
    lexical = dict(snapshot.bm25(question, depth, filter))
    candidates = sorted({*nearest, *lexical})
    lexical |= snapshot.bm25_of(question, [id for id in candidates if id not in lexical])
    vectors = snapshot.vectors(candidates)
    dense = dict(zip(candidates, cosines([vectors[id] for id in candidates], vector), strict=True))
    weights = term_weights(snapshot.document_frequencies(question), snapshot.passage_count)
    ceiling = bm25_ceiling(weights)
    fused = fuse([lexical[id] for id in candidates], list(dense.values()), ceiling).tolist()
    best = _best(fused, candidates, max(SENTENCE_DEPTH, limit) if by_sentence else limit)
    # Texts are loaded only for passages that may be returned.
    passages = snapshot.passages([id for _, id in best])
    if by_sentence:
        rescored, rest = [id for _, id in best[:SENTENCE_DEPTH]], best[SENTENCE_DEPTH:]
        # The parts of an identifier are covered like other words.
        names = identifiers(question)
        weights = {term: weight for term, weight in weights.items() if term not in names}
        shares = [_sentence_coverage(passages[id], weights, snapshot) for id in rescored]
        fused = fuse([lexical[id] for id in rescored], [dense[id] for id in rescored], ceiling, shares).tolist()
        best = _best(fused, rescored, SENTENCE_DEPTH)
        # The rest stays behind, so the first hits do not depend on `limit`.
        best += [(min(score, best[-1][0]), id) for score, id in rest]
    hits = [_build_hit(passages[id], lexical[id], dense[id], score) for score, id in best[:limit]]
    return SearchResult(hits, snapshot.generation, snapshot.revision)


def cosines(vectors: Sequence[NDArray[np.float16]], question: NDArray[np.float32]) -> list[float]:
    """Return the exact cosine of each unit vector with the question's.

    Each is a separate float32 dot product, so the result does not depend on the other vectors.
    """
    return [float(np.dot(vector.astype(np.float32), question)) for vector in vectors]


def _best(scores: Sequence[float], ids: Sequence[int], limit: int) -> list[tuple[float, int]]:
    return sorted(zip(scores, ids, strict=True), key=lambda pair: (-pair[0], pair[1]))[:limit]


def _sentence_coverage(stored: StoredPassage, weights: Mapping[str, float], snapshot: Snapshot) -> float:
    passage = stored.passage
    titles = headings_above(passage.text, stored.title, passage.marks)
    return coverage(weights, passage.text, titles, snapshot.analyze)


def _build_hit(stored: StoredPassage, lexical: float, dense: float, score: float) -> Hit:
    return Hit(stored.id, stored.passage, stored.title, stored.uri, stored.meta, lexical, dense, score)
