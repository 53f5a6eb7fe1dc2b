from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.index.fusion import fuse

PAIRS = st.lists(st.tuples(st.integers(0, 500).map(lambda n: n / 10), st.floats(-1, 1)), min_size=1, max_size=20)


def test_known_values() -> None:
    assert fuse([10.0, 0.0, 5.0], [0.2, 0.8, 0.5]).tolist() == pytest.approx([0.5, 0.5, 0.5])
    assert fuse([10.0, 0.0], [0.9, 0.1]).tolist() == [1.0, 0.0]
    assert fuse([], []).tolist() == []


def test_the_worst_of_few_is_not_taken_for_unrelated() -> None:
    best, worst = fuse([12.0, 9.0], [0.7, 0.6]).tolist()
    assert best == 1.0
    assert worst == pytest.approx((9 / 12 + 0.4 / 0.5) / 2)


def test_a_side_that_tells_nothing_apart_does_not_decide() -> None:
    assert np.argmax(fuse([0.0, 0.0], [0.3, 0.6])) == 1
    assert fuse([0.0], [0.1]).tolist() == [0.0]


@given(PAIRS, st.floats(0.5, 3))
def test_scores_stay_in_range_and_in_order(pairs: list[tuple[float, float]], scale: float) -> None:
    lexical, dense = [a for a, _ in pairs], [b for _, b in pairs]
    fused = fuse(lexical, dense)
    assert ((fused >= 0) & (fused <= 1 + 1e-12)).all()
    np.testing.assert_allclose(fuse([scale * a for a in lexical], dense), fused, atol=1e-9)
    better = [i for i, (a, b) in enumerate(pairs) if a >= max(lexical) and b >= max(dense)]
    assert all(fused[i] == fused.max() for i in better)
