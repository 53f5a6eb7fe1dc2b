"""Select which of the ranked answers a result returns, and its status (pure)."""

from __future__ import annotations

import uuid
from dataclasses import replace

from qa.reading.answers import PassageCandidates, RankedAnswers, find_candidates, rank_answers
from qa.reading.calibration import Calibration, Scale
from qa.reading.spans import PassageLogits
from qa.results import Hit, QueryResult, SearchResult, Status
from qa.types import Passage, Span

PASSAGES_WITHOUT_ANSWER = 3
"""Number of passages in a result without an answer."""


def select_answers(
    question: str, ranked: RankedAnswers, scale: Scale, top_k: int, min_confidence: float | None
) -> QueryResult:
    """Return a result with the answers that are certain enough.

    Without `min_confidence`, the calibrated thresholds apply. With it, every answer from it upwards is returned. Where
    no answer is, the best one is the result's `best_guess`, and those behind it are the `alternatives`.

    Args:
        question: in plain language.
        ranked: one answer more than `top_k`, so that there are `top_k` alternatives.
        scale: the thresholds.
        top_k: maximum number of answers, and of alternatives.
        min_confidence: minimum confidence of answers.
    """
    best, others = ranked.answers[:1], ranked.answers[1:top_k]
    status: Status = scale.status(best[0].confidence) if best else "not_found"
    if min_confidence is not None:
        answers = tuple(answer for answer in (*best, *others) if answer.confidence >= min_confidence)
        status = "answered" if answers else "not_found" if status == "not_found" else "unsure"
    elif status == "answered":
        answers = (*best, *(answer for answer in others if answer.confidence >= scale.threshold))
    else:
        answers = ()
    return QueryResult(
        query_id=uuid.uuid4().hex,
        question=question,
        status=status,
        answers=answers,
        no_answer_score=ranked.no_answer,
        best_guess=best[0] if best and not answers else None,
        passages=(),
        index="",
        generation=0,
        revision=0,
        timings_ms={},
        alternatives=() if answers else ranked.answers[1:],
    )


def select_from_search(
    question: str,
    search: SearchResult,
    candidates: PassageCandidates,
    calibration: Calibration,
    top_k: int,
    min_confidence: float | None,
    *,
    include_passages: bool,
) -> QueryResult:
    """Return the result of reading passages of an index.

    Args:
        question: in plain language.
        search: the passages that were found; a search finds none only if there is nothing to search.
        candidates: of the passages that were read, which are the first ones.
        calibration: the parameters.
        top_k: maximum number of answers, and of alternatives.
        min_confidence: minimum confidence of answers; None applies the calibrated thresholds.
        include_passages: also return the passages that were read, where there is an answer.
    """
    ranked = rank_answers(candidates, calibration.retrieval_weight, calibration.query, top_k + 1)
    result = select_answers(question, ranked, calibration.query, top_k, min_confidence)
    if not search.hits:
        result = replace(result, status="nothing_to_search")
    read = len(candidates) if include_passages else 0
    shown = read if result.status == "answered" else PASSAGES_WITHOUT_ANSWER
    return replace(result, passages=tuple(search.hits[:shown]), generation=search.generation, revision=search.revision)


def select_from_text(
    question: str,
    text: str,
    logits: PassageLogits,
    calibration: Calibration,
    top_k: int,
    min_confidence: float | None,
) -> QueryResult:
    """Return the result of reading one text that is not in an index; it has no passages."""
    hit = Hit(None, Passage("", Span(0, len(text)), text), None, None, {}, 0.0, 0.0, 0.0)
    candidates = find_candidates(hit, logits, top_k + 1)
    ranked = rank_answers([candidates], calibration.retrieval_weight, calibration.read, top_k + 1)
    return select_answers(question, ranked, calibration.read, top_k, min_confidence)
