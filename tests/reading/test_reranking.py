from __future__ import annotations

from qa.reading.reranking import RERANKED, reordered, reranked
from qa.types import Hit
from tests.reading.test_answers import hit
from tests.reading.test_early_stopping import CountingReader, ranked

WEIGHT = 5.0


def documents(hits: list[Hit]) -> list[str]:
    return [hit.passage.document_id for hit in hits]


def test_what_the_reader_sees_and_how_well_it_was_found_both_count() -> None:
    hits = [hit("a", "best found", retrieval=0.9), hit("b", "holds it", retrieval=0.5), hit("c", "less", retrieval=0.1)]
    made = reordered(hits, [-2.0, 3.0, 3.0], WEIGHT)
    assert [(h.passage.document_id, h.score) for h in made] == [("holds it", 8.0), ("best found", 7.0), ("less", 4.0)]
    assert [(h.retrieval, h.margin) for h in made] == [(0.5, 3.0), (0.9, -2.0), (0.1, 3.0)]


def test_passages_that_surely_hold_no_answer_keep_their_order() -> None:
    hits = [hit(name, name, retrieval=1 - place / 10) for place, name in enumerate("abc")]
    assert documents(reordered(hits, [-30.0, -12.0, -6.0], WEIGHT)) == ["a", "b", "c"]
    assert documents(reordered(hits, [-30.0, -12.0, 0.0], WEIGHT)) == ["c", "a", "b"]


def test_the_first_ones_are_read_and_the_rest_stays_behind_them() -> None:
    # The best answer is in the last that is read, and would be in the first that is not.
    hits = ranked(*[-9.0] * (RERANKED - 1), 9.0, 99.0, 0.0)
    reader = CountingReader()
    (made,) = reranked(reader, ["?"], [hits], WEIGHT)
    assert len(reader.asked) == RERANKED
    places = [*range(RERANKED - 1)]
    assert documents(made) == [str(n) for n in (RERANKED - 1, *places, RERANKED, RERANKED + 1)]
    scores = [h.score for h in made]
    assert scores == sorted(scores, reverse=True)
    assert [h.margin for h in made] == [9.0, *[-9.0] * (RERANKED - 1), None, None]


def test_what_cannot_be_an_answer_does_not_lift_its_passage() -> None:
    hits = [hit("word 1.0", "word"), hit("word 9.0", "cut", cut=(True, False))]
    (made,) = reranked(CountingReader(), ["?"], [hits], WEIGHT)
    assert documents(made) == ["word", "cut"]


def test_a_question_gets_the_same_whatever_is_asked_beside_it() -> None:
    some, none, many = ranked(0.0, 5.0, 2.0), ranked(), ranked(*[float(n % 7) for n in range(RERANKED + 3)])
    alone = [reranked(CountingReader(), ["?"], [hits], WEIGHT)[0] for hits in (some, none, many)]
    assert reranked(CountingReader(), ["a?", "b?", "c?"], [some, none, many], WEIGHT) == alone
    assert documents(alone[0]) == ["1", "2", "0"]
