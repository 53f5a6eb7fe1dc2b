from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from qa.search.filters import Filter, parse_filter
from qa.search.fusion import fuse
from qa.search.hybrid import StoredPassage, cosines, search
from qa.types import Passage, Span

QUESTION = "steam engine"
VECTOR = np.array([1, 0], np.float32)


class MemorySnapshot:
    """Passages in dictionaries. BM25 is the number of term occurrences; each ranking returns its two best passages."""

    generation = 3
    revision = 7

    def __init__(self, texts: dict[int, str], vectors: dict[int, list[float]]) -> None:
        self.texts = texts
        self.passage_count = len(texts)
        self._vectors = {id: np.array(vector, np.float16) for id, vector in vectors.items()}
        self.filters: list[Filter | None] = []

    def nearest(self, vector: NDArray[np.float32], limit: int, filter: Filter | None) -> Sequence[int]:
        assert limit >= 100
        self.filters.append(filter)
        scores = {id: float(stored.astype(np.float32) @ vector) for id, stored in self._vectors.items()}
        return sorted(scores, key=lambda passage: -scores[passage])[:2]

    def bm25(self, question: str, limit: int, filter: Filter | None) -> dict[int, float]:
        assert limit >= 100
        self.filters.append(filter)
        scores = self.bm25_of(question, list(self.texts))
        return {id: score for id, score in sorted(scores.items(), key=lambda pair: -pair[1])[:2] if score}

    def bm25_of(self, question: str, ids: Sequence[int]) -> dict[int, float]:
        terms = question.split()
        return {id: float(sum(self.texts[id].lower().count(term) for term in terms)) for id in ids}

    def document_frequencies(self, question: str) -> dict[str, int]:
        return {term: sum(term in text.lower() for text in self.texts.values()) for term in question.split()}

    def analyze(self, text: str) -> Iterable[str]:
        return text.lower().replace(".", "").split()

    def vectors(self, ids: Sequence[int]) -> dict[int, NDArray[np.float16]]:
        return {id: self._vectors[id] for id in ids}

    def passages(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        return {id: self._stored(id) for id in ids}

    def _stored(self, id: int) -> StoredPassage:
        text = self.texts[id]
        return StoredPassage(id, Passage(f"d{id}", Span(0, len(text)), text), self._vectors[id], None, None, {"id": id})


def test_scores_every_candidate_on_both_sides() -> None:
    texts = {1: "A steam engine.", 2: "Steam.", 3: "A boat.", 4: "A horse.", 5: "A cart."}
    vectors = {1: [0.0, 1.0], 2: [0.6, 0.8], 3: [1.0, 0.0], 4: [0.8, 0.6], 5: [0.0, 1.0]}
    snapshot = MemorySnapshot(texts, vectors)
    result = search(snapshot, QUESTION, VECTOR, 10)
    hits = {hit.passage_id: hit for hit in result.hits}
    # Passage 5 is a candidate of neither ranking.
    assert set(hits) == {1, 2, 3, 4}
    assert {id: hit.lexical for id, hit in hits.items()} == {1: 2.0, 2: 1.0, 3: 0.0, 4: 0.0}
    assert [hits[id].dense for id in (1, 2, 3, 4)] == cosines(
        [snapshot.vectors([id])[id] for id in (1, 2, 3, 4)], VECTOR
    )
    scores = [hit.retrieval for hit in result.hits]
    assert scores == sorted(scores, reverse=True)
    assert (result.generation, result.revision) == (3, 7)
    assert hits[1].meta == {"id": 1}


def test_breaks_ties_by_passage_id_and_returns_at_most_the_limit() -> None:
    snapshot = MemorySnapshot({9: "Steam.", 4: "Steam.", 6: "Boat."}, {9: [0, 1], 4: [0, 1], 6: [0, 1]})
    assert [hit.passage_id for hit in search(snapshot, "steam", VECTOR, 1).hits] == [4]
    assert [hit.passage_id for hit in search(snapshot, "steam", VECTOR, 2).hits] == [4, 9]


def test_passes_the_filter_to_both_rankings() -> None:
    snapshot = MemorySnapshot({1: "Steam."}, {1: [1, 0]})
    filter = parse_filter({"year": 2020})
    search(snapshot, QUESTION, VECTOR, 5, filter)
    assert snapshot.filters == [filter, filter]


def test_sentence_coverage_ranks_terms_in_one_sentence_higher() -> None:
    texts = {1: "Steam rises. An engine.", 2: "A steam engine. It rises."}
    snapshot = MemorySnapshot(texts, {1: [1, 0], 2: [0.96, 0.28]})
    assert [hit.passage_id for hit in search(snapshot, QUESTION, VECTOR, 2).hits] == [1, 2]
    by_sentence = search(snapshot, QUESTION, VECTOR, 2, by_sentence=True).hits
    assert [hit.passage_id for hit in by_sentence] == [2, 1]
    assert by_sentence[0].lexical == by_sentence[1].lexical == 2.0


def test_empty_index_has_no_hits() -> None:
    result = search(MemorySnapshot({}, {}), QUESTION, VECTOR, 5, by_sentence=True)
    assert list(result.hits) == []


def test_fused_score_uses_the_ceiling_of_the_question_terms() -> None:
    snapshot = MemorySnapshot({1: "Steam.", 2: "Boat."}, {1: [1, 0], 2: [0, 1]})
    (best, _) = search(snapshot, "steam", VECTOR, 2).hits
    idf = np.log(1 + 1.5 / 1.5)
    assert best.retrieval == pytest.approx(fuse([1.0], [1.0], 2.2 * idf)[0])


def test_cosines_are_exact_dot_products() -> None:
    generator = np.random.default_rng(1)
    matrix = generator.normal(size=(5, 64)).astype(np.float16)
    question = generator.normal(size=64).astype(np.float32)
    assert cosines(list(matrix), question) == [float(np.dot(row.astype(np.float32), question)) for row in matrix]
