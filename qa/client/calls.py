"""The calls of the service, without those about documents: the requests to send and how to parse the responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from qa.client.requests import Call, build_call, convert_call, parser, quote_id
from qa.quotations import Quote, QuoteResult
from qa.results import Granularity, HighlightResult, QueryResult, SearchResult
from qa.wire.base import PREFIX, Offset
from qa.wire.convert import highlight_results, query_result, search_result
from qa.wire.feedback import FeedbackIn, FeedbackOut, SquadOut
from qa.wire.indexes import IndexList, IndexOut, JobList, JobOut
from qa.wire.questions import BatchResponse, HighlightResponse, QueryResponse, SearchResponse
from qa.wire.quotations import VerifyResponse, quote_results
from qa.wire.state import Health, Readiness


def ask(
    question: str,
    *,
    index: str = "default",
    top_k: int = 3,
    filters: Mapping[str, object] | None = None,
    min_confidence: float | None = None,
    include_passages: bool = False,
    group_by: Literal["document"] | None = None,
) -> Call[QueryResult]:
    """Answer a question from the documents of an index.

    Args:
        question: in plain language.
        index: name of the index.
        top_k: maximum number of answers.
        filters: conditions on metadata that a document must meet.
        min_confidence: return answers from this confidence upwards; None applies the calibrated threshold.
        include_passages: also return the passages that were read.
        group_by: `document` returns the best answer of each of the `top_k` documents that match best.
    """
    options = _query_options(index, top_k, filters, min_confidence, include_passages=include_passages)
    body = {"question": question, "group_by": group_by, **options}
    response = build_call("POST", "/query", QueryResponse, json=body)
    return convert_call(response, query_result)


def ask_batch(
    questions: Sequence[str],
    *,
    index: str = "default",
    top_k: int = 3,
    filters: Mapping[str, object] | None = None,
    min_confidence: float | None = None,
    include_passages: bool = False,
) -> Call[list[QueryResult]]:
    """Answer up to 64 questions; each result is the one `ask` returns."""
    options = _query_options(index, top_k, filters, min_confidence, include_passages=include_passages)
    response = build_call("POST", "/query/batch", BatchResponse, json={"questions": list(questions), **options})
    return convert_call(response, lambda batch: [query_result(result) for result in batch.results])


def _query_options(
    index: str,
    top_k: int,
    filters: Mapping[str, object] | None,
    min_confidence: float | None,
    *,
    include_passages: bool,
) -> dict[str, Any]:
    return {
        "index": index,
        "top_k": top_k,
        "filters": dict(filters or {}),
        "min_confidence": min_confidence,
        "include_passages": include_passages,
    }


def read(question: str, text: str, *, top_k: int = 3, min_confidence: float | None = None) -> Call[QueryResult]:
    """Answer a question from one text, without an index."""
    body = {"question": question, "text": text, "top_k": top_k, "min_confidence": min_confidence}
    return convert_call(build_call("POST", "/read", QueryResponse, json=body), query_result)


def highlight(
    question: str,
    texts: Sequence[tuple[str, str]] = (),
    *,
    document_ids: Sequence[str] = (),
    index: str = "default",
    granularity: Granularity = "sentence",
    threshold: float | None = None,
    max_highlights: int = 10,
    prune: bool = False,
) -> Call[list[HighlightResult]]:
    """Find the words that answer a question in each of several texts, in order.

    Args:
        question: in plain language.
        texts: up to 64 pairs of id and text, 200,000 characters in all.
        document_ids: read these documents of the index instead of `texts`, within the same limits.
        index: name of the index.
        granularity: `sentence` for sentences, list items and rows of tables; `span` for short answers.
        threshold: minimum score of a highlight; None applies the calibrated thresholds.
        max_highlights: maximum number of highlights in each text.
        prune: also return each text cut down to its highlighted units and the headings above them.
    """
    body = {
        "question": question,
        "texts": [{"id": id, "text": text} for id, text in texts],
        "document_ids": list(document_ids),
        "index": index,
        "granularity": granularity,
        "threshold": threshold,
        "max_highlights": max_highlights,
        "prune": prune,
    }
    return convert_call(build_call("POST", "/highlight", HighlightResponse, json=body), highlight_results)


def verify_quotes(
    quotes: Sequence[str | Quote], *, index: str = "default", filters: Mapping[str, object] | None = None
) -> Call[list[QuoteResult]]:
    """Find where quotations are in the documents, or the nearest text.

    Args:
        quotes: 1 to 64 texts of 3 to 2,000 characters; a `Quote` may name its document.
        index: name of the index.
        filters: conditions on metadata that a document must meet.
    """
    named = [Quote(quote) if isinstance(quote, str) else quote for quote in quotes]
    body = {
        "quotes": [{"text": quote.text, "document_id": quote.document_id} for quote in named],
        "index": index,
        "filters": dict(filters or {}),
    }
    return convert_call(build_call("POST", "/verify", VerifyResponse, json=body), quote_results)


def search(
    question: str,
    *,
    index: str = "default",
    top_k: int = 10,
    filters: Mapping[str, object] | None = None,
    rerank: bool = False,
) -> Call[SearchResult]:
    """Find the passages that most likely answer a question; `rerank` lets the reader reorder the first ones."""
    body = {"question": question, "index": index, "top_k": top_k, "filters": dict(filters or {}), "rerank": rerank}
    return convert_call(build_call("POST", "/search", SearchResponse, json=body), search_result)


def indexes() -> Call[IndexList]:
    """List the indexes."""
    return build_call("GET", "/indexes", IndexList)


def index(name: str) -> Call[IndexOut]:
    """Describe an index."""
    return build_call("GET", f"/indexes/{quote_id(name)}", IndexOut)


def create_index(name: str) -> Call[IndexOut]:
    """Create an empty index; an existing index is left unchanged."""
    return build_call("PUT", f"/indexes/{quote_id(name)}", IndexOut)


def delete_index(name: str) -> Call[None]:
    """Delete an index with all its documents."""
    return Call("DELETE", f"{PREFIX}/indexes/{quote_id(name)}", lambda _: None, repeatable=False)


def rebuild(name: str) -> Call[JobOut]:
    """Start a job that splits and embeds every document of an index again."""
    return build_call("POST", f"/indexes/{quote_id(name)}/rebuild", JobOut, repeatable=False)


def rollback(name: str) -> Call[JobOut]:
    """Start a job that makes the previous generation live again."""
    return build_call("POST", f"/indexes/{quote_id(name)}/rollback", JobOut, repeatable=False)


def jobs() -> Call[JobList]:
    """List the latest jobs."""
    return build_call("GET", "/jobs", JobList)


def job(id: str) -> Call[JobOut]:
    """Return the state of a job."""
    return build_call("GET", f"/jobs/{quote_id(id)}", JobOut)


def cancel(id: str) -> Call[JobOut]:
    """Ask a job to stop."""
    return build_call("DELETE", f"/jobs/{quote_id(id)}", JobOut, repeatable=False)


def feedback(
    question: str,
    document_id: str,
    verdict: Literal["right", "wrong", "corrected", "unanswerable"],
    offset: Offset | None = None,
    *,
    comment: str | None = None,
    query_id: str | None = None,
    index: str = "default",
) -> Call[FeedbackOut]:
    """Report that an answer is right or wrong, which span is right, or that the document does not answer."""
    body = FeedbackIn(
        question=question,
        document_id=document_id,
        verdict=verdict,
        document_offset=offset,
        comment=comment,
        query_id=query_id,
    )
    return build_call(
        "POST", "/feedback", FeedbackOut, json=body.model_dump(), params={"index": index}, repeatable=False
    )


def export_feedback(*, index: str = "default") -> Call[SquadOut]:
    """Return the labels from all feedback, in the SQuAD format."""
    return build_call("GET", "/feedback/export", SquadOut, params={"index": index})


def health() -> Call[Health]:
    """Return that the server is alive, and its version."""
    return Call("GET", "/healthz", parser(Health))


def ready() -> Call[Readiness]:
    """Return which models the server has loaded."""
    return Call("GET", "/readyz", parser(Readiness))


def query(
    question: str,
    *,
    index: str = "default",
    top_k: int = 3,
    filters: Mapping[str, object] | None = None,
    min_confidence: float | None = None,
    include_passages: bool = False,
) -> Call[QueryResponse]:
    """Deprecated: use `ask`."""
    options = _query_options(index, top_k, filters, min_confidence, include_passages=include_passages)
    return build_call("POST", "/query", QueryResponse, json={"question": question, **options})


def query_batch(
    questions: Sequence[str],
    *,
    index: str = "default",
    top_k: int = 3,
    filters: Mapping[str, object] | None = None,
    min_confidence: float | None = None,
    include_passages: bool = False,
) -> Call[BatchResponse]:
    """Deprecated: use `ask_batch`."""
    options = _query_options(index, top_k, filters, min_confidence, include_passages=include_passages)
    return build_call("POST", "/query/batch", BatchResponse, json={"questions": list(questions), **options})
