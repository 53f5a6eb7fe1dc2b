from __future__ import annotations

from qa.evaluation.dataset_loading import label_warnings, summarise
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.types import Span

CONTEXT = "Tea is green. Tea is hot."


def question(id: str, *answers: Span, text: str = "What colour?") -> LabelledQuestion:
    return LabelledQuestion(id, text, 0, answers)


def test_warns_about_repeated_questions_partial_words_and_shared_contexts() -> None:
    first = Dataset(
        "first", (CONTEXT,), (question("1", Span(7, 12)), question("2", Span(7, 12)), question("3", Span(7, 11)))
    )
    second = Dataset("second", (CONTEXT,), (question("1", Span(7, 12)),))
    assert label_warnings([first, second]) == [
        "first: 2 questions repeat an earlier question on the same context",
        "first: 1 questions have a gold answer that starts or ends inside a word",
        "first and second share 1 contexts",
    ]
    assert label_warnings([second]) == []


def test_warns_about_contradictory_labels_and_ignores_case_and_white_space() -> None:
    first = Dataset("first", (CONTEXT,), (question("1", Span(7, 12)), question("2", text="what  COLOUR?")))
    contradictory = "first: 1 questions are labelled both answerable and unanswerable on the same context"
    assert contradictory in label_warnings([first])
    second = Dataset("second", (f" {CONTEXT.upper()}  ",), first.questions[1:])
    assert label_warnings([first, second])[-1] == "first and second share 1 contexts"


def test_summary_counts_questions_contexts_and_unanswerable_questions() -> None:
    dataset = Dataset("tea", (CONTEXT,), (question("1", Span(7, 12)), question("2")))
    assert summarise(dataset) == "tea: 2 questions, 1 contexts, 1 unanswerable"
