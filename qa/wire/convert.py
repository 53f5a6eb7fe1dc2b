"""The system's own nouns ─► what goes over HTTP."""

from __future__ import annotations

from fastapi.responses import JSONResponse

from qa.indexing.indexer import AddedDocument
from qa.service.jobs import Job
from qa.types import Answer, Document, DocumentInfo, Hit, QueryResult, SearchResult, Span
from qa.wire.base import PREFIX, Offset
from qa.wire.documents import AddedOut, DocumentOut, FullDocumentOut
from qa.wire.indexes import JobOut
from qa.wire.questions import (
    AnswerOut,
    ComponentsOut,
    PassageOut,
    QueryResponse,
    RectangleOut,
    SearchResponse,
    SupportOut,
)


def query_response(result: QueryResult, *, with_passages: bool = False) -> QueryResponse:
    """Return the wire form of a result; a result that did not come from an index names none."""
    indexed = bool(result.index)
    return QueryResponse(
        query_id=result.query_id,
        question=result.question,
        has_answer=result.has_answer,
        no_answer_score=result.no_answer_score,
        answers=[_answer(answer) for answer in result.answers],
        best_guess=_answer(result.best_guess) if result.best_guess else None,
        passages=[_passage(hit) for hit in result.passages] if with_passages else None,
        index=result.index if indexed else None,
        generation=result.generation if indexed else None,
        revision=result.revision if indexed else None,
        timings_ms=dict(result.timings_ms),
    )


def search_response(question: str, index: str, result: SearchResult) -> SearchResponse:
    """Return the wire form of a search."""
    return SearchResponse(
        question=question,
        passages=[_passage(hit) for hit in result.hits],
        index=index,
        generation=result.generation,
        revision=result.revision,
        timings_ms=dict(result.timings_ms),
    )


def added_out(added: AddedDocument) -> AddedOut:
    """Return the wire form of what became of a document that was added."""
    return AddedOut(id=added.id, status=added.change, passages=added.passages, characters=added.characters)


def document_out(info: DocumentInfo) -> DocumentOut:
    """Return the wire form of a document's description."""
    return DocumentOut.model_validate(info, from_attributes=True)


def full_document(document: Document, info: DocumentInfo) -> FullDocumentOut:
    """Return the wire form of a document with its text."""
    return FullDocumentOut(**document_out(info).model_dump(), text=document.text)


def _answer(answer: Answer) -> AnswerOut:
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
        rectangles=[RectangleOut.model_validate(one, from_attributes=True) for one in answer.rectangles],
        document_offset=_offset(answer.span),
        context=answer.context,
        context_offset=_offset(answer.context_span),
        passage_id=answer.passage_id,
        components=ComponentsOut.model_validate(answer.components, from_attributes=True),
        support=[
            SupportOut(document_id=s.document_id or None, document_offset=_offset(s.span)) for s in answer.support
        ],
    )


def _passage(hit: Hit) -> PassageOut:
    return PassageOut(
        passage_id=hit.passage_id,
        document_id=hit.passage.document_id,
        title=hit.title,
        uri=hit.uri,
        meta=dict(hit.meta),
        document_offset=_offset(hit.passage.span),
        text=hit.passage.text,
        score=hit.score,
        lexical=hit.lexical,
        dense=hit.dense,
        retrieval=hit.retrieval,
        margin=hit.margin,
    )


def _offset(span: Span) -> Offset:
    return Offset(start=span.start, end=span.end)


def job_out(job: Job) -> JobOut:
    """Return the wire form of a job."""
    return JobOut.model_validate(job, from_attributes=True)


def begun(job: Job) -> JSONResponse:
    """Return the response to a request for which a job was begun."""
    return JSONResponse(job_out(job).model_dump(), 202, {"Location": f"{PREFIX}/jobs/{job.id}"})
