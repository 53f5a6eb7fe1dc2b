"""Select which of the ranked answers a result returns, and its status (pure)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import replace

from qa.reading.answers import RankedAnswers, find_candidates, rank_answers
from qa.reading.calibration import Calibration, EvidenceScale, Scale
from qa.reading.early_stopping import Reading
from qa.reading.evidence import UnitCandidate, build_evidence_answer, build_unit, find_units, select_units
from qa.reading.spans import PassageLogits
from qa.results import Hit, QueryResult, SearchResult, Status
from qa.types import Passage

PASSAGES_WITHOUT_ANSWER = 3
"""Number of passages in a result without an answer."""

# A greeting, a linking word or a condition may come before the verb.
_OPENING = re.compile(
    r"(?:(?:hi|hello|please|excuse me|sorry|ok|and|but|so|also|then)\b[,!]?\s+)*"
    r"(?:(?:if|when|once|after|before|because|since|as|although|without|with|for|in)\b[^,]*,\s+)?",
    re.IGNORECASE,
)
_YES_NO = re.compile(
    r"(?:is|are|was|were|am|do|does|did|has|have|had|can|cannot|could|may|might|must|shall|should|will"
    r"|would|(?:is|are|was|were|do|does|did|has|have|ca|could|wo|would|should)n['’]?t)\b",
    re.IGNORECASE,
)
# A choice between two things is answered with one of them.
_CHOICE = re.compile(r"\bor\b", re.IGNORECASE)


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
    reading: Reading,
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
        reading: what the passages contain that were read, which are the first ones.
        calibration: the parameters.
        top_k: maximum number of answers, and of alternatives.
        min_confidence: minimum confidence of answers; None applies the calibrated thresholds.
        include_passages: also return the passages that were read, where there is an answer.
    """
    ranked = rank_answers(reading.candidates, calibration.retrieval_weight, calibration.query, top_k + 1)
    result = select_answers(question, ranked, calibration.query, top_k, min_confidence)
    if not search.hits:
        result = replace(result, status="nothing_to_search")
    result = add_evidence(result, reading.units, calibration.query.evidence, min_confidence)
    read = len(reading.candidates) if include_passages else 0
    shown = read if result.status == "answered" else PASSAGES_WITHOUT_ANSWER
    return replace(result, passages=tuple(search.hits[:shown]), generation=search.generation, revision=search.revision)


def select_from_text(
    question: str,
    passage: Passage,
    logits: PassageLogits,
    calibration: Calibration,
    top_k: int,
    min_confidence: float | None,
) -> QueryResult:
    """Return the result of reading a text that is not in an index; it has no passages."""
    hit = Hit(None, passage, None, None, {}, 0.0, 0.0, 0.0)
    candidates = find_candidates(hit, logits, top_k + 1)
    ranked = rank_answers([candidates], calibration.retrieval_weight, calibration.read, top_k + 1)
    result = select_answers(question, ranked, calibration.read, top_k, min_confidence)
    return add_evidence(result, [find_units(hit, logits)], calibration.read.evidence, min_confidence)


def add_evidence(
    result: QueryResult,
    units: Sequence[Sequence[UnitCandidate]],
    scale: EvidenceScale,
    min_confidence: float | None,
) -> QueryResult:
    """Return a result with the units that answer.

    Where no span is certain enough but a unit is, the units are the answer. A yes/no question is answered with the unit
    that decides it, never with a word.

    Args:
        result: the result so far.
        units: the units of each passage that was read.
        scale: probabilities and thresholds.
        min_confidence: minimum confidence of an answer; None applies the calibrated thresholds.
    """
    selected = select_units(units, scale)
    result = replace(result, evidence=tuple(build_unit(unit, score) for score, unit in selected))
    if not selected:
        return result
    is_answered = result.status == "answered"
    decides = is_yes_no_question(result.question)
    if is_answered and not decides:
        return result
    calibrated = scale.threshold if is_answered else scale.answered
    if selected[0][0] < (calibrated if min_confidence is None else min_confidence):
        return result
    answer = build_evidence_answer(selected)
    return replace(result, status="answered", answers=(answer,), best_guess=None, alternatives=())


def is_yes_no_question(question: str) -> bool:
    """Return whether a question asks for yes or no: its last sentence has a verb such as "is" or "can" at its start."""
    last = re.split(r"[.!?]\s+", question.strip().rstrip("?.! "))[-1]
    opening = _OPENING.match(last)
    assert opening, "the pattern also matches nothing"
    return bool(_YES_NO.match(last, opening.end())) and not _CHOICE.search(last)
