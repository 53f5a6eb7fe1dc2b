from __future__ import annotations

from qa.reading.reranking import RERANK_DEPTH, reorder_hits, rerank_hits
from qa.results import Hit
from tests.reading.test_answers import hit
from tests.reading.test_early_stopping import CountingReader, word_hits

WEIGHT = 5.0


def documents(hits: list[Hit]) -> list[str]:
    return [hit.passage.document_id for hit in hits]


def test_margin_and_retrieval_score_both_count() -> None:
    hits = [hit("a", "best found", retrieval=0.9), hit("b", "holds it", retrieval=0.5), hit("c", "less", retrieval=0.1)]
    reordered = reorder_hits(hits, [-2.0, 3.0, 3.0], WEIGHT)
    assert [(h.passage.document_id, h.score) for h in reordered] == [
        ("holds it", 8.0),
        ("best found", 7.0),
        ("less", 4.0),
    ]
    assert [(h.retrieval, h.margin) for h in reordered] == [(0.5, 3.0), (0.9, -2.0), (0.1, 3.0)]


def test_passages_below_the_margin_floor_keep_their_order() -> None:
    hits = [hit(name, name, retrieval=1 - rank / 10) for rank, name in enumerate("abc")]
    assert documents(reorder_hits(hits, [-30.0, -12.0, -6.0], WEIGHT)) == ["a", "b", "c"]
    assert documents(reorder_hits(hits, [-30.0, -12.0, 0.0], WEIGHT)) == ["c", "a", "b"]


def test_unread_hits_stay_behind_the_read_ones() -> None:
    # The last hit that is read has the best answer of those read; the first unread hit has a better one.
    hits = word_hits(*[-9.0] * (RERANK_DEPTH - 1), 9.0, 99.0, 0.0)
    reader = CountingReader()
    (reranked,) = rerank_hits(reader, ["?"], [hits], WEIGHT)
    assert len(reader.pairs) == RERANK_DEPTH
    ranks = [*range(RERANK_DEPTH - 1)]
    assert documents(reranked) == [str(n) for n in (RERANK_DEPTH - 1, *ranks, RERANK_DEPTH, RERANK_DEPTH + 1)]
    scores = [h.score for h in reranked]
    assert scores == sorted(scores, reverse=True)
    assert [h.margin for h in reranked] == [9.0, *[-9.0] * (RERANK_DEPTH - 1), None, None]


def test_span_that_cannot_be_an_answer_does_not_lift_its_passage() -> None:
    hits = [hit("word 1.0", "word"), hit("word 9.0", "cut", cut=(True, False))]
    (reranked,) = rerank_hits(CountingReader(), ["?"], [hits], WEIGHT)
    assert documents(reranked) == ["word", "cut"]


def test_batching_does_not_change_the_order() -> None:
    few, none = word_hits(0.0, 5.0, 2.0), word_hits()
    many = word_hits(*[float(n % 7) for n in range(RERANK_DEPTH + 3)])
    single = [rerank_hits(CountingReader(), ["?"], [hits], WEIGHT)[0] for hits in (few, none, many)]
    assert rerank_hits(CountingReader(), ["a?", "b?", "c?"], [few, none, many], WEIGHT) == single
    assert documents(single[0]) == ["1", "2", "0"]
