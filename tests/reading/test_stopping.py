from __future__ import annotations

import math

import pytest

from qa.reading.stopping import is_settled


@pytest.mark.parametrize(
    ("scores", "promised", "settled"),
    [([15.0], 4.0, True), ([14.0], 4.0, True), ([13.9], 4.0, False), ([3.0, 20.0, 1.0], 4.0, True), ([], -50.0, False)],
)
def test_settled_is_what_the_rest_will_hardly_beat(scores: list[float], promised: float, settled: bool) -> None:
    assert is_settled(scores, promised, stop_margin=10.0) == settled


def test_the_margin_decides() -> None:
    assert is_settled([0.0], 100.0, -math.inf)
    assert not is_settled([100.0], 0.0, math.inf)
