"""Results of searches and questions; the same locally and over HTTP.

Offsets are Unicode code points, half-open, in the stored text of the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from qa.deprecation import RenamedAttribute
from qa.types import Meta, Passage, Rectangle, Span

Status = Literal["answered", "unsure", "not_found", "nothing_to_search"]
"""The outcome of a question.

- `answered`: the documents answer it.
- `unsure`: no answer is certain enough, but the best guess may well be right.
- `not_found`: the documents probably do not answer it.
- `nothing_to_search`: the index is empty, or no document meets the filters.
"""

AnswerKind = Literal["span", "evidence"]
"""Whether an answer is a short span, or the sentences, rows and list items that answer."""

Granularity = Literal["sentence", "span"]
"""What is highlighted in a text: sentences, list items and rows of tables, or short answers."""

HighlightStatus = Literal["found", "not_found"]
"""Whether a text has a highlight."""

HighlightKind = Literal["answer", "evidence"]
"""Whether a highlight is a short answer, or a sentence, list item or row that answers."""


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
class Item:
    """One thing of an answer that names several: `document.text[span] == text`."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class EvidenceUnit:
    """A sentence, list item, table row, definition or code line that answers: `document.text[span] == text`.

    Attributes:
        document_id: the document; empty for a text that came with the question.
        span: place in the document.
        text: the unit, verbatim.
        score: calibrated probability that the unit answers the question.
        page: page number from 1, where the format has pages.
        section: heading above the unit, where the format has headings.
        rectangles: places on the pages of a PDF, one for each line.
        uri: of the document.
    """

    document_id: str
    span: Span
    text: str
    score: float
    page: int | None = None
    section: str | None = None
    rectangles: Sequence[Rectangle] = ()
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class Highlight:
    """Words of a text that answer a question: `text_of_input[span] == text`.

    Attributes:
        span: place in the text.
        text: the words, verbatim.
        score: calibrated probability that they answer.
        kind: `evidence` for a sentence, list item or row, `answer` for a short span.
    """

    span: Span
    text: str
    score: float
    kind: HighlightKind


@dataclass(frozen=True, slots=True)
class HighlightResult:
    """What answers a question in one text.

    Attributes:
        id: of the text or document.
        status: `found` if there are highlights, else `not_found`.
        highlights: best first, no two of which overlap.
        pruned_text: the highlighted units, in the order of the text, below their headings; None unless requested.
        kept: share of the text's characters that `pruned_text` has; None unless requested.
    """

    id: str
    status: HighlightStatus
    highlights: tuple[Highlight, ...]
    pruned_text: str | None = None
    kept: float | None = None


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
        kind: `span`, or `evidence` where sentences, rows or list items answer and no short span does.
        items: the parts of an answer that names several things, in document order; empty for one thing.
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
    kind: AnswerKind = "span"
    items: tuple[Item, ...] = ()

    answer = RenamedAttribute("text")
    document_offset = RenamedAttribute("span")
    context_offset = RenamedAttribute("context_span")


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of one question.

    Attributes:
        query_id: names the result in logs and feedback.
        status: whether the documents answer the question; see `Status`.
        answers: best first; empty exactly when `status` is not `answered`.
        no_answer_score: probability that the documents do not answer the question.
        best_guess: the best candidate when `status` is not `answered`; None if there is none.
        passages: the passages that were read, if requested; the first three retrieved when `status` is not `answered`.
        index: name of the index; empty without one.
        generation: of the index.
        revision: of the index.
        timings_ms: milliseconds by stage.
        alternatives: candidates behind `best_guess`, best first, at most `top_k`; empty when `status` is `answered`.
        corrected: the question as it was searched after its spelling was mended; None if it was not changed.
        evidence: the units of the passages read that answer, best first, at most ten.
    """

    query_id: str
    question: str
    status: Status
    answers: Sequence[Answer]
    no_answer_score: float
    best_guess: Answer | None
    passages: Sequence[Hit]
    index: str
    generation: int
    revision: int
    timings_ms: Mapping[str, float]
    alternatives: tuple[Answer, ...] = ()
    corrected: str | None = None
    evidence: tuple[EvidenceUnit, ...] = ()

    @property
    def has_answer(self) -> bool:
        """Whether the documents answer the question."""
        return self.status == "answered"
