"""Logits ─► spans of a passage's text, and how strongly the passage holds none (pure numpy).

A span's logit is the sum of its start's and its end's. The null logit is that of `[CLS]`. Of several windows on one
passage, each span is held against the null of its own window: another window's says nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.types import Span

MAX_ANSWER_TOKENS = 30


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """One window: logits of the passage tokens from `first` on, and of the null span."""

    first: int
    start: NDArray[np.float32]
    end: NDArray[np.float32]
    null: float


@dataclass(frozen=True, slots=True)
class PassageLogits:
    """All windows on one passage; `offsets` are the code points of every token of it."""

    offsets: Sequence[tuple[int, int]]
    windows: Sequence[WindowLogits]


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A span of the passage's text, its logit, and that of "this window does not say"."""

    span: Span
    logit: float
    null: float

    @property
    def margin(self) -> float:
        """By how much the span is likelier than no answer."""
        return self.logit - self.null


def best_spans(logits: PassageLogits, count: int) -> list[ScoredSpan]:
    """Return at most `count` spans of at most 30 tokens, none overlapping another, by margin and then by place."""
    found = [
        ScoredSpan(_characters(logits, window.first + first, window.first + last), logit, window.null)
        for window in logits.windows
        for first, last, logit in _best_pairs(window, count)
    ]
    chosen: list[ScoredSpan] = []
    for scored in sorted(found, key=lambda s: (-s.margin, s.span)):
        if len(chosen) == count:
            break
        if not any(scored.span.overlaps(other.span) for other in chosen):
            chosen.append(scored)
    return chosen


def _characters(logits: PassageLogits, first: int, last: int) -> Span:
    return Span(logits.offsets[first][0], logits.offsets[last][1])


def _best_pairs(window: WindowLogits, count: int) -> list[tuple[int, int, float]]:
    """Search starts and ends jointly, best first; what overlaps a span that was taken is not looked at again.

    Row i, column k of the matrix is the span from token i to token i + k.
    """
    length = len(window.start)
    if length == 0:
        return []
    width = min(MAX_ANSWER_TOKENS, length)
    ends = np.concatenate([window.end, np.full(width - 1, -np.inf, np.float32)])
    sums = window.start[:, None] + np.lib.stride_tricks.sliding_window_view(ends, width)
    pairs: list[tuple[int, int, float]] = []
    while len(pairs) < count:
        first, more = divmod(int(sums.argmax()), width)
        logit = float(sums[first, more])
        if not np.isfinite(logit):
            break
        last = first + more
        pairs.append((first, last, logit))
        sums[first : last + 1] = -np.inf
        for row in range(max(0, first - width + 1), first):
            sums[row, first - row :] = -np.inf
    return pairs
