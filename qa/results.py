"""Results of searches and questions; the same locally and over HTTP.

Offsets are Unicode code points, half-open, in the stored text of the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qa.deprecation import RenamedAttribute
from qa.types import Meta, Passage, Rectangle, Span


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
    """Hits, best first, and the state of the index that they come from.

    `corrected` is the question as it was searched, if its spelling was corrected.
    """

    hits: Sequence[Hit]
    generation: int
    revision: int
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    corrected: str | None = None

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
        cell: reference of the workbook cell that the answer starts in, such as `B4`; its sheet is the section.
        ocr: whether a part of the answer was recognised in a picture, and may have wrong letters.
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
    cell: str | None = None
    ocr: bool = False

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
        corrected: the question as it was searched and read, if its spelling was corrected.
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
    corrected: str | None = None

    @property
    def has_answer(self) -> bool:
        """Whether the documents answer the question."""
        return bool(self.answers)
