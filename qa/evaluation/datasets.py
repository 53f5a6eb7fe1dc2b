"""Labelled questions: what a data set is, whatever file it came from (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qa.errors import DatasetError, InvalidInput
from qa.types import Span
from qa.validation import check_characters, check_question

_PROBLEMS_TOLD = 20


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question with its gold spans in `contexts[context]`; no spans means unanswerable.

    Attributes:
        grades: how relevant contexts are, by place; where it is empty, the one with the spans is relevant.
    """

    id: str
    text: str
    context: int
    answers: tuple[Span, ...]
    grades: Mapping[int, int] = field(default_factory=dict)

    @property
    def answerable(self) -> bool:
        """Tell whether the context holds an answer."""
        return bool(self.answers)

    @property
    def relevant(self) -> Mapping[int, int]:
        """The grade of every relevant context; empty when the question is unanswerable."""
        return self.grades or ({self.context: 1} if self.answers else {})


@dataclass(frozen=True, slots=True)
class Dataset:
    """Contexts, and the questions on them.

    Attributes:
        name: the file's or folder's.
        contexts: texts, none twice.
        questions: with ids that differ.
        has_spans: false where only relevant contexts are labelled, and answers are not.
        titles: of the articles that contexts are from, by context, where the file names them.
    """

    name: str
    contexts: tuple[str, ...]
    questions: tuple[LabelledQuestion, ...]
    has_spans: bool = True
    titles: Mapping[str, str] = field(default_factory=dict)

    def gold_texts(self, question: LabelledQuestion) -> tuple[str, ...]:
        """Return the accepted answers of a question; empty when it is unanswerable."""
        return tuple(span.of(self.contexts[question.context]) for span in question.answers)

    @property
    def has_unanswerable(self) -> bool:
        """Tell whether any question has no answer."""
        return self.has_spans and any(not question.answerable for question in self.questions)

    def head(self, limit: int | None) -> Dataset:
        """Return the data set with `limit` questions, spread evenly, and every context kept."""
        if limit is None or limit >= len(self.questions):
            return self
        step = len(self.questions) / limit
        return replace(self, questions=tuple(self.questions[int(i * step)] for i in range(limit)))


@dataclass(frozen=True, slots=True)
class LabelProblem:
    """One thing that is wrong in a data set's file; `place` is a question's id or a line."""

    place: str
    reason: str


def checked(path: Path, problems: Sequence[LabelProblem], dataset: Dataset) -> Dataset:
    """Return the data set if there is nothing wrong with its file, and nothing in it that cannot be asked.

    Raises:
        DatasetError: there is; names the file and the first problems, and how many more there are.
    """
    found = [*problems, *(_unusable(dataset) if dataset.has_spans else ())]
    if found:
        told = [f"{path}: {problem.place}: {problem.reason}" for problem in found[:_PROBLEMS_TOLD]]
        if len(found) > _PROBLEMS_TOLD:
            told.append(f"{path}: and {len(found) - _PROBLEMS_TOLD} more")
        raise DatasetError("\n".join(told), field="dataset")
    if not dataset.questions:
        raise DatasetError(f"{path}: holds no question", field="dataset")
    return dataset


def _unusable(dataset: Dataset) -> Iterator[LabelProblem]:
    for question in dataset.questions:
        try:
            check_question(question.text)
            check_characters(dataset.contexts[question.context], "context")
        except InvalidInput as error:
            yield LabelProblem(f"question {question.id!r}", f"{error.field}: {error.message}")
