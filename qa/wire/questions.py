"""Questions and results."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from qa.results import AnswerKind, Granularity, HighlightKind, HighlightStatus, Status
from qa.validation import (
    MAX_HIGHLIGHT_CHARACTERS,
    MAX_HIGHLIGHT_TEXTS,
    MAX_QUESTION,
    MAX_QUESTIONS,
    MAX_READ_TEXT,
    MAX_TOP_K,
)
from qa.wire.base import IndexName, Offset, Request

DEFAULT_TOP_K = 3
Confidence = Annotated[StrictFloat, Field(ge=0, le=1)]
# The engine also rejects text that is only white space.
QuestionText = Annotated[StrictStr, Field(json_schema_extra={"pattern": r"\S", "maxLength": MAX_QUESTION})]
TopK = Annotated[
    StrictInt,
    Field(description="maximum number of results", json_schema_extra={"minimum": 1, "maximum": MAX_TOP_K}),
]


class _Options(Request):
    index: IndexName = "default"
    top_k: TopK = DEFAULT_TOP_K
    filters: dict[str, Any] = Field(
        default_factory=dict,
        description="by metadata field, document_id, title or uri: a value, a list, or bounds (gt, gte, lt, lte)",
    )
    min_confidence: Confidence | None = Field(
        None,
        description="minimum confidence of answers; null applies the calibrated thresholds, 0 returns every guess",
    )
    include_passages: StrictBool = Field(
        False, description="also return the passages that were read; without an answer, the first three always are"
    )


class QueryRequest(_Options):
    """A question for the documents of an index."""

    question: QuestionText
    group_by: Literal["document"] | None = Field(
        None, description="`document`: the best answer of each of the `top_k` documents that match best"
    )


class BatchRequest(_Options):
    """Up to 64 questions for the documents of an index."""

    questions: list[QuestionText] = Field(min_length=1, max_length=MAX_QUESTIONS)


class ReadRequest(Request):
    """A question for one text."""

    question: QuestionText
    text: StrictStr = Field(json_schema_extra={"pattern": r"\S", "maxLength": MAX_READ_TEXT})
    top_k: TopK = DEFAULT_TOP_K
    min_confidence: Confidence | None = None


class SearchRequest(Request):
    """A search for passages."""

    question: QuestionText
    index: IndexName = "default"
    top_k: TopK = 10
    filters: dict[str, Any] = Field(default_factory=dict)
    rerank: StrictBool = Field(
        False, description="let the reader reorder the first passages: slower, and `score` is in logits"
    )


class TextIn(Request):
    """A text to highlight; `id` names it in the response."""

    id: StrictStr
    text: StrictStr = Field(json_schema_extra={"pattern": r"\S", "maxLength": MAX_HIGHLIGHT_CHARACTERS})


_INPUTS: dict[str, Any] = {"minItems": 1, "maxItems": MAX_HIGHLIGHT_TEXTS}


class HighlightRequest(Request):
    """A question for several texts, or for documents of an index; either `texts` or `document_ids`."""

    question: QuestionText
    texts: list[TextIn] | None = Field(None, description="at most 200,000 characters in all", json_schema_extra=_INPUTS)
    document_ids: list[StrictStr] | None = Field(
        None, description="documents to read instead of `texts`; the limits are the same", json_schema_extra=_INPUTS
    )
    index: IndexName = "default"
    granularity: Granularity = Field(
        "sentence", description="`sentence`: sentences, list items and rows of tables; `span`: short answers"
    )
    threshold: Confidence | None = Field(
        None, description="minimum score of highlights; null applies the calibrated thresholds"
    )
    max_highlights: Annotated[
        StrictInt,
        Field(
            description="maximum number of highlights in each text",
            json_schema_extra={"minimum": 1, "maximum": MAX_TOP_K},
        ),
    ] = 10
    prune: StrictBool = Field(
        False, description="also return each text cut down to its highlighted units and the headings above them"
    )


class ComponentsOut(BaseModel):
    """The parts of a score: BM25, cosine, and the reader's span and null logits."""

    lexical: float
    dense: float
    reader: float
    null: float


class SupportOut(BaseModel):
    """Another span with the same answer."""

    document_id: str | None
    document_offset: Offset


class RectangleOut(BaseModel):
    """A part of a page (from 1), in points from its lower left corner."""

    page: int
    left: float
    bottom: float
    right: float
    top: float


class ItemOut(BaseModel):
    """One thing of an answer that names several, as a span of the document."""

    start: int
    end: int
    text: str


class EvidenceOut(BaseModel):
    """A sentence, list item, table row, definition or code line that answers, as a span of a document."""

    document_id: str | None
    start: int
    end: int
    text: str
    score: float = Field(description="calibrated probability that it answers the question")
    page: int | None
    section: str | None
    rectangles: list[RectangleOut] = Field(description="its areas on the pages of a PDF, one for each line")
    url: str | None = Field(description="address of the document")


class AnswerOut(BaseModel):
    """An exact span of a document, with its confidence."""

    answer: str
    score: float
    confidence: float
    document_id: str | None
    title: str | None
    uri: str | None
    meta: dict[str, Any]
    page: int | None
    section: str | None
    cell: str | None = Field(description="workbook cell that the answer starts in, such as B4, in the sheet `section`")
    ocr: bool = Field(description="whether a part of it was recognised in a picture, so that letters may be wrong")
    rectangles: list[RectangleOut] = Field(description="areas of the answer on the pages of a PDF, one for each line")
    document_offset: Offset
    context: str
    context_offset: Offset
    passage_id: int | None
    components: ComponentsOut
    support: list[SupportOut]
    kind: AnswerKind = Field(description="`evidence` where sentences, rows or list items answer and no short span does")
    items: list[ItemOut] = Field(
        description="parts of an answer that names several things, in the order of the document"
    )


class PassageOut(BaseModel):
    """A passage with its scores.

    Passages are sorted by `score`. It equals `retrieval`, from 0 to 1, or, when reranked, combines `retrieval` with the
    reader's `margin` (best span logit minus null logit). `margin` is null if the reader did not read the passage.
    """

    passage_id: int | None
    document_id: str
    title: str | None
    uri: str | None
    meta: dict[str, Any]
    document_offset: Offset
    text: str
    score: float
    lexical: float
    dense: float
    retrieval: float
    margin: float | None


class QueryResponse(BaseModel):
    """The result of a question. If `status` is not `answered`, `answers` is empty."""

    query_id: str
    question: str
    corrected: str | None = Field(
        description="the question as it was searched after its spelling was mended; null if it was not changed"
    )
    status: Status = Field(
        description="`answered`; `unsure`: show the best guess, marked as a guess; `not_found`: the documents probably "
        "do not say; `nothing_to_search`: the index is empty, or no document matches the filters"
    )
    has_answer: bool = Field(description="whether `status` is `answered`")
    no_answer_score: float = Field(description="probability that the documents do not answer the question")
    answers: list[AnswerOut] = Field(description="best first")
    best_guess: AnswerOut | None = Field(description="the best candidate if `status` is not `answered`")
    alternatives: list[AnswerOut] = Field(description="candidates behind the best guess, best first, at most `top_k`")
    evidence: list[EvidenceOut] = Field(
        description="what answers in the passages that were read, best first, at most ten"
    )
    passages: list[PassageOut] | None = Field(
        description="the passages that were read, on request; if `status` is not `answered`, the first three that were "
        "found; null otherwise"
    )
    index: str | None
    generation: int | None
    revision: int | None
    timings_ms: dict[str, float]


class BatchResponse(BaseModel):
    """One result for each question, in order."""

    results: list[QueryResponse]


class HighlightOut(BaseModel):
    """Words of a text that answer; `start` and `end` count code points."""

    start: int
    end: int
    text: str
    score: float = Field(description="calibrated probability that they answer the question")
    kind: HighlightKind = Field(description="`evidence` for a sentence, list item or row; `answer` for a short span")


class HighlightResultOut(BaseModel):
    """What answers the question in one text or document."""

    id: str
    status: HighlightStatus
    highlights: list[HighlightOut] = Field(description="best first")
    pruned_text: str | None = Field(description="the highlighted units below their headings; null unless requested")
    kept: float | None = Field(description="share of the text's characters in `pruned_text`; null unless requested")


class HighlightResponse(BaseModel):
    """One result for each text or document, in order."""

    results: list[HighlightResultOut]


class SearchResponse(BaseModel):
    """Passages, best first."""

    question: str
    passages: list[PassageOut]
    index: str
    generation: int
    revision: int
    timings_ms: dict[str, float]
