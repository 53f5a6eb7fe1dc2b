"""Asking, and what comes back."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from qa.validation import MAX_QUESTION, MAX_QUESTIONS, MAX_READ_TEXT, MAX_TOP_K
from qa.wire.base import IndexName, Offset, Request

DEFAULT_TOP_K = 3
Confidence = Annotated[StrictFloat, Field(ge=0, le=1)]
# A text of white space is blank, however long it is.
QuestionText = Annotated[StrictStr, Field(json_schema_extra={"pattern": r"\S", "maxLength": MAX_QUESTION})]
TopK = Annotated[
    StrictInt,
    Field(description="at most so many", json_schema_extra={"minimum": 1, "maximum": MAX_TOP_K}),
]


class _Options(Request):
    index: IndexName = "default"
    top_k: TopK = DEFAULT_TOP_K
    filters: dict[str, Any] = Field(
        default_factory=dict,
        description="field of the metadata, document_id, title or uri: a value, a list, or bounds (gt, gte, lt, lte)",
    )
    min_confidence: Confidence | None = Field(
        None, description="null: as calibrated, none where the documents likely do not say; 0: every guess"
    )
    include_passages: StrictBool = Field(False, description="return the passages that were read")


class QueryRequest(_Options):
    """One question to the documents of an index."""

    question: QuestionText


class BatchRequest(_Options):
    """Up to 64 questions to the documents of an index."""

    questions: list[QuestionText] = Field(min_length=1, max_length=MAX_QUESTIONS)


class ReadRequest(Request):
    """One question to one text."""

    question: QuestionText
    text: StrictStr = Field(json_schema_extra={"pattern": r"\S", "maxLength": MAX_READ_TEXT})
    top_k: TopK = DEFAULT_TOP_K
    min_confidence: Confidence | None = None


class SearchRequest(Request):
    """Passages for a question."""

    question: QuestionText
    index: IndexName = "default"
    top_k: TopK = 10
    filters: dict[str, Any] = Field(default_factory=dict)
    rerank: StrictBool = Field(
        False, description="have the reader put those first that answer: it takes longer, and `score` is in logits"
    )


class ComponentsOut(BaseModel):
    """What a score is made of: raw BM25, cosine, and the reader's logits for the span and for no answer."""

    lexical: float
    dense: float
    reader: float
    null: float


class SupportOut(BaseModel):
    """One place that gives the answer."""

    document_id: str | None
    document_offset: Offset


class RectangleOut(BaseModel):
    """A part of a page, in points from its lower left corner."""

    page: int
    left: float
    bottom: float
    right: float
    top: float


class AnswerOut(BaseModel):
    """An exact span of a document, and how sure it is."""

    answer: str
    score: float
    confidence: float
    document_id: str | None
    title: str | None
    uri: str | None
    meta: dict[str, Any]
    page: int | None
    section: str | None
    rectangles: list[RectangleOut] = Field(description="of a PDF: what to light up, one for each line")
    document_offset: Offset
    context: str
    context_offset: Offset
    passage_id: int | None
    components: ComponentsOut
    support: list[SupportOut]


class PassageOut(BaseModel):
    """A passage with its scores.

    `score` orders: that of `retrieval`, from 0 to 1, or what it and the reader's `margin` over no answer make up, in
    logits. `margin` is null where the passage was not read for the order.
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
    """All that a question gave; without an answer, `answers` is empty and `best_guess` filled."""

    query_id: str
    question: str
    has_answer: bool
    no_answer_score: float
    answers: list[AnswerOut]
    best_guess: AnswerOut | None
    passages: list[PassageOut] | None
    index: str | None
    generation: int | None
    revision: int | None
    timings_ms: dict[str, float]


class BatchResponse(BaseModel):
    """One result for each question, in order."""

    results: list[QueryResponse]


class SearchResponse(BaseModel):
    """Passages, best first."""

    question: str
    passages: list[PassageOut]
    index: str
    generation: int
    revision: int
    timings_ms: dict[str, float]
