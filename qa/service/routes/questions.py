"""Questions: query, batch, read, highlight, verify, search."""

from __future__ import annotations

from fastapi import APIRouter

from qa.answering.searching import RERANKED_AS_QUESTIONS
from qa.index.quotations import QUOTES_AS_QUESTION
from qa.quotations import Quote
from qa.reading.highlight_texts import cost_in_questions
from qa.service.dependencies import CallerDep, QueuedCallerDep, ServicesDep
from qa.stopwatch import Stopwatch
from qa.validation import check_question
from qa.wire.convert import highlight_response, query_response, search_response
from qa.wire.questions import (
    BatchRequest,
    BatchResponse,
    HighlightRequest,
    HighlightResponse,
    QueryRequest,
    QueryResponse,
    ReadRequest,
    SearchRequest,
    SearchResponse,
)
from qa.wire.quotations import VerifyRequest, VerifyResponse, verify_response

router = APIRouter(tags=["questions"])


@router.post("/query")
def query(
    body: QueryRequest,
    services: ServicesDep,
    caller: CallerDep,
    queued_caller: QueuedCallerDep,
) -> QueryResponse:
    """Answer a question from the documents of an index."""
    caller.check_index(body.index)
    options = body.model_dump(exclude={"question"})
    # Each document of a grouped result is asked as if alone.
    cost = max(1, body.top_k) if body.group_by else 1
    with services.questions.admit(cost, queued_caller) as waited:
        result = services.engine.ask(body.question, **options)
    services.metrics.record_questions([result], waited)
    return query_response(result, with_passages=body.include_passages)


@router.post("/query/batch")
def query_batch(
    body: BatchRequest,
    services: ServicesDep,
    caller: CallerDep,
    queued_caller: QueuedCallerDep,
) -> BatchResponse:
    """Answer up to 64 questions; each result is the one that `query` returns."""
    caller.check_index(body.index)
    options = body.model_dump(exclude={"questions"})
    for n, question in enumerate(body.questions):
        check_question(question, f"questions.{n}")
    with services.questions.admit(len(body.questions), queued_caller) as waited:
        results = services.engine.ask_batch(body.questions, **options)
    services.metrics.record_questions(results, waited)
    return BatchResponse(results=[query_response(r, with_passages=body.include_passages) for r in results])


@router.post("/read")
def read(body: ReadRequest, services: ServicesDep, queued_caller: QueuedCallerDep) -> QueryResponse:
    """Answer a question from the text in the request, without an index."""
    with services.questions.admit(queued_caller=queued_caller) as waited:
        result = services.engine.read(body.question, body.text, top_k=body.top_k, min_confidence=body.min_confidence)
    services.metrics.record_questions([result], waited)
    return query_response(result)


@router.post("/highlight")
def highlight(
    body: HighlightRequest,
    services: ServicesDep,
    caller: CallerDep,
    queued_caller: QueuedCallerDep,
) -> HighlightResponse:
    """Find the words that answer a question, in the texts of the request or in documents of an index."""
    document_ids = body.document_ids or []
    if document_ids:
        caller.check_index(body.index)
    texts = [(text.id, text.text) for text in body.texts or []]
    options = body.model_dump(exclude={"question", "texts", "document_ids"})
    cost = cost_in_questions([len(text) for _, text in texts], len(document_ids))
    with services.questions.admit(cost, queued_caller) as waited:
        clock = Stopwatch()
        results = services.engine.highlight(body.question, texts, document_ids=document_ids, **options)
        clock.lap("read")
    services.metrics.record_highlights(results, clock.timings_ms(), waited)
    return highlight_response(results)


@router.post("/verify")
def verify(
    body: VerifyRequest,
    services: ServicesDep,
    caller: CallerDep,
    queued_caller: QueuedCallerDep,
) -> VerifyResponse:
    """Find where quotations are in the documents of an index, or the nearest text."""
    caller.check_index(body.index)
    quotes = [Quote(quote.text, quote.document_id) for quote in body.quotes]
    with services.questions.admit(max(1, len(quotes) // QUOTES_AS_QUESTION), queued_caller) as waited:
        clock = Stopwatch()
        results = services.engine.verify_quotes(quotes, index=body.index, filters=body.filters)
        clock.lap("search")
    services.metrics.record_stages(clock.timings_ms(), waited)
    return verify_response(results)


@router.post("/search")
def search(
    body: SearchRequest,
    services: ServicesDep,
    caller: CallerDep,
    queued_caller: QueuedCallerDep,
) -> SearchResponse:
    """Find the passages that most likely answer a question."""
    caller.check_index(body.index)
    with services.questions.admit(RERANKED_AS_QUESTIONS if body.rerank else 1, queued_caller) as waited:
        result = services.engine.search(body.question, **body.model_dump(exclude={"question"}))
    services.metrics.record_stages(result.timings_ms, waited)
    return search_response(body.question, body.index, result)
