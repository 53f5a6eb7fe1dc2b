"""Passages that were found ─► the same, in the order of how well they answer: the reader reads the first of them.

What it makes of a passage counts beside how well that was found, as it does for an answer. Of two passages that it is
sure hold none it does not say which is of more use to someone who wants to know about a thing, rather than one fact:
there it is left to how well they were found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qa.reading.reader import Reader
from qa.reading.rounds import PASSAGES_READ, pair_of
from qa.reading.spans import PassageLogits, best_spans
from qa.types import Hit

# So many are read; what was found behind them stays behind them.
RERANKED = 2 * PASSAGES_READ
# Against the weight that the calibration has for choosing among answers.
_FOUND = 2.0
# Logits; below it a passage holds no answer, and how far below tells nothing.
_FLOOR = -6.0


def reranked(
    reader: Reader, questions: Sequence[str], hits: Sequence[Sequence[Hit]], retrieval_weight: float
) -> list[list[Hit]]:
    """Return each question's hits, best first, with the scores that they have then.

    Args:
        reader: reads.
        questions: what is asked.
        hits: the passages found for each question, best first.
        retrieval_weight: what the fused retrieval score of 1 is worth in logits where answers are chosen.
    """
    first = [found[:RERANKED] for found in hits]
    pairs = [pair_of(question, hit) for question, found in zip(questions, first, strict=True) for hit in found]
    logits = iter(reader.read_batch(pairs))
    return [
        reordered(found, [_margin(next(logits)) for _ in read], retrieval_weight)
        for found, read in zip(hits, first, strict=True)
    ]


def reordered(hits: Sequence[Hit], margins: Sequence[float], retrieval_weight: float) -> list[Hit]:
    """Return hits in their new order (pure).

    Args:
        hits: best first; as many of the first as there are margins were read.
        margins: by how much each one's best span is likelier than no answer, in logits.
        retrieval_weight: as `reranked` takes it.
    """
    worth = _FOUND * retrieval_weight
    read = [
        replace(hit, reranked=max(margin, _FLOOR) + worth * hit.retrieval)
        for hit, margin in zip(hits, margins, strict=False)
    ]
    read.sort(key=lambda hit: -hit.score)
    lowest = min((hit.score for hit in read), default=0.0)
    behind = hits[len(read) :]
    return read + [replace(hit, reranked=min(lowest, _FLOOR + worth * hit.retrieval)) for hit in behind]


def _margin(logits: PassageLogits) -> float:
    return max((span.margin for span in best_spans(logits, 1)), default=_FLOOR)
