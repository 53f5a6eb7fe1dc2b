"""Rows of an extraction: one for each document, with a cell for each question; the same locally and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from qa.results import Answer, Status
from qa.types import Meta, Span


class NamedQuestion(NamedTuple):
    """A question that is asked of every document, and the name of its column."""

    name: str
    question: str


Questions = str | Mapping[str, str] | Sequence[str | NamedQuestion]
"""Questions with their names as keys, or questions that are their own names."""


def name_questions(questions: Questions) -> list[NamedQuestion]:
    """Return the questions with their names."""
    if isinstance(questions, Mapping):
        return [NamedQuestion(*item) for item in questions.items()]
    listed = [questions] if isinstance(questions, str) else questions
    return [NamedQuestion(entry, entry) if isinstance(entry, str) else NamedQuestion(*entry) for entry in listed]


@dataclass(frozen=True, slots=True)
class Cell:
    """What one document answers to one question: the first answer of asking with a filter on the document.

    Attributes:
        status: whether the document answers the question; see `qa.results.Status`.
        answer: the answer; None unless `status` is `answered`.
        best_guess: the best candidate when `status` is not `answered`; None if there is none.
    """

    status: Status
    answer: Answer | None = None
    best_guess: Answer | None = None

    @property
    def shown(self) -> Answer | None:
        """The answer, or the best guess if `status` is `unsure`; show a guess as a guess."""
        return self.best_guess if self.status == "unsure" else self.answer

    @property
    def text(self) -> str | None:
        """The text of the answer, or of the guess if `status` is `unsure`."""
        return self.shown.text if self.shown else None

    @property
    def confidence(self) -> float | None:
        """The confidence of the answer, or of the guess if `status` is `unsure`."""
        return self.shown.confidence if self.shown else None

    @property
    def span(self) -> Span | None:
        """The place of the answer in the document, or of the guess if `status` is `unsure`."""
        return self.shown.span if self.shown else None


@dataclass(frozen=True, slots=True)
class ExtractedRow:
    """The cells of one document.

    Attributes:
        document_id: id of the document.
        title: of the document.
        uri: of the document.
        meta: of the document.
        cells: one for each question, with its name as key.
        revision: revision of the index when the extraction began; it covers the documents that were stored then.
    """

    document_id: str
    title: str | None
    uri: str | None
    meta: Meta
    cells: Mapping[str, Cell]
    revision: int


@dataclass(frozen=True, slots=True)
class RowPage:
    """A page of rows, in the order of the document ids.

    Attributes:
        rows: at most as many as asked for.
        next_cursor: names the next page; None on the last one.
        revision: as in `ExtractedRow`.
    """

    rows: Sequence[ExtractedRow]
    next_cursor: str | None
    revision: int
