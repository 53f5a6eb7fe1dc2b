"""Two rankings of passages ─► one (pure).

Both sides are brought to [0, 1] by what they could be, not by what a query's other passages are: BM25 as a share of the
most that the question's words could score, the cosine as it is. So a passage's score is its own, and means the same
whatever is asked, of a small index or a large one (theoretical bounds instead of observed ones: Bruch, Gai and Ingber,
ACM TOIS 2023). Both sides are scored for the union of their candidates: a passage only one side found
is not taken for a zero on the other.

Where passages are what is asked for, BM25 gives up a part of its weight to the share of the question that a passage's
best sentence covers. Not where answers are chosen: the reader sees sentences itself, and what both see counts twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DENSE_WEIGHT = 0.6
# Of the lexical side.
SENTENCE_WEIGHT = 0.4
CANDIDATES = 100
# So many are looked at sentence by sentence; what ranks lower stays behind them.
LOOKED_AT = 30
# Names what decides the fused score of what is read; part of the calibration's specification.
IDENTITY = f"bounds-{DENSE_WEIGHT}-{CANDIDATES}-v3"


def fuse(
    lexical: Sequence[float], dense: Sequence[float], ceiling: float, covered: Sequence[float] | None = None
) -> NDArray[np.float64]:
    """Return a score in [0, 1] for each candidate.

    Args:
        lexical: BM25 of each candidate.
        dense: cosine of each candidate, in the same order.
        ceiling: the BM25 that the question's words could reach; 0.0 where it has none.
        covered: the share of the question that each candidate's best sentence covers, where that is to count.
    """
    shares = np.asarray(lexical, np.float64) / ceiling if ceiling > 0 else np.zeros(len(lexical))
    # Pairs of words come on top of the words, so that the ceiling is passed by a little now and then.
    shares = np.minimum(shares, 1)
    if covered is not None:
        shares = (1 - SENTENCE_WEIGHT) * shares + SENTENCE_WEIGHT * np.asarray(covered, np.float64)
    return (1 - DENSE_WEIGHT) * shares + DENSE_WEIGHT * np.clip(np.asarray(dense, np.float64), 0, 1)
