from __future__ import annotations

import json

import pytest

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Candidate, Fault, MarkedUnit, Outcome, classify_fault
from qa.types import Span

ANSWERABLE = LabelledQuestion("1", "Who brought the tea?", 0, (Span(0, 3),))
UNANSWERABLE = LabelledQuestion("2", "Who drank the milk?", 0, ())
TEA = Dataset("tea", ("Ann brought tea.", "Ben left."), (ANSWERABLE, UNANSWERABLE))
ANN, BEN = Candidate("Ann", 0.9, 0, Span(0, 3)), Candidate("Ben", 0.4, 1, Span(0, 3))


def outcome(
    *candidates: Candidate,
    given: bool = True,
    ranking: tuple[int, ...] | None = None,
    read: tuple[int, ...] | None = None,
) -> Outcome:
    return Outcome("1", candidates, given, ranking=ranking, read=read)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (outcome(ANN), None),
        (outcome(ANN, given=False), Fault.REFUSED),
        (outcome(BEN, ANN), Fault.OUTRANKED),
        (outcome(BEN), Fault.WRONG_SPAN),
        (outcome(BEN, ranking=(1,), read=(1,)), Fault.NOT_RETRIEVED),
        (outcome(BEN, ranking=(1, 0), read=(1,)), Fault.NOT_READ),
        (outcome(BEN, ranking=(1, 0), read=(1, 0)), Fault.WRONG_SPAN),
        (outcome(given=False), Fault.NO_ANSWER),
    ],
)
def test_classifies_the_cause_of_a_wrong_answer(result: Outcome, expected: Fault | None) -> None:
    assert classify_fault(TEA, ANSWERABLE, result, forced=False) is expected


def test_answering_an_unanswerable_question_is_a_fault() -> None:
    assert classify_fault(TEA, UNANSWERABLE, outcome(BEN), forced=False) is Fault.ANSWERED
    assert classify_fault(TEA, UNANSWERABLE, outcome(BEN, given=False), forced=False) is None
    assert classify_fault(TEA, ANSWERABLE, outcome(ANN, given=False), forced=True) is None


def test_outcomes_round_trip_through_json() -> None:
    for original in (
        outcome(ANN, Candidate("x"), ranking=(0, 1), read=(0,)),
        outcome(Candidate("x and y", items=("x", "y"))),
        Outcome("ü", (), False, 0.25, timings_ms={"total": 1.5}),
        Outcome("1", (), False, status="unsure", evidence=(MarkedUnit(0, Span(0, 3), 0.5),)),
    ):
        assert Outcome.from_json(json.loads(json.dumps(original.as_json()))) == original
