"""Labelled questions and their contexts, independent of the file format (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qa.errors import DatasetError, InvalidInput
from qa.types import Document, Span
from qa.validation import check_characters, check_question

_MAX_PROBLEMS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question with its gold spans in `contexts[context]`; without answers and evidence it is unanswerable.

    Attributes:
        id: unique in the data set.
        text: the question.
        context: position of its context in the data set.
        answers: gold spans in that context.
        grades: relevance grades by context position; if empty, the context with the spans is the relevant one.
        evidence: the sentences, list items, table rows or lines of that context that answer together, where labelled.
        items: the parts of an answer that is several things, where labelled.
        labels: what the question is sliced by besides its text, such as `{"genre": "manuals", "kind": "table"}`.
    """

    id: str
    text: str
    context: int
    answers: tuple[Span, ...]
    grades: Mapping[int, int] = field(default_factory=dict)
    evidence: tuple[Span, ...] = ()
    items: tuple[Span, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def answerable(self) -> bool:
        """Whether the context contains an answer."""
        return bool(self.answers or self.evidence)

    @property
    def relevant(self) -> Mapping[int, int]:
        """The grade of every relevant context; empty when the question is unanswerable."""
        return self.grades or ({self.context: 1} if self.answerable else {})


@dataclass(frozen=True, slots=True)
class Dataset:
    """Contexts, and the questions on them.

    Attributes:
        name: the name of the file without its suffix, or of the folder.
        contexts: distinct texts.
        questions: with distinct ids.
        has_spans: false where only relevant contexts are labelled, and answers are not.
        titles: article titles by context, where the file has them.
        documents: extracted from files, one for each context, in their order; empty where the file has only texts.
        notes: what the user should know about the labels.
    """

    name: str
    contexts: tuple[str, ...]
    questions: tuple[LabelledQuestion, ...]
    has_spans: bool = True
    titles: Mapping[str, str] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    notes: tuple[str, ...] = ()

    def gold_texts(self, question: LabelledQuestion) -> tuple[str, ...]:
        """Return the accepted answers of a question; empty when it is unanswerable."""
        return tuple(span.of(self.contexts[question.context]) for span in question.answers)

    @property
    def has_unanswerable(self) -> bool:
        """Whether any question is unanswerable."""
        return self.has_spans and any(not question.answerable for question in self.questions)

    def head(self, limit: int | None) -> Dataset:
        """Return the data set with `limit` evenly spaced questions and all contexts."""
        if limit is None or limit >= len(self.questions):
            return self
        step = len(self.questions) / limit
        return replace(self, questions=tuple(self.questions[int(i * step)] for i in range(limit)))


@dataclass(frozen=True, slots=True)
class LabelProblem:
    """A wrong label in a data set's file; `place` is a question id or a line number."""

    place: str
    reason: str


def check_dataset(path: Path, problems: Sequence[LabelProblem], dataset: Dataset) -> Dataset:
    """Return the data set if its file has no problems and every question can be asked.

    Raises:
        DatasetError: there are problems, or no questions; the message lists the first problems and counts the rest.
    """
    every_problem = [*problems, *(_find_invalid_input(dataset) if dataset.has_spans else ())]
    if every_problem:
        lines = [f"{path}: {problem.place}: {problem.reason}" for problem in every_problem[:_MAX_PROBLEMS_SHOWN]]
        if len(every_problem) > _MAX_PROBLEMS_SHOWN:
            lines.append(f"{path}: and {len(every_problem) - _MAX_PROBLEMS_SHOWN} more")
        raise DatasetError("\n".join(lines), field="dataset")
    if not dataset.questions:
        raise DatasetError(f"{path}: contains no questions", field="dataset")
    return dataset


def _find_invalid_input(dataset: Dataset) -> Iterator[LabelProblem]:
    for question in dataset.questions:
        try:
            check_question(question.text)
            check_characters(dataset.contexts[question.context], "context")
        except InvalidInput as error:
            yield LabelProblem(f"question {question.id!r}", f"{error.field}: {error.message}")
