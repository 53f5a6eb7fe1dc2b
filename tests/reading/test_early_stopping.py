from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from qa.reading.answers import Candidate
from qa.reading.early_stopping import PASSAGES_READ, ROUNDS, is_settled, passages_needed, read_until_settled
from qa.reading.reader import Pair
from qa.reading.spans import PassageLogits
from qa.types import Hit, Span
from tests.reading.test_answers import hit, read


def found(*margins: float, retrieval: float = 1.0) -> list[list[Candidate]]:
    """One candidate a passage, that the reader gives so many logits over none."""
    return [[Candidate(hit("text", retrieval=retrieval), Span(0, 4), m + 1.0, 1.0, True)] for m in margins]


@pytest.mark.parametrize(("margin", "settled"), [(6.0, True), (5.0, True), (4.9, False)])
def test_settled_is_what_the_rest_will_hardly_beat(margin: float, settled: bool) -> None:
    # 10 from retrieval, and the reader's margin, against 5 from retrieval and the stop margin of 10.
    hits = [hit("a"), hit("b", retrieval=0.5)]
    assert is_settled(found(margin), hits, 10.0, stop_margin=10.0) == settled


def test_nothing_left_is_settled_and_nothing_found_is_not() -> None:
    assert is_settled([[]], [hit("a")], 10.0, math.inf)
    assert is_settled([], [], 10.0, math.inf)
    assert not is_settled([[]], [hit("a"), hit("b", retrieval=0.0)], 10.0, 0.0)


class CountingReader:
    """Finds a word with a logit that the passage's own text gives."""

    identity = "counting@1"

    def __init__(self) -> None:
        self.asked: list[Pair] = []

    def read_batch(self, pairs: Sequence[Pair]) -> list[PassageLogits]:
        self.asked += pairs
        return [read(text, ("word", float(text.split()[1]))) for _, text, _ in pairs]


def ranked(*logits: float) -> list[Hit]:
    return [hit(f"word {logit}", str(n), retrieval=1 - n / 20) for n, logit in enumerate(logits)]


def test_a_question_is_read_until_it_is_settled_whatever_is_asked_beside_it() -> None:
    sure, late, never = ranked(9, *[0] * 11), ranked(0, 0, 0, 9, *[0] * 8), ranked(*[0] * 12)
    alone = [len(read_until_settled(CountingReader(), ["?"], [hits], 10.0, 5.0, 3)[0]) for hits in (sure, late, never)]
    assert alone == [ROUNDS[0], sum(ROUNDS[:2]), PASSAGES_READ]
    reader = CountingReader()
    together = read_until_settled(reader, ["a?", "b?", "c?"], [sure, late, never], 10.0, 5.0, 3)
    assert [len(made) for made in together] == alone
    assert len(reader.asked) == sum(alone)
    for made, hits in zip(together, (sure, late, never), strict=True):
        assert [passage[0].hit for passage in made] == hits[: len(made)]


def test_what_would_have_been_read_is_what_is_read() -> None:
    for hits in (ranked(9, *[0] * 9), ranked(0, 0, 9, *[0] * 7), ranked(*[0] * 10), ranked(0, 0, 0)):
        (whole,) = read_until_settled(CountingReader(), ["?"], [hits], 10.0, math.inf, 3)
        assert len(whole) == len(hits)
        (stopped,) = read_until_settled(CountingReader(), ["?"], [hits], 10.0, 5.0, 3)
        assert passages_needed(whole, hits, 10.0, 5.0) == len(stopped)
