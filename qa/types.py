"""The nouns of the system: frozen values with no behaviour beyond their own invariants.

Offsets are Unicode code points, half-open, counted in the stored text of the document.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

Meta = Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points: `text[start:end]`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a span: [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """Return the text that the span covers."""
        return text[self.start : self.end]

    def shift(self, by: int) -> Span:
        """Return the same span counted from a start that lies `by` code points earlier."""
        return Span(self.start + by, self.end + by)

    def is_of_whole_words(self, text: str) -> bool:
        """Tell whether neither end falls between two letters or digits of the text."""
        return not any(
            0 < edge < len(text) and text[edge - 1].isalnum() and text[edge].isalnum()
            for edge in (self.start, self.end)
        )

    def overlaps(self, other: Span) -> bool:
        """Tell whether the two share a code point."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Mark:
    """From `start` on, up to the next mark, a text is of this page (the first is 1) and this section."""

    start: int
    page: int | None = None
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a page (the first is 1), in points from its lower left corner."""

    page: int
    left: float
    bottom: float
    right: float
    top: float


def mark_at(marks: Sequence[Mark], place: int) -> Mark | None:
    """Return the mark that is in force at a place; None before the first."""
    behind = bisect_right(marks, place, key=lambda mark: mark.start)
    return marks[behind - 1] if behind else None


def marks_within(marks: Sequence[Mark], span: Span) -> tuple[Mark, ...]:
    """Return the marks that are in force somewhere in a span."""
    first = max(0, bisect_right(marks, span.start, key=lambda mark: mark.start) - 1)
    return tuple(mark for mark in marks[first:] if mark.start < span.end)


@dataclass(frozen=True, slots=True)
class Document:
    """One source text as it was taken in; `marks`, ascending, tell of its pages and sections, if it has any.

    `boxes` tell where its words stand on the pages of a PDF: see `qa.text.boxes`.
    """

    id: str
    text: str
    title: str | None = None
    uri: str | None = None
    meta: Meta = field(default_factory=dict)
    marks: Sequence[Mark] = ()
    boxes: bytes = b""


class Description(TypedDict, total=False):
    """What of a document can be changed while its text stays."""

    title: str | None
    meta: Meta


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What is known of a stored document without its text."""

    id: str
    title: str | None
    uri: str | None
    meta: Meta
    characters: int
    passages: int
    sha256: str
    added_at: str
    revision: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that is embedded, searched and read as one; `text == document.text[span]`.

    `cut` tells for each end whether it falls inside a word: no answer may begin or end there. `marks` and `boxes` are
    those of the document that are in force in the passage; they count in the document.
    """

    document_id: str
    span: Span
    text: str
    cut: tuple[bool, bool] = (False, False)
    marks: Sequence[Mark] = ()
    boxes: bytes = b""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search found, with every part of its score.

    `lexical` is raw BM25, `dense` the cosine, `retrieval` the fused score on [0, 1]. Where hits were reranked, `margin`
    is by how many logits the best span is likelier than none, None for what was not read, and `reranked` the score that
    it and `retrieval` make up. A text that was given with the question, and not found in an index, has no `passage_id`
    and scores of 0.
    """

    passage_id: int | None
    passage: Passage
    title: str | None
    uri: str | None
    meta: Meta
    lexical: float
    dense: float
    retrieval: float
    margin: float | None = None
    reranked: float | None = None

    @property
    def score(self) -> float:
        """What it is ranked by."""
        return self.retrieval if self.reranked is None else self.reranked


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What one query saw: its hits, best first, and the state of the index they come from."""

    hits: Sequence[Hit]
    generation: int
    revision: int
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Components:
    """The parts an answer's score is made of."""

    lexical: float
    dense: float
    reader: float
    null: float


@dataclass(frozen=True, slots=True)
class Support:
    """One more place that gives the same answer."""

    document_id: str
    span: Span


@dataclass(frozen=True, slots=True)
class Answer:
    """An exact span of a document: `document.text[span] == text`."""

    text: str
    score: float
    confidence: float
    document_id: str
    title: str | None
    uri: str | None
    meta: Meta
    span: Span
    context: str
    context_span: Span
    passage_id: int | None
    components: Components
    support: Sequence[Support] = ()
    page: int | None = None
    section: str | None = None
    rectangles: Sequence[Rectangle] = ()


@dataclass(frozen=True, slots=True)
class QueryResult:
    """All that one question gave. `answers` is empty exactly when `has_answer` is false."""

    query_id: str
    question: str
    answers: Sequence[Answer]
    no_answer_score: float
    best_guess: Answer | None
    passages: Sequence[Hit]
    index: str
    generation: int
    revision: int
    timings_ms: Mapping[str, float]

    @property
    def has_answer(self) -> bool:
        """Tell whether the documents were found to answer."""
        return bool(self.answers)
