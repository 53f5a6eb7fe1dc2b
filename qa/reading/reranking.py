"""Passages that were found ─► the same, in the order of how well they answer: the reader reads the first of them.

By how much the best span that could be an answer is likelier than none counts beside how well the passage was found, as
it does for an answer. Of two passages that surely hold none the reader does not say which is of more use to someone who
wants to know about a thing, rather than one fact: there it is left to how well they were found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qa.reading.answers import candidates
from qa.reading.early_stopping import pair_of
from qa.reading.reader import Reader
from qa.reading.spans import PassageLogits
from qa.types import Hit

# So many are read; what was found behind them stays behind them.
RERANKED = 20
# Against the weight that the calibration has for choosing among answers.
_FOUND = 2.0
# Logits; below it a passage holds no answer, and how far below tells nothing. What is not read counts as holding none.
_FLOOR = -6.0
# Names what decides the order, beside the calibration.
IDENTITY = f"reranked-{RERANKED}-{_FOUND:g}-{_FLOOR:g}-v1"


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
        reordered(found, [_margin(hit, next(logits)) for hit in read], retrieval_weight)
        for found, read in zip(hits, first, strict=True)
    ]


def reordered(hits: Sequence[Hit], margins: Sequence[float], retrieval_weight: float) -> list[Hit]:
    """Return hits in their new order (pure).

    Args:
        hits: best first; as many of the first as there are margins were read.
        margins: of each, in logits.
        retrieval_weight: as `reranked` takes it.
    """
    worth = _FOUND * retrieval_weight
    read = [
        replace(hit, margin=margin, reranked=max(margin, _FLOOR) + worth * hit.retrieval)
        for hit, margin in zip(hits, margins, strict=False)
    ]
    behind = [replace(hit, reranked=_FLOOR + worth * hit.retrieval) for hit in hits[len(read) :]]
    return sorted(read, key=lambda hit: -hit.score) + behind


def _margin(hit: Hit, logits: PassageLogits) -> float:
    return max((found.reader - found.null for found in candidates(hit, logits, 1)), default=_FLOOR)
