from __future__ import annotations

from dataclasses import replace

import pytest

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Candidate, Outcome
from qa.evaluation.slices import assign_slices, overlap, question_type
from qa.types import Span

ANSWERABLE = LabelledQuestion("1", "Who brought the tea?", 0, (Span(0, 3),))
UNANSWERABLE = LabelledQuestion("2", "Who drank the milk?", 0, ())
TEA = Dataset("tea", ("Ann brought tea.", "Ben left."), (ANSWERABLE, UNANSWERABLE))
BEN = Candidate("Ben", 0.4, 1, Span(0, 3))


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
def test_detects_the_question_type(question: str, expected: str) -> None:
    assert question_type(question) == expected


def test_overlap_counts_content_words() -> None:
    assert overlap("Who brought the tea?", "Ann brought TEA.") == 1.0
    assert overlap("Who is it?", "Ann") == 0.0


def test_assigns_slices() -> None:
    assert assign_slices(TEA, ANSWERABLE, Outcome("1", (BEN,), given=True, ranking=(1, 0))) == {
        "question type": "who",
        "words in the question": "under 6",
        "words in the answer": "1",
        "% of the question's words in the context": "95 or more",
        "rank of the gold context": "2 to 5",
    }
    unranked = assign_slices(TEA, ANSWERABLE, Outcome("1", (BEN,), given=True, ranking=(1,)))
    assert unranked["rank of the gold context"] == "not found"
    unanswerable = assign_slices(TEA, UNANSWERABLE, Outcome("2", (BEN,), given=True))
    assert set(unanswerable) == {"question type", "words in the question"}


def test_the_labels_of_a_question_are_slices() -> None:
    labelled = replace(ANSWERABLE, labels={"genre": "manuals", "kind": "table"})
    slices = assign_slices(TEA, labelled, Outcome("1", (BEN,), given=True))
    assert (slices["genre"], slices["kind"]) == ("manuals", "table")
