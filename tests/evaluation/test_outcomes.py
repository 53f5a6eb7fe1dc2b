from __future__ import annotations

import json

import pytest

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Candidate, Fault, Outcome, fault
from qa.evaluation.slices import overlap, question_type, slices_of
from qa.types import Span

ASKED = LabelledQuestion("1", "Who brought the tea?", 0, (Span(0, 3),))
UNANSWERABLE = LabelledQuestion("2", "Who drank the milk?", 0, ())
TEA = Dataset("tea", ("Ann brought tea.", "Ben left."), (ASKED, UNANSWERABLE))
ANN, BEN = Candidate("Ann", 0.9, 0, Span(0, 3)), Candidate("Ben", 0.4, 1, Span(0, 3))


def outcome(
    *candidates: Candidate,
    given: bool = True,
    ranking: tuple[int, ...] | None = None,
    read: tuple[int, ...] | None = None,
) -> Outcome:
    return Outcome("1", candidates, given, ranking=ranking, read=read)


@pytest.mark.parametrize(
    ("made", "expected"),
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
def test_where_an_error_is_born(made: Outcome, expected: Fault | None) -> None:
    assert fault(TEA, ASKED, made, forced=False) is expected


def test_an_answer_to_what_cannot_be_answered_is_a_fault() -> None:
    assert fault(TEA, UNANSWERABLE, outcome(BEN), forced=False) is Fault.ANSWERED
    assert fault(TEA, UNANSWERABLE, outcome(BEN, given=False), forced=False) is None
    assert fault(TEA, ASKED, outcome(ANN, given=False), forced=True) is None


def test_outcomes_survive_as_json() -> None:
    for made in (
        outcome(ANN, Candidate("x"), ranking=(0, 1), read=(0,)),
        Outcome("ü", (), False, 0.25, timings_ms={"total": 1.5}),
    ):
        assert Outcome.from_json(json.loads(json.dumps(made.as_json()))) == made


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who came first?", "who"),
        ("In what year did it open?", "when"),
        ("How many people live there?", "how many"),
        ("Why was it shut?", "why"),
        ("Which of them is older?", "which"),
        ("In which city was it signed?", "where"),
        ("What is it made of?", "what"),
        ("Name the author.", "other"),
    ],
)
def test_types_of_questions(question: str, expected: str) -> None:
    assert question_type(question) == expected


def test_slices() -> None:
    assert overlap("Who brought the tea?", "Ann brought TEA.") == 1.0
    assert overlap("Who is it?", "Ann") == 0.0
    assert slices_of(TEA, ASKED, outcome(BEN, ranking=(1, 0))) == {
        "question type": "who",
        "words in the question": "under 6",
        "words in the answer": "1",
        "% of the question's words in the context": "95 or more",
        "rank of the gold context": "2 to 5",
    }
    assert slices_of(TEA, ASKED, outcome(BEN, ranking=(1,)))["rank of the gold context"] == "not found"
    assert set(slices_of(TEA, UNANSWERABLE, outcome(BEN))) == {"question type", "words in the question"}
