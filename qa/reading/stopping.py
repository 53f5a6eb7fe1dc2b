"""How many of the passages that were found are read: in rounds, the most promising first, until the rest cannot win.

An unread passage is taken to reach at most what its retrieval score gives it plus `stop_margin`, which was fitted to be
more than the reader nearly ever adds to a best answer. The rule looks at the question's own passages only, and rounds
do not depend on the machine: whatever is asked beside a question, the same of its passages are read (pure).
"""

from __future__ import annotations

from collections.abc import Sequence

# Two keep two cores busy, and settle most questions; what they leave open is mostly read to the end.
ROUNDS = (2, 4, 4)
PASSAGES_READ = sum(ROUNDS)
# Names what decides which passages are read, beside the margin; part of the calibration's specification.
IDENTITY = "rounds-" + "-".join(map(str, ROUNDS)) + "-v1"


def is_settled(scores: Sequence[float], promised: float, stop_margin: float) -> bool:
    """Tell whether the best answer so far will hardly be beaten.

    Args:
        scores: of the answers in the passages that were read.
        promised: the part of its answers' score that the most promising unread passage has from retrieval.
        stop_margin: how much the reader may add to that.
    """
    return bool(scores) and max(scores) >= promised + stop_margin
