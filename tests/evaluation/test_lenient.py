from __future__ import annotations

import pytest

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.lenient import judge, measure, score_results
from qa.evaluation.outcomes import Candidate, Outcome
from qa.results import Status
from qa.types import Span

TEXT = "The fee is 45 days of rent. Ring the office."
FEE = (Span(11, 18),)


def question(
    id: str, genre: str = "contracts", kind: str = "number", answers: tuple[Span, ...] = FEE
) -> LabelledQuestion:
    return LabelledQuestion(id, f"Question {id}?", 0, answers, labels={"genre": genre, "kind": kind})


def outcome(id: str, status: Status, *texts: str, confidence: float = 0.5) -> Outcome:
    candidates = tuple(Candidate(text, confidence) for text in texts)
    return Outcome(id, candidates, given=status == "answered", status=status)


def dataset(*questions: LabelledQuestion) -> Dataset:
    return Dataset("fees", (TEXT,), questions)


def test_judges_what_a_result_shows() -> None:
    asked = question("a")
    fees = dataset(asked)
    given = judge(fees, asked, outcome("a", "answered", "The 45 days", "the office"))
    assert (given.best_right, given.shown_right, given.right_given) == (True, True, True)
    unsure = judge(fees, asked, outcome("a", "unsure", "45 days"))
    assert (unsure.best_right, unsure.shown_right, unsure.right_given) == (True, True, False)
    behind = judge(fees, asked, outcome("a", "answered", "the office", "45 days"))
    assert (behind.best_right, behind.shown_right, behind.right_given) == (False, True, False)
    empty = judge(fees, asked, outcome("a", "nothing_to_search"))
    assert (empty.best_right, empty.shown_right, empty.confidence) == (False, False, 0.0)


def test_an_unanswerable_question_is_right_if_nothing_is_given() -> None:
    asked = question("a", answers=())
    assert judge(dataset(asked), asked, outcome("a", "unsure", "45 days")).right_given
    assert not judge(dataset(asked), asked, outcome("a", "answered", "45 days")).right_given


def test_a_system_without_statuses_has_answered_or_not_found() -> None:
    asked = question("a")
    statuses = [judge(dataset(asked), asked, Outcome("a", (), given)).status for given in (True, False)]
    assert statuses == ["answered", "not_found"]


def test_measures_shares_of_answerable_and_unanswerable_questions() -> None:
    questions = [question("a"), question("b"), question("c"), question("d"), *(question(i, answers=()) for i in "ef")]
    outcomes = [
        outcome("a", "answered", "45 days", confidence=0.9),
        outcome("b", "not_found", "45 days", confidence=0.3),
        outcome("c", "unsure", "the office", "45 days", confidence=0.4),
        outcome("d", "answered", "the office", confidence=0.5),
        outcome("e", "answered", "the office", confidence=0.6),
        outcome("f", "not_found", confidence=0.0),
    ]
    fees = dataset(*questions)
    metrics = measure([judge(fees, *pair) for pair in zip(questions, outcomes, strict=True)])
    values = {name: metric.value for name, metric in metrics.items()}
    assert values["right_given"] == 25
    assert values["right_guess"] == 50
    assert values["right_shown"] == 75
    assert values["unanswerable_answered"] == 50
    assert values["right_guess_not_found"] == 25
    assert values["confidence_auroc"] == pytest.approx(5 / 8)
    # Each of six bins holds one question: the error is the mean distance between confidence and correctness.
    assert values["lenient_ece"] == pytest.approx((0.1 + 0.7 + 0.4 + 0.5 + 0.6 + 0.0) / 6)
    low, high = metrics["right_given"].interval or (None, None)
    assert low is not None
    assert high is not None
    assert low <= 25 <= high


def test_confidences_are_not_scored_if_a_system_reports_none() -> None:
    asked = question("a")
    judged = judge(dataset(asked), asked, Outcome("a", (Candidate("45 days"),), given=True))
    metrics = measure([judged])
    assert metrics["right_given"].value == 100
    assert metrics["lenient_ece"].value is None
    assert metrics["confidence_auroc"].value is None


def test_scores_genres_and_kinds_and_their_worst_and_mean() -> None:
    questions = [
        question("a"),
        question("b"),
        question("c"),
        question("d", "tables", "table"),
        question("e", "tables", "none", answers=()),
    ]
    outcomes = [
        outcome("a", "answered", "45 days"),
        outcome("b", "answered", "45 days"),
        outcome("c", "answered", "the office"),
        outcome("d", "unsure", "45 days"),
        outcome("e", "answered", "the office"),
    ]
    figures, records = score_results(dataset(*questions), outcomes)
    metrics = figures["metrics"]
    assert metrics["right_given"] == 50
    assert metrics["right_given@worst_genre"] == 0
    assert metrics["right_given@mean_genre"] == pytest.approx(100 / 3)
    low, high = figures["intervals"]["right_given@mean_genre"]
    assert low <= metrics["right_given@mean_genre"] <= high
    # Contracts have no unanswerable question, so the tables are the only genre of this share.
    assert metrics["unanswerable_answered@worst_genre"] == metrics["unanswerable_answered@mean_genre"] == 100
    assert metrics["lenient_ece@worst_genre"] == max(
        part["metrics"]["lenient_ece"] for part in figures["parts"] if part["by"] == "genre"
    )
    parts = {(part["by"], part["part"]): part for part in figures["parts"]}
    assert list(parts) == [
        ("genre", "contracts"),
        ("genre", "tables"),
        ("kind", "none"),
        ("kind", "number"),
        ("kind", "table"),
    ]
    assert parts["kind", "table"]["metrics"]["right_guess"] == 100
    assert parts["kind", "none"]["metrics"]["right_guess"] is None
    assert figures["statuses"] == {
        "answerable": {"answered": 3, "unsure": 1, "not_found": 0, "nothing_to_search": 0},
        "unanswerable": {"answered": 1, "unsure": 0, "not_found": 0, "nothing_to_search": 0},
    }
    assert records[3] == {"status": "unsure", "right_given": 0.0, "right_guess": True}
