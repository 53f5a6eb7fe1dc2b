"""What goes over HTTP: the models that service and client share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictInt, StrictStr, Tag

DEFAULT_TOP_K = 3
Confidence = Annotated[float, Field(ge=0, le=1)]
IndexName = Annotated[StrictStr, Field(description="name of the index")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Options(_Request):
    index: IndexName = "default"
    top_k: StrictInt = Field(DEFAULT_TOP_K, description="at most so many answers, 1 to 100")
    filters: dict[str, Any] = Field(
        default_factory=dict,
        description="field of the metadata, document_id, title or uri: a value, a list, or bounds (gt, gte, lt, lte)",
    )
    min_confidence: Confidence | None = Field(
        None, description="null: as calibrated, none where the documents likely do not say; 0: every guess"
    )
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


class DocumentPatch(_Request):
    """What is to be changed of a document; what is left out stays as it is."""

    title: StrictStr | None = None
    meta: dict[str, Any] = Field(default_factory=dict)


# Told apart before they are validated, so that an error names a field of the one that was meant.
ONE, MANY = "one document", "list of documents"
DocumentsIn = Annotated[
    Annotated[DocumentIn, Tag(ONE)] | Annotated[list[DocumentIn], Tag(MANY)],
    Discriminator(lambda body: MANY if isinstance(body, list) else ONE),
]


class Offset(BaseModel):
    """Code points, half-open."""

    start: int
    end: int


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


class AddedOut(BaseModel):
    """What became of a document that was added: created, replaced or unchanged."""

    id: str
    status: str
    passages: int
    characters: int


class AddResponse(BaseModel):
    """One entry for each document, in order. They are on disk, and the next question finds them."""

    documents: list[AddedOut]


class UploadedOut(BaseModel):
    """What became of a file: its documents, or why it could not be taken in."""

    file: str
    documents: list[AddedOut]
    error: str | None


class UploadResponse(BaseModel):
    """One entry for each file, in order."""

    files: list[UploadedOut]


class IndexOut(BaseModel):
    """An index, and what is in it."""

    name: str
    documents: int
    passages: int
    generation: int
    revision: int


class IndexList(BaseModel):
    """All indexes."""

    indexes: list[IndexOut]


class JobOut(BaseModel):
    """How a job stands: running, done, failed or cancelled."""

    id: str
    kind: str
    index: str
    state: str
    done: int
    total: int
    rate: float = Field(description="documents a second")
    seconds_left: float | None
    error: str | None
    generation: int | None = Field(description="the one that answers, once the job is done")
    started_at: str
    ended_at: str | None


class JobList(BaseModel):
    """The last jobs."""

    jobs: list[JobOut]


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


class FullDocumentOut(DocumentOut):
    """A document with its text."""

    text: str


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
    calibration: str
    documents: int
    passages: int
