"""Convert results between the engine's types and the JSON models of the HTTP interface (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from qa.errors import InvalidInput
from qa.reports import AddedDocument, FileReport
from qa.results import (
    Answer,
    Components,
    EvidenceUnit,
    Highlight,
    HighlightResult,
    Hit,
    Item,
    QueryResult,
    SearchResult,
    Support,
)
from qa.types import Document, DocumentInfo, Passage, Rectangle, Span, Unread
from qa.wire.base import Offset
from qa.wire.documents import AddedOut, DocumentOut, FullDocumentOut, UnreadOut, UploadedOut
from qa.wire.questions import (
    AnswerOut,
    ComponentsOut,
    EvidenceOut,
    HighlightOut,
    HighlightResponse,
    HighlightResultOut,
    ItemOut,
    PassageOut,
    QueryResponse,
    RectangleOut,
    SearchResponse,
    SupportOut,
)


def query_response(result: QueryResult, *, with_passages: bool = False) -> QueryResponse:
    """Return the wire form of a result; without an index, the fields about the index are null.

    Args:
        result: the result.
        with_passages: whether the client asked for passages. Without an answer, it gets them in any case.
    """
    indexed = bool(result.index)
    return QueryResponse(
        query_id=result.query_id,
        question=result.question,
        corrected=result.corrected,
        status=result.status,
        has_answer=result.has_answer,
        no_answer_score=result.no_answer_score,
        answers=[answer_out(answer) for answer in result.answers],
        best_guess=answer_out(result.best_guess) if result.best_guess else None,
        alternatives=[answer_out(answer) for answer in result.alternatives],
        evidence=[_evidence(unit) for unit in result.evidence],
        passages=[_passage(hit) for hit in result.passages] if with_passages or not result.has_answer else None,
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


def highlight_response(results: Sequence[HighlightResult]) -> HighlightResponse:
    """Return the wire form of the highlights of several texts."""
    return HighlightResponse(
        results=[
            HighlightResultOut(
                id=result.id,
                status=result.status,
                highlights=[
                    HighlightOut(start=h.span.start, end=h.span.end, text=h.text, score=h.score, kind=h.kind)
                    for h in result.highlights
                ],
                pruned_text=result.pruned_text,
                kept=result.kept,
            )
            for result in results
        ]
    )


def added_out(added: AddedDocument) -> AddedOut:
    """Return the wire form of the outcome of adding a document."""
    return AddedOut(
        id=added.id,
        status=added.change,
        passages=added.passages,
        characters=added.characters,
        unread=_unread_out(added.unread),
        ocr_pages=list(added.ocr_pages),
    )


def file_out(report: FileReport) -> UploadedOut:
    """Return the wire form of the outcome of ingesting a file."""
    return UploadedOut(
        file=report.file,
        documents=[added_out(document) for document in report.documents],
        error=report.error.message if report.error else None,
        unread=_unread_out(report.unread),
    )


def document_out(info: DocumentInfo) -> DocumentOut:
    """Return the wire form of a document's description."""
    return DocumentOut.model_validate(info, from_attributes=True)


def full_document(document: Document, info: DocumentInfo) -> FullDocumentOut:
    """Return the wire form of a document with its text."""
    return FullDocumentOut(**document_out(info).model_dump(), text=document.text)


def _unread_out(unread: Sequence[Unread]) -> list[UnreadOut]:
    return [UnreadOut(page=part.page, reason=part.reason) for part in unread]


def answer_out(answer: Answer) -> AnswerOut:
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
        cell=answer.cell,
        ocr=answer.ocr,
        rectangles=[RectangleOut.model_validate(r, from_attributes=True) for r in answer.rectangles],
        document_offset=_offset(answer.span),
        context=answer.context,
        context_offset=_offset(answer.context_span),
        passage_id=answer.passage_id,
        components=ComponentsOut.model_validate(answer.components, from_attributes=True),
        support=[
            SupportOut(document_id=s.document_id or None, document_offset=_offset(s.span)) for s in answer.support
        ],
        kind=answer.kind,
        items=[ItemOut(start=item.span.start, end=item.span.end, text=item.text) for item in answer.items],
    )


def _evidence(unit: EvidenceUnit) -> EvidenceOut:
    return EvidenceOut(
        document_id=unit.document_id or None,
        start=unit.span.start,
        end=unit.span.end,
        text=unit.text,
        score=unit.score,
        page=unit.page,
        section=unit.section,
        rectangles=[RectangleOut.model_validate(r, from_attributes=True) for r in unit.rectangles],
        url=unit.uri,
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


def query_result(response: QueryResponse) -> QueryResult:
    """Return the result that a response carries; the inverse of `query_response`."""
    return QueryResult(
        query_id=response.query_id,
        question=response.question,
        status=response.status,
        answers=tuple(answer_in(answer) for answer in response.answers),
        no_answer_score=response.no_answer_score,
        best_guess=answer_in(response.best_guess) if response.best_guess else None,
        passages=tuple(_hit(passage) for passage in response.passages or ()),
        index=response.index or "",
        generation=response.generation or 0,
        revision=response.revision or 0,
        timings_ms=response.timings_ms,
        alternatives=tuple(answer_in(answer) for answer in response.alternatives),
        corrected=response.corrected,
        evidence=tuple(_evidence_in(unit) for unit in response.evidence),
    )


def search_result(response: SearchResponse) -> SearchResult:
    """Return the result that a response carries; the inverse of `search_response`."""
    hits = tuple(_hit(passage) for passage in response.passages)
    return SearchResult(hits, response.generation, response.revision, response.timings_ms)


def highlight_results(response: HighlightResponse) -> list[HighlightResult]:
    """Return the results that a response carries; the inverse of `highlight_response`."""
    return [
        HighlightResult(
            result.id,
            result.status,
            tuple(Highlight(Span(h.start, h.end), h.text, h.score, h.kind) for h in result.highlights),
            result.pruned_text,
            result.kept,
        )
        for result in response.results
    ]


def added_document(document: AddedOut) -> AddedDocument:
    """Return the outcome that a response carries; the inverse of `added_out`."""
    return AddedDocument(
        id=document.id,
        change=document.status,
        passages=document.passages,
        characters=document.characters,
        unread=tuple(Unread(part.page, part.reason) for part in document.unread),
        ocr_pages=tuple(document.ocr_pages),
    )


def file_report(file: UploadedOut) -> FileReport:
    """Return the outcome that a response carries; the inverse of `file_out`."""
    error = InvalidInput(file.error, field=file.file) if file.error else None
    return FileReport(file.file, [added_document(document) for document in file.documents], error)


def answer_in(answer: AnswerOut) -> Answer:
    """Return the answer that a response carries; the inverse of `answer_out`."""
    return Answer(
        text=answer.answer,
        score=answer.score,
        confidence=answer.confidence,
        document_id=answer.document_id or "",
        title=answer.title,
        uri=answer.uri,
        meta=answer.meta,
        span=_span(answer.document_offset),
        context=answer.context,
        context_span=_span(answer.context_offset),
        passage_id=answer.passage_id,
        components=Components(**answer.components.model_dump()),
        support=tuple(Support(s.document_id or "", _span(s.document_offset)) for s in answer.support),
        page=answer.page,
        section=answer.section,
        rectangles=tuple(Rectangle(**rectangle.model_dump()) for rectangle in answer.rectangles),
        cell=answer.cell,
        ocr=answer.ocr,
        kind=answer.kind,
        items=tuple(Item(item.text, Span(item.start, item.end)) for item in answer.items),
    )


def _evidence_in(unit: EvidenceOut) -> EvidenceUnit:
    return EvidenceUnit(
        document_id=unit.document_id or "",
        span=Span(unit.start, unit.end),
        text=unit.text,
        score=unit.score,
        page=unit.page,
        section=unit.section,
        rectangles=tuple(Rectangle(**rectangle.model_dump()) for rectangle in unit.rectangles),
        uri=unit.url,
    )


def _hit(passage: PassageOut) -> Hit:
    return Hit(
        passage_id=passage.passage_id,
        passage=Passage(passage.document_id, _span(passage.document_offset), passage.text),
        title=passage.title,
        uri=passage.uri,
        meta=passage.meta,
        lexical=passage.lexical,
        dense=passage.dense,
        retrieval=passage.retrieval,
        margin=passage.margin,
        reranked=None if passage.score == passage.retrieval else passage.score,
    )


def _span(offset: Offset) -> Span:
    return Span(offset.start, offset.end)
