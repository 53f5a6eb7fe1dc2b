"""Turn logits into the best spans of a passage, each with the null logit of its window (pure numpy).

A span's logit is the sum of its start logit and its end logit. The null logit is that of `[CLS]`. Each span is compared
with the null logit of the same window, because other windows' null logits say nothing about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qa.types import Span

MAX_ANSWER_TOKENS = 30


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """The logits of one window: of its passage tokens, the first of which is `first`, and of the null span.

    `evidence` has one logit for each token; empty if the reader does not mark evidence.
    """

    first: int
    start: NDArray[np.float32]
    end: NDArray[np.float32]
    null: float
    evidence: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class PassageLogits:
    """The logits of all windows of a passage.

    Attributes:
        offsets: code point ranges of the passage's tokens, shape (tokens, 2).
        windows: the logits.
        segments: number of the segment of each token, shape (tokens,); no span is in two segments, and none contains a
            token of segment -1.
        units: the passage's units of evidence, ascending.
    """

    offsets: NDArray[np.int64]
    windows: Sequence[WindowLogits]
    segments: NDArray[np.int64]
    units: Sequence[Span] = ()


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A span of the passage's text, its logit, and the null logit of its window."""

    span: Span
    logit: float
    null: float

    @property
    def margin(self) -> float:
        """By how many logits the span exceeds the null logit."""
        return self.logit - self.null


def best_spans(logits: PassageLogits, count: int) -> list[ScoredSpan]:
    """Return at most `count` non-overlapping spans of at most 30 tokens, by margin and then by position."""
    scored_spans = [
        ScoredSpan(_to_characters(logits, window.first + first, window.first + last), logit, window.null)
        for window in logits.windows
        for first, last, logit in _best_pairs(
            window, logits.segments[window.first : window.first + len(window.start)], count
        )
    ]
    selected: list[ScoredSpan] = []
    for scored in sorted(scored_spans, key=lambda s: (-s.margin, s.span)):
        if len(selected) == count:
            break
        if not any(scored.span.overlaps(better.span) for better in selected):
            selected.append(scored)
    return selected


def _to_characters(logits: PassageLogits, first: int, last: int) -> Span:
    return Span(int(logits.offsets[first, 0]), int(logits.offsets[last, 1]))


def _best_pairs(window: WindowLogits, segments: NDArray[np.int64], count: int) -> list[tuple[int, int, float]]:
    """Return the best (first token, last token, logit) triples, none overlapping a better one.

    Row i, column k of the matrix is the span from token i to token i + k.
    """
    length = len(window.start)
    if length == 0:
        return []
    width = min(MAX_ANSWER_TOKENS, length)
    ends = np.concatenate([window.end, np.full(width - 1, -np.inf, np.float32)])
    sums = window.start[:, None] + np.lib.stride_tricks.sliding_window_view(ends, width)
    last_segments = np.concatenate([segments, np.full(width - 1, -1)])
    crosses = np.lib.stride_tricks.sliding_window_view(last_segments, width) != segments[:, None]
    sums[crosses | (segments < 0)[:, None]] = -np.inf
    pairs: list[tuple[int, int, float]] = []
    while len(pairs) < count:
        first, extra = divmod(int(sums.argmax()), width)
        logit = float(sums[first, extra])
        if not np.isfinite(logit):
            break
        last = first + extra
        pairs.append((first, last, logit))
        # Exclude every span that overlaps this one.
        sums[first : last + 1] = -np.inf
        for row in range(max(0, first - width + 1), first):
            sums[row, first - row :] = -np.inf
    return pairs
