"""Two rankings of passages ─► one (pure).

Each side's scores are brought to [0, 1] within the query, then weighed alike. Both sides are scored for the union of
their candidates, so that a passage only one side found is not taken for a zero on the other. Zero is what an unrelated
passage scores, not the worst candidate: among three passages of one article the worst may well hold the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DENSE_WEIGHT = 0.5
CANDIDATES = 100
# A passage without a word of the question has a BM25 of 0. In a large index the hundredth nearest passage has a cosine
# of about 0.2.
LEXICAL_FLOOR, DENSE_FLOOR = 0.0, 0.2
# Names what decides the fused score; part of the calibration's specification.
IDENTITY = f"floored-{LEXICAL_FLOOR}-{DENSE_FLOOR}-{DENSE_WEIGHT}-{CANDIDATES}-v2"


def fuse(lexical: Sequence[float], dense: Sequence[float]) -> NDArray[np.float64]:
    """Return a score in [0, 1] for each candidate.

    Args:
        lexical: BM25 of each candidate.
        dense: cosine of each candidate, in the same order.
    """
    return DENSE_WEIGHT * _scaled(dense, DENSE_FLOOR) + (1 - DENSE_WEIGHT) * _scaled(lexical, LEXICAL_FLOOR)


def _scaled(scores: Sequence[float], floor: float) -> NDArray[np.float64]:
    """Bring scores to [0, 1], from the floor or what lies below it to the highest."""
    values = np.asarray(scores, np.float64)
    low, high = values.min(initial=floor), values.max(initial=floor)
    return np.zeros_like(values) if high == low else (values - low) / (high - low)
