"""Select which of the ranked answers a result returns (pure)."""

from __future__ import annotations

import uuid

from qa.reading.answers import RankedAnswers, find_candidates, rank_answers
from qa.reading.calibration import Calibration, Scale
from qa.reading.spans import PassageLogits
from qa.results import Answer, Hit, QueryResult
from qa.types import Passage, Span


def select_answers(question: str, ranked: RankedAnswers, scale: Scale, min_confidence: float | None) -> QueryResult:
    """Return a result with the answers that reach `min_confidence`, or the calibrated threshold where it is None.

    Where no answer does, the best one is the result's `best_guess`.
    """
    if min_confidence is not None:
        answers: tuple[Answer, ...] = tuple(answer for answer in ranked.answers if answer.confidence >= min_confidence)
    elif scale.refuses(ranked.no_answer):
        answers = ()
    else:
        others = (answer for answer in ranked.answers[1:] if answer.confidence >= scale.threshold)
        answers = (ranked.answers[0], *others)
    return QueryResult(
        query_id=uuid.uuid4().hex,
        question=question,
        status="answered" if answers else "not_found",
        answers=answers,
        no_answer_score=ranked.no_answer,
        best_guess=None if answers or not ranked.answers else ranked.answers[0],
        passages=(),
        index="",
        generation=0,
        revision=0,
        timings_ms={},
    )


def select_from_text(
    question: str,
    text: str,
    logits: PassageLogits,
    calibration: Calibration,
    top_k: int,
    min_confidence: float | None,
) -> QueryResult:
    """Return the result of reading one text that is not in an index."""
    hit = Hit(None, Passage("", Span(0, len(text)), text), None, None, {}, 0.0, 0.0, 0.0)
    candidates = find_candidates(hit, logits, top_k)
    ranked = rank_answers([candidates], calibration.retrieval_weight, calibration.read, top_k)
    return select_answers(question, ranked, calibration.read, min_confidence)
