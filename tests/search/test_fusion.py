from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.search.fusion import fuse

PAIRS = st.lists(st.tuples(st.integers(0, 500).map(lambda n: n / 10), st.floats(-1, 1)), min_size=1, max_size=20)


def test_fuses_known_values() -> None:
    assert fuse([10.0, 0.0, 5.0], [0.2, 0.8, 0.5], 20.0).tolist() == pytest.approx([0.32, 0.48, 0.4])
    assert fuse([20.0, 0.0], [1.0, -0.1], 20.0).tolist() == [1.0, 0.0]
    assert fuse([], [], 0.0).tolist() == []


def test_sentence_coverage_replaces_a_part_of_the_lexical_score() -> None:
    lexical, dense = [10.0, 10.0, 10.0], [0.2, 0.2, 0.2]
    assert fuse(lexical, dense, 20.0, [0.5, 1.0, 0.0]).tolist() == pytest.approx([0.32, 0.4, 0.24])
    # Coverage equal to the passage's share of the ceiling changes nothing.
    assert fuse(lexical, dense, 20.0, [0.5] * 3).tolist() == pytest.approx(fuse(lexical, dense, 20.0).tolist())
    assert fuse([20.0], [1.0], 20.0, [1.0]).tolist() == pytest.approx([1.0])


def test_score_does_not_depend_on_other_candidates() -> None:
    (alone,) = fuse([9.0], [0.6], 12.0)
    assert fuse([12.0, 9.0, 0.0], [0.7, 0.6, 0.1], 12.0)[1] == alone


def test_equal_lexical_scores_leave_the_order_to_the_cosine() -> None:
    assert np.argmax(fuse([0.0, 0.0], [0.3, 0.6], 0.0)) == 1
    assert fuse([0.0], [0.1], 0.0).tolist() == pytest.approx([0.06])


@given(PAIRS, st.floats(0.1, 60), st.floats(0.5, 3))
def test_scores_stay_in_range_and_in_order(pairs: list[tuple[float, float]], ceiling: float, scale: float) -> None:
    lexical, dense = [a for a, _ in pairs], [b for _, b in pairs]
    fused = fuse(lexical, dense, ceiling)
    assert ((fused >= 0) & (fused <= 1)).all()
    rescaled = fuse([scale * a for a in lexical], dense, scale * ceiling)
    np.testing.assert_allclose(rescaled.tolist(), fused.tolist(), atol=1e-9)
    better = [i for i, (a, b) in enumerate(pairs) if a >= max(lexical) and b >= max(dense)]
    assert all(fused[i] == fused.max() for i in better)
