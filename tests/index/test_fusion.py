from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.index.fusion import fuse

PAIRS = st.lists(st.tuples(st.floats(0, 50), st.floats(-1, 1)), min_size=1, max_size=20)


def test_known_values() -> None:
    assert fuse([10.0, 0.0, 5.0], [0.2, 0.8, 0.5]).tolist() == pytest.approx([0.5, 0.5, 0.5])
    assert fuse([10.0, 0.0], [0.9, 0.1]).tolist() == [1.0, 0.0]
    assert fuse([], []).tolist() == []


def test_a_side_that_tells_nothing_apart_does_not_decide() -> None:
    assert np.argmax(fuse([0.0, 0.0], [0.3, 0.6])) == 1


@given(PAIRS, st.floats(0.5, 3), st.floats(-5, 5))
def test_only_relative_scores_matter(pairs: list[tuple[float, float]], scale: float, shift: float) -> None:
    lexical, dense = [a for a, _ in pairs], [b for _, b in pairs]
    fused = fuse(lexical, dense)
    assert ((fused >= 0) & (fused <= 1)).all()
    spread = max(lexical) - min(lexical)
    if spread > 1e-3:
        np.testing.assert_allclose(fuse([scale * a + shift for a in lexical], dense), fused, atol=1e-6)
