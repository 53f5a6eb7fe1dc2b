"""Score fusion: one score from BM25 and cosine similarity (pure).

Both scores are scaled to [0, 1] by their theoretical bounds, not by the other passages of the query: BM25 is divided by
the highest score that the question's terms could reach, the cosine is used unchanged. A passage's score therefore does
not depend on the other candidates, and means the same in a small index and a large one (Bruch, Gai and Ingber, ACM TOIS
2023). Both scores are computed for every candidate, so a passage that only one ranking returned does not count as zero
in the other.

When passages are the result, the share of the question that a passage's best sentence covers replaces a part of the
BM25 score. When answers are extracted it does not: the reader judges sentences itself, and the evidence would count
twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DENSE_WEIGHT = 0.6
# Weight of sentence coverage within the lexical score.
SENTENCE_WEIGHT = 0.4
# Candidates taken from each of the two rankings.
CANDIDATES = 100
# Passages that are re-scored by sentence coverage; lower ranks stay behind them.
SENTENCE_DEPTH = 30
# Identifies the fused score that answers are ranked by; part of the calibration's specification.
IDENTITY = f"bounds-{DENSE_WEIGHT}-{CANDIDATES}-v4"


def fuse(
    lexical: Sequence[float], dense: Sequence[float], ceiling: float, coverage: Sequence[float] | None = None
) -> NDArray[np.float64]:
    """Return a score in [0, 1] for each candidate.

    Args:
        lexical: BM25 score of each candidate.
        dense: cosine similarity of each candidate, in the same order.
        ceiling: the BM25 score that the question's terms could reach; 0.0 if it has none.
        coverage: share of the question that each candidate's best sentence covers; None leaves it out.
    """
    shares = np.asarray(lexical, np.float64) / ceiling if ceiling > 0 else np.zeros(len(lexical))
    # The ceiling covers single terms. Term pairs add to the score, so it can exceed the ceiling slightly.
    shares = np.minimum(shares, 1)
    if coverage is not None:
        shares = (1 - SENTENCE_WEIGHT) * shares + SENTENCE_WEIGHT * np.asarray(coverage, np.float64)
    return (1 - DENSE_WEIGHT) * shares + DENSE_WEIGHT * np.clip(np.asarray(dense, np.float64), 0, 1)
