"""Logits ─► spans of a passage's text, and how strongly the passage holds none (pure numpy).

A span's logit is the sum of its start's and its end's. The null logit is that of `[CLS]`. Of several windows on one
passage, a span takes its best logit, and the null its lowest: one window that holds the answer is enough.
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

    @property
    def null(self) -> float:
        """The logit of "this passage does not say"."""
        return min(window.null for window in self.windows)


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A span of the passage's text and its logit."""

    span: Span
    logit: float


def best_spans(logits: PassageLogits, count: int) -> list[ScoredSpan]:
    """Return at most `count` spans of at most 30 tokens, best first; ties by place. A text without tokens has none."""
    best: dict[tuple[int, int], float] = {}
    for window in logits.windows:
        for first, last, logit in _best_pairs(window, count):
            pair = (window.first + first, window.first + last)
            best[pair] = max(logit, best.get(pair, -np.inf))
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))[:count]
    return [
        ScoredSpan(Span(logits.offsets[first][0], logits.offsets[last][1]), logit) for (first, last), logit in ranked
    ]


def _best_pairs(window: WindowLogits, count: int) -> list[tuple[int, int, float]]:
    """Search starts and ends jointly: row i, column k is the span from token i to token i + k."""
    length = len(window.start)
    if length == 0:
        return []
    width = min(MAX_ANSWER_TOKENS, length)
    ends = np.concatenate([window.end, np.full(width - 1, -np.inf, np.float32)])
    sums = window.start[:, None] + np.lib.stride_tricks.sliding_window_view(ends, width)
    flat = sums.ravel()
    chosen = np.argpartition(-flat, min(count, flat.size) - 1)[:count]
    pairs = [(int(i // width), int(i // width + i % width), float(flat[i])) for i in chosen if np.isfinite(flat[i])]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))
