"""Values that the whole package shares.

Offsets are Unicode code points, half-open, in the stored text of the document.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from qa.deprecation import RenamedAttribute

Meta = Mapping[str, str | int | float | bool | None]
Change = Literal["created", "replaced", "unchanged"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points: `text[start:end]`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"start {self.start} and end {self.end} are not a span; 0 <= start <= end is required")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """Return the text that the span covers."""
        return text[self.start : self.end]

    def shift(self, by: int) -> Span:
        """Return the span moved by `by` code points."""
        return Span(self.start + by, self.end + by)

    def is_of_whole_words(self, text: str) -> bool:
        """Return whether neither end is between two letters or digits of the text."""
        return not any(
            0 < edge < len(text) and text[edge - 1].isalnum() and text[edge].isalnum()
            for edge in (self.start, self.end)
        )

    def overlaps(self, other: Span) -> bool:
        """Return whether both spans share a code point."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Mark:
    """The page (from 1) and section of a text between `start` and the next mark."""

    start: int
    page: int | None = None
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a page (from 1), in points from its lower left corner."""

    page: int
    left: float
    bottom: float
    right: float
    top: float


def mark_at(marks: Sequence[Mark], offset: int) -> Mark | None:
    """Return the mark that covers an offset; None before the first."""
    following = bisect_right(marks, offset, key=lambda mark: mark.start)
    return marks[following - 1] if following else None


def marks_within(marks: Sequence[Mark], span: Span) -> tuple[Mark, ...]:
    """Return the marks that cover a part of a span."""
    first = max(0, bisect_right(marks, span.start, key=lambda mark: mark.start) - 1)
    return tuple(mark for mark in marks[first:] if mark.start < span.end)


@dataclass(frozen=True, slots=True)
class Document:
    """A document's text and metadata.

    Attributes:
        id: unique in its index.
        text: the extracted text; offsets count its code points.
        title: included when passages are embedded, searched and read; no answer comes from it.
        uri: where the document came from.
        meta: metadata, which filters test.
        marks: its pages and sections, ascending.
        boxes: where its words are on the pages of a PDF; see `qa.text.boxes`.
    """

    id: str
    text: str
    title: str | None = None
    uri: str | None = None
    meta: Meta = field(default_factory=dict)
    marks: Sequence[Mark] = ()
    boxes: bytes = b""


class Description(TypedDict, total=False):
    """The fields of a document that can change without its text."""

    title: str | None
    meta: Meta


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A stored document without its text.

    Attributes:
        characters: length of the text in code points.
        passages: number of passages in the live generation.
        sha256: content hash of text, title, address and metadata; the ETag over HTTP.
        added_at: UTC time of the last write, ISO 8601.
        revision: revision of the index at the last write.
    """

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
    """A piece of a document that is embedded, searched and read as a unit; `text == document.text[span]`.

    Attributes:
        cut: for each end, whether it is inside a word; no answer starts or ends there.
        marks: the document's marks that cover the passage; offsets count in the document.
        boxes: the document's word boxes within the passage; offsets count in the document.
    """

    document_id: str
    span: Span
    text: str
    cut: tuple[bool, bool] = (False, False)
    marks: Sequence[Mark] = ()
    boxes: bytes = b""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search returned, with the parts of its score.

    Attributes:
        passage_id: id in the index; None for a text that came with the question, whose scores are 0.
        passage: the passage.
        title: of the document.
        uri: of the document.
        meta: of the document.
        lexical: BM25.
        dense: cosine similarity.
        retrieval: fused score from 0 to 1.
        margin: best span logit minus null logit; None if the reader did not read the passage.
        reranked: score from `margin` and `retrieval`; None without reranking.
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
    def document_id(self) -> str:
        """The passage's document."""
        return self.passage.document_id

    @property
    def text(self) -> str:
        """The passage's text."""
        return self.passage.text

    @property
    def span(self) -> Span:
        """The passage's place in the document."""
        return self.passage.span

    document_offset = RenamedAttribute("span")

    @property
    def score(self) -> float:
        """The score that orders hits."""
        return self.retrieval if self.reranked is None else self.reranked


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first, and the state of the index that they come from."""

    hits: Sequence[Hit]
    generation: int
    revision: int
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    passages = RenamedAttribute("hits")


@dataclass(frozen=True, slots=True)
class Components:
    """The parts of an answer's score: BM25, cosine, span logit and null logit."""

    lexical: float
    dense: float
    reader: float
    null: float


@dataclass(frozen=True, slots=True)
class Support:
    """Another place with the same answer."""

    document_id: str
    span: Span

    document_offset = RenamedAttribute("span")


@dataclass(frozen=True, slots=True)
class Answer:
    """An exact span of a document: `document.text[span] == text`.

    Attributes:
        text: the answer, verbatim.
        score: comparable across passages, documents and questions.
        confidence: calibrated probability that the answer is right.
        span: place in the document.
        context: sentences around the answer, verbatim.
        context_span: place of the answer in `context`.
        passage_id: the passage that the answer was read in; None without an index.
        components: the parts of the score.
        support: other places with the same answer.
        page: page number from 1, where the format has pages.
        section: heading above the answer, where the format has headings.
        rectangles: places on the pages of a PDF, one for each line.
    """

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

    answer = RenamedAttribute("text")
    document_offset = RenamedAttribute("span")
    context_offset = RenamedAttribute("context_span")


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of one question.

    Attributes:
        query_id: names the result in logs and feedback.
        answers: best first; empty exactly when `has_answer` is false.
        no_answer_score: probability that the documents do not answer the question.
        best_guess: the best answer when none reaches the threshold.
        passages: the passages that were read, if requested.
        index: name of the index; empty without one.
        generation: of the index.
        revision: of the index.
        timings_ms: milliseconds by stage.
    """

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
        """Whether the documents answer the question."""
        return bool(self.answers)
