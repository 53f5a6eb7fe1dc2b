"""What goes over HTTP: the models that service and client share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr

from qa.types import Answer, Document, DocumentInfo, Hit, QueryResult, SearchResult, Span

DEFAULT_TOP_K = 3
Number = StrictFloat | StrictInt
Confidence = Annotated[float, Field(ge=0, le=1)]
IndexName = Annotated[StrictStr, Field(description="name of the index")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Options(_Request):
    index: IndexName = "default"
    top_k: StrictInt = Field(DEFAULT_TOP_K, description="at most so many answers, 1 to 100")
    filters: dict[str, Any] = Field(
        default_factory=dict, description="metadata that a document must have: equality only"
    )
    min_confidence: Confidence | None = Field(None, description="null: the shipped threshold; 0: every guess")
    include_passages: bool = Field(False, description="return the passages that were read")


class QueryRequest(_Options):
    """One question to the documents of an index."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": "When does the library open on Sundays?"}]}
    )

    question: StrictStr


class BatchRequest(_Options):
    """Up to 64 questions to the documents of an index."""

    questions: list[StrictStr] = Field(min_length=1, max_length=64)


class ReadRequest(_Request):
    """One question to one text."""

    question: StrictStr
    text: StrictStr
    top_k: StrictInt = DEFAULT_TOP_K
    min_confidence: Confidence | None = None


class SearchRequest(_Request):
    """Passages for a question, without reading them."""

    question: StrictStr
    index: IndexName = "default"
    top_k: StrictInt = 10
    filters: dict[str, Any] = Field(default_factory=dict)


class DocumentIn(_Request):
    """A document to take in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"id": "opening-hours", "text": "The library opens at noon on Sundays."}]},
    )

    text: StrictStr
    id: StrictStr | None = None
    title: StrictStr | None = None
    uri: StrictStr | None = None
    meta: dict[str, Any] = Field(default_factory=dict)


class Offset(BaseModel):
    """Code points, half-open."""

    start: int
    end: int

    @staticmethod
    def of(span: Span) -> Offset:
        """Return the wire form of a span."""
        return Offset(start=span.start, end=span.end)


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
    document_offset: Offset
    context: str
    context_offset: Offset
    passage_id: int | None
    components: ComponentsOut
    support: list[SupportOut]

    @staticmethod
    def of(answer: Answer) -> AnswerOut:
        """Return the wire form of an answer."""
        return AnswerOut(
            answer=answer.text,
            score=answer.score,
            confidence=answer.confidence,
            document_id=answer.document_id or None,
            title=answer.title,
            uri=answer.uri,
            meta=dict(answer.meta),
            page=answer.page,
            section=answer.section,
            document_offset=Offset.of(answer.span),
            context=answer.context,
            context_offset=Offset.of(answer.context_span),
            passage_id=answer.passage_id,
            components=ComponentsOut.model_validate(answer.components, from_attributes=True),
            support=[
                SupportOut(document_id=s.document_id or None, document_offset=Offset.of(s.span)) for s in answer.support
            ],
        )


class PassageOut(BaseModel):
    """A passage with its scores."""

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

    @staticmethod
    def of(hit: Hit) -> PassageOut:
        """Return the wire form of a hit."""
        return PassageOut(
            passage_id=hit.passage_id,
            document_id=hit.passage.document_id,
            title=hit.title,
            uri=hit.uri,
            meta=dict(hit.meta),
            document_offset=Offset.of(hit.passage.span),
            text=hit.passage.text,
            score=hit.retrieval,
            lexical=hit.lexical,
            dense=hit.dense,
        )


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

    @staticmethod
    def of(result: QueryResult, *, with_passages: bool = False) -> QueryResponse:
        """Return the wire form of a result; a result that did not come from an index names none."""
        indexed = bool(result.index)
        return QueryResponse(
            query_id=result.query_id,
            question=result.question,
            has_answer=result.has_answer,
            no_answer_score=result.no_answer_score,
            answers=[AnswerOut.of(answer) for answer in result.answers],
            best_guess=AnswerOut.of(result.best_guess) if result.best_guess else None,
            passages=[PassageOut.of(hit) for hit in result.passages] if with_passages else None,
            index=result.index if indexed else None,
            generation=result.generation if indexed else None,
            revision=result.revision if indexed else None,
            timings_ms=dict(result.timings_ms),
        )


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

    @staticmethod
    def of(question: str, index: str, result: SearchResult) -> SearchResponse:
        """Return the wire form of a search."""
        return SearchResponse(
            question=question,
            passages=[PassageOut.of(hit) for hit in result.hits],
            index=index,
            generation=result.generation,
            revision=result.revision,
            timings_ms=dict(result.timings_ms),
        )


class AddedOut(BaseModel):
    """What became of a document that was added: created, replaced or unchanged."""

    id: str
    status: str
    passages: int
    characters: int


class AddResponse(BaseModel):
    """One entry for each document, in order. They are on disk, and the next question finds them."""

    documents: list[AddedOut]


class DocumentOut(BaseModel):
    """What is known of a document, without its text."""

    id: str
    title: str | None
    uri: str | None
    meta: dict[str, Any]
    characters: int
    passages: int
    sha256: str
    added_at: str
    revision: int

    @staticmethod
    def of(info: DocumentInfo) -> DocumentOut:
        """Return the wire form of a document's description."""
        return DocumentOut.model_validate(info, from_attributes=True)


class FullDocumentOut(DocumentOut):
    """A document with its text."""

    text: str

    @staticmethod
    def with_text(document: Document, info: DocumentInfo) -> FullDocumentOut:
        """Return the wire form of a document."""
        return FullDocumentOut(**DocumentOut.of(info).model_dump(), text=document.text)


class DocumentList(BaseModel):
    """A page of documents; `next` is the cursor of the following page, null on the last."""

    documents: list[DocumentOut]
    next: str | None


class Problem(BaseModel):
    """RFC 9457 problem document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    field: str | None = Field(None, description="the part of the request that was wrong")


class Health(BaseModel):
    """Alive."""

    status: str = "ok"
    version: str


class Readiness(BaseModel):
    """Models and the default index are loaded."""

    status: str = "ready"
    embedder: str
    reader: str
    documents: int
    passages: int
