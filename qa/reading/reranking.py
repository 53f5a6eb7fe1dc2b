"""Rerank the hits of a search: the reader judges how well the passages of the first ones answer.

The score is the margin of the best span over the null logit, plus the retrieval score, as for an answer. Among passages
without an answer, the reader cannot judge which is more useful for a query about a topic. There the retrieval score
decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qa.reading.answers import find_candidates
from qa.reading.early_stopping import build_pair
from qa.reading.reader import Reader
from qa.reading.spans import PassageLogits
from qa.results import Hit

# Number of hits that are read and reranked. Later hits stay behind them.
RERANK_DEPTH = 20
# Weight of retrieval, relative to the calibration's weight for ranking answers.
_RETRIEVAL_FACTOR = 2.0
# In logits. A passage below it has no answer, and its exact margin means nothing. Unread passages get this margin.
_MARGIN_FLOOR = -6.0
# Names the ranking rule, apart from the calibration.
IDENTITY = f"reranked-{RERANK_DEPTH}-{_RETRIEVAL_FACTOR:g}-{_MARGIN_FLOOR:g}-v1"


def rerank_hits(
    reader: Reader, questions: Sequence[str], hits: Sequence[Sequence[Hit]], retrieval_weight: float
) -> list[list[Hit]]:
    """Return each question's hits with their new scores, best first.

    Args:
        reader: the reader.
        questions: the questions.
        hits: the passages retrieved for each question, best first.
        retrieval_weight: logits that a fused retrieval score of 1 is worth when answers are ranked.
    """
    first_hits = [question_hits[:RERANK_DEPTH] for question_hits in hits]
    pairs = [build_pair(question, hit) for question, batch in zip(questions, first_hits, strict=True) for hit in batch]
    logits = iter(reader.read_batch(pairs))
    return [
        reorder_hits(question_hits, [_margin(hit, next(logits)) for hit in batch], retrieval_weight)
        for question_hits, batch in zip(hits, first_hits, strict=True)
    ]


def reorder_hits(hits: Sequence[Hit], margins: Sequence[float], retrieval_weight: float) -> list[Hit]:
    """Return hits in their new order (pure).

    Args:
        hits: the hits, best first.
        margins: margins in logits of the first hits; later hits were not read.
        retrieval_weight: as for `rerank_hits`.
    """
    weight = _RETRIEVAL_FACTOR * retrieval_weight
    read_hits = [
        replace(hit, margin=margin, reranked=max(margin, _MARGIN_FLOOR) + weight * hit.retrieval)
        for hit, margin in zip(hits, margins, strict=False)
    ]
    unread_hits = [replace(hit, reranked=_MARGIN_FLOOR + weight * hit.retrieval) for hit in hits[len(read_hits) :]]
    return sorted(read_hits, key=lambda hit: -hit.score) + unread_hits


def _margin(hit: Hit, logits: PassageLogits) -> float:
    return max((c.reader - c.null for c in find_candidates(hit, logits, 1)), default=_MARGIN_FLOOR)
