"""Two rankings of passages ─► one (pure).

Each side's scores are brought to [0, 1] within the query, then weighed alike. Both sides are scored for the union of
their candidates, so that a passage only one side found is not taken for a zero on the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DENSE_WEIGHT = 0.5
CANDIDATES = 100
# Names what decides the fused score; part of the calibration's specification.
IDENTITY = f"minmax-{DENSE_WEIGHT}-{CANDIDATES}-v1"


def fuse(lexical: Sequence[float], dense: Sequence[float]) -> NDArray[np.float64]:
    """Return a score in [0, 1] for each candidate.

    Args:
        lexical: BM25 of each candidate.
        dense: cosine of each candidate, in the same order.
    """
    return DENSE_WEIGHT * _scaled(dense) + (1 - DENSE_WEIGHT) * _scaled(lexical)


def _scaled(scores: Sequence[float]) -> NDArray[np.float64]:
    """Bring scores to [0, 1]; where all are equal they tell nothing apart, and are 1."""
    values = np.asarray(scores, np.float64)
    if len(values) == 0:
        return values
    low, high = values.min(), values.max()
    return np.ones_like(values) if high == low else (values - low) / (high - low)
