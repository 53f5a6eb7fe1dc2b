from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from qa.reading.answers import Candidate, RankedAnswers, rank_answers
from qa.reading.calibration import AnswerFeatures, Calibration, EvidenceScale, Scale, UnitFeatures, Weights
from qa.reading.early_stopping import Reading
from qa.reading.evidence import UnitCandidate
from qa.reading.selection import (
    add_evidence,
    is_yes_no_question,
    select_answers,
    select_from_search,
    select_from_text,
)
from qa.reading.spans import PassageLogits, WindowLogits
from qa.results import QueryResult, SearchResult
from qa.types import Passage, Span
from tests.reading.test_answers import hit

NOTHING = AnswerFeatures(*[0.0] * len(AnswerFeatures._fields))._asdict()
# The confidence is the logistic function of the reader's margin.
RIGHT = Weights(**{**NOTHING, "reader": 1.0}, bias=0.0)
UNANSWERABLE = Weights(**{**NOTHING, "reader": -1.0}, bias=0.0)
# The score of a unit is the logistic function of its logit.
UNITS = EvidenceScale(UnitFeatures._make([1.0, *[0.0] * 9]), 0.0, threshold=0.3, further=0.3, answered=0.8)
SCALE = Scale(RIGHT, UNANSWERABLE, answered=0.6, unsure=0.2, threshold=0.4, item_gap=1.0, evidence=UNITS)
CALIBRATION = Calibration("reader", "fusion", "splitting", "rounds", 0.0, 0.0, SCALE, SCALE)
WORDS = "red blue green white black"


def margin(confidence: float) -> float:
    return float(np.log(confidence / (1 - confidence)))


def candidates(*confidences: float) -> list[Candidate]:
    """Return a candidate for each confidence, on its own word of a passage."""
    passage = hit(WORDS)
    spans = [Span(WORDS.index(word), WORDS.index(word) + len(word)) for word in WORDS.split()]
    return [
        Candidate(passage, span, margin(c), 0.0, n == 0)
        for n, (span, c) in enumerate(zip(spans, confidences, strict=False))
    ]


def ranked(*confidences: float, count: int = 4) -> RankedAnswers:
    return rank_answers([candidates(*confidences)], 0.0, SCALE, count)


def select(*confidences: float, top_k: int = 3, min_confidence: float | None = None) -> QueryResult:
    return select_answers("Which?", ranked(*confidences, count=top_k + 1), SCALE, top_k, min_confidence)


def texts(result: QueryResult) -> list[str]:
    return [answer.text for answer in result.answers]


def test_answers_from_the_calibrated_confidence() -> None:
    result = select(0.7, 0.5, 0.3)
    assert (result.status, result.has_answer, texts(result)) == ("answered", True, ["red", "blue"])
    assert (result.best_guess, result.alternatives) == (None, ())


@pytest.mark.parametrize(("confidence", "status"), [(0.59, "unsure"), (0.21, "unsure"), (0.19, "not_found")])
def test_a_less_certain_answer_is_a_guess(confidence: float, status: str) -> None:
    result = select(confidence, 0.1, 0.05)
    assert (result.status, result.has_answer, result.answers) == (status, False, ())
    assert result.best_guess is not None
    assert result.best_guess.text == "red"
    assert result.best_guess.confidence == pytest.approx(confidence)


@pytest.mark.parametrize("top_k", [1, 2, 3, 9])
def test_at_most_top_k_alternatives_follow_the_guess(top_k: int) -> None:
    result = select(0.5, 0.4, 0.3, 0.2, 0.1, top_k=top_k)
    assert [answer.text for answer in result.alternatives] == ["blue", "green", "white", "black"][:top_k]
    confidences = [answer.confidence for answer in result.alternatives]
    assert confidences == sorted(confidences, reverse=True)


def test_at_most_top_k_answers_are_returned() -> None:
    assert texts(select(0.9, 0.8, 0.7, 0.6, top_k=2)) == ["red", "blue"]
    assert texts(select(0.9, 0.8, 0.7, 0.6, top_k=2, min_confidence=0.0)) == ["red", "blue"]


def test_a_minimum_confidence_replaces_the_calibrated_thresholds() -> None:
    assert texts(select(0.3, 0.2, 0.1, min_confidence=0.15)) == ["red", "blue"]
    assert select(0.3, 0.2, 0.1, min_confidence=0.15).status == "answered"
    assert texts(select(0.1, 0.05, min_confidence=0.0)) == ["red", "blue"]


@pytest.mark.parametrize(("confidence", "status"), [(0.9, "unsure"), (0.3, "unsure"), (0.1, "not_found")])
def test_below_the_minimum_confidence_the_status_is_calibrated(confidence: float, status: str) -> None:
    result = select(confidence, 0.05, min_confidence=0.95)
    assert (result.status, result.answers) == (status, ())
    assert result.best_guess is not None
    assert [answer.text for answer in result.alternatives] == ["blue"]


@pytest.mark.parametrize("min_confidence", [None, 0.0, 1.0])
def test_without_a_candidate_nothing_is_found(min_confidence: float | None) -> None:
    result = select(min_confidence=min_confidence)
    assert (result.status, result.answers, result.best_guess, result.alternatives) == ("not_found", (), None, ())


def from_search(hits: int, confidences: Sequence[float], *, include_passages: bool) -> QueryResult:
    """Return the result of a search whose first two passages were read."""
    found = SearchResult([hit(WORDS, str(n)) for n in range(hits)], generation=2, revision=7)
    read = [candidates(*confidences), []][:hits]
    reading = Reading(read, [[] for _ in read])
    return select_from_search("Which?", found, reading, CALIBRATION, 3, None, include_passages=include_passages)


@pytest.mark.parametrize(("include_passages", "shown"), [(True, 2), (False, 0)])
def test_an_answer_comes_with_the_passages_read_on_request(include_passages: bool, shown: int) -> None:
    result = from_search(5, [0.9], include_passages=include_passages)
    assert [passage.document_id for passage in result.passages] == ["0", "1"][:shown]
    assert (result.generation, result.revision) == (2, 7)


@pytest.mark.parametrize("include_passages", [True, False])
@pytest.mark.parametrize("confidences", [[0.3], [0.1], []], ids=["unsure", "not found", "no candidate"])
def test_without_an_answer_the_first_three_passages_are_returned(
    confidences: list[float], include_passages: bool
) -> None:
    result = from_search(5, confidences, include_passages=include_passages)
    assert [passage.document_id for passage in result.passages] == ["0", "1", "2"]
    assert len(from_search(1, confidences, include_passages=include_passages).passages) == 1


def test_without_a_passage_there_is_nothing_to_search() -> None:
    result = from_search(0, [], include_passages=True)
    assert (result.status, result.has_answer, result.no_answer_score) == ("nothing_to_search", False, 1.0)
    assert (result.answers, result.best_guess, result.alternatives, result.passages) == ((), None, (), ())


def test_a_text_has_a_guess_and_alternatives_but_no_passages() -> None:
    start, end = np.full(len(WORDS), -50, np.float32), np.full(len(WORDS), -50, np.float32)
    for word, logit in (("red", -1.0), ("blue", -2.0), ("green", -3.0)):
        start[WORDS.index(word)] = end[WORDS.index(word) + len(word) - 1] = logit / 2
    offsets = np.stack([np.arange(len(WORDS)), np.arange(len(WORDS)) + 1], axis=1)
    logits = PassageLogits(offsets, [WindowLogits(0, start, end, 0.0)], np.zeros(len(WORDS), np.int64))
    passage = Passage("", Span(0, len(WORDS)), WORDS)
    result = select_from_text("Which?", passage, logits, CALIBRATION, 1, None)
    assert (result.status, result.passages) == ("unsure", ())
    assert result.best_guess is not None
    assert result.best_guess.text == "red"
    assert len(result.alternatives) == 1


def with_units(question: str, confidence: float, *logits: float, min_confidence: float | None = None) -> QueryResult:
    """Return the result of a passage whose words are units with these logits, and whose best span has a confidence."""
    passage = hit(WORDS)
    spans = [candidate.span for candidate in candidates(*[0.5] * len(logits))]
    units = [UnitCandidate(passage, span, logit, 0.0, False) for span, logit in zip(spans, logits, strict=True)]
    result = replace(select(confidence, min_confidence=min_confidence), question=question)
    return add_evidence(result, [units], UNITS, min_confidence)


def test_units_from_the_threshold_upwards_are_evidence() -> None:
    result = with_units("Which?", 0.7, 0.0, 2.0, -2.0)
    assert [unit.text for unit in result.evidence] == ["blue", "red"]
    assert texts(result) == ["red"]


def test_where_no_span_is_good_the_units_answer() -> None:
    result = with_units("How?", 0.3, -2.0, 2.0)
    assert (result.status, texts(result), result.answers[0].kind) == ("answered", ["blue"], "evidence")
    assert (result.best_guess, result.alternatives) == (None, ())


def test_units_that_are_not_certain_do_not_answer() -> None:
    result = with_units("How?", 0.3, 0.0)
    assert (result.status, result.answers, [unit.text for unit in result.evidence]) == ("unsure", (), ["red"])


def test_without_units_the_result_stays() -> None:
    assert with_units("How?", 0.3, -3.0).evidence == ()


def test_a_yes_no_question_is_answered_with_the_unit_that_decides_it() -> None:
    result = with_units("Is it red?", 0.9, -2.0, 0.0)
    assert (texts(result), result.answers[0].kind) == (["blue"], "evidence")


def test_the_minimum_confidence_also_holds_for_units() -> None:
    assert with_units("How?", 0.3, 2.0, min_confidence=0.95).status == "unsure"
    assert with_units("How?", 0.3, 0.5, min_confidence=0.5).answers[0].kind == "evidence"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Is it open on Sundays?", True),
        ("can i take my bike along", True),
        ("I have a dog. May it come in?", True),
        ("Doesn't it expire?", True),
        ("If my bus is late, can I get money back?", True),
        ("Hi, can I pay by card?", True),
        ("Please, may I swim?", True),
        ("If my bus is late, who pays?", False),
        ("Is it red or blue?", False),
        ("When is it open?", False),
        ("island of birth", False),
    ],
)
def test_recognises_yes_no_questions(question: str, expected: bool) -> None:
    assert is_yes_no_question(question) == expected


def test_a_unit_below_the_minimum_confidence_does_not_answer_a_yes_no_question() -> None:
    result = with_units("Is it red?", 0.95, 0.0, min_confidence=0.9)
    assert (texts(result), result.answers[0].kind) == (["red"], "span")


def test_an_answer_of_evidence_comes_without_passages_unless_they_are_asked_for() -> None:
    passages = [hit(WORDS, str(number)) for number in range(5)]
    unit = UnitCandidate(passages[0], Span(0, 3), 5.0, 0.0, False)
    reading = Reading([candidates(0.3)], [[unit]])
    for include_passages, shown in ((False, 0), (True, 1)):
        result = select_from_search(
            "How?", SearchResult(passages, 1, 1), reading, CALIBRATION, 3, None, include_passages=include_passages
        )
        assert (result.status, result.answers[0].kind, len(result.passages)) == ("answered", "evidence", shown)
