"""The calls of the service: for each, the request to send and how to parse the response."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel

from qa.errors import InvalidInput
from qa.reports import AddedDocument
from qa.results import QueryResult, SearchResult
from qa.types import Document
from qa.wire.base import IDEMPOTENCY_KEY, PREFIX, Offset
from qa.wire.convert import added_document, query_result, search_result
from qa.wire.documents import AddResponse, DocumentIn, DocumentList, DocumentOut, FullDocumentOut, UploadResponse
from qa.wire.feedback import FeedbackIn, FeedbackOut, SquadOut
from qa.wire.indexes import IndexList, IndexOut, JobList, JobOut
from qa.wire.questions import BatchResponse, QueryResponse, SearchResponse
from qa.wire.state import Health, Readiness

# Embedding a large document takes minutes.
ADD_TIMEOUT_S = 600.0

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Call(Generic[T]):
    """One HTTP request.

    Attributes:
        method: the HTTP method.
        path: the path on the server.
        parse: turns a successful response into the result.
        options: keyword arguments of the HTTP client's `request`.
        repeatable: whether sending the request twice has the effect of sending it once.
    """

    method: str
    path: str
    parse: Callable[[httpx2.Response], T]
    options: dict[str, Any] = field(default_factory=dict)
    repeatable: bool = True


def ask(
    question: str,
    *,
    index: str = "default",
    top_k: int = 3,
    filters: Mapping[str, object] | None = None,
    min_confidence: float | None = None,
    include_passages: bool = False,
) -> Call[QueryResult]:
    """Answer a question from the documents of an index.

    Args:
        question: in plain language.
        index: name of the index.
        top_k: maximum number of answers.
        filters: conditions on metadata that a document must meet.
        min_confidence: return answers from this confidence upwards; None applies the calibrated threshold.
        include_passages: also return the passages that were read.
    """
    options = _query_options(index, top_k, filters, min_confidence, include_passages=include_passages)
    response = _request("POST", "/query", QueryResponse, json={"question": question, **options})
    return _convert(response, query_result)


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
    response = _request("POST", "/query/batch", BatchResponse, json={"questions": list(questions), **options})
    return _convert(response, lambda batch: [query_result(result) for result in batch.results])


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
    return _convert(_request("POST", "/read", QueryResponse, json=body), query_result)


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
    return _convert(_request("POST", "/search", SearchResponse, json=body), search_result)


def add(documents: Sequence[Document | DocumentIn], *, index: str = "default") -> Call[list[AddedDocument]]:
    """Add or replace documents, all or none; the next question finds them."""
    body = [document.model_dump() if isinstance(document, DocumentIn) else _body(document) for document in documents]
    options = {"json": body, "params": {"index": index}, "timeout": ADD_TIMEOUT_S}
    response = _request("POST", "/documents", AddResponse, repeatable=False, **options)
    return _convert(response, lambda added: [added_document(document) for document in added.documents])


def upload(files: Sequence[Path], *, index: str = "default") -> Call[UploadResponse]:
    """Send files and wait until they are in the index; each has its own result."""
    return _upload(files, index, UploadResponse, "wait")


def upload_later(files: Sequence[Path], *, index: str = "default") -> Call[JobOut]:
    """Send files and return the job that adds them; when it is done, it has their results."""
    return _upload(files, index, JobOut, "respond-async")


def _upload(files: Sequence[Path], index: str, model: type[M], preference: str) -> Call[M]:
    parts = [("files", (path.name, path.read_bytes())) for path in files]
    options = {"files": parts, "params": {"index": index}, "headers": {"Prefer": preference}, "timeout": ADD_TIMEOUT_S}
    return _request("POST", "/documents/upload", model, repeatable=False, **options)


def documents(*, index: str = "default", limit: int = 100, cursor: str | None = None) -> Call[DocumentList]:
    """Return a page of documents, sorted by id; `cursor` is the `next` of the previous page."""
    params = {"index": index, "limit": limit, **({"cursor": cursor} if cursor else {})}
    return _request("GET", "/documents", DocumentList, params=params)


def document(id: str, *, index: str = "default") -> Call[FullDocumentOut]:
    """Return a document with its text."""
    return _request("GET", f"/documents/{_quote(id)}", FullDocumentOut, params={"index": index})


def text(id: str, *, index: str = "default") -> Call[str]:
    """Return the text that the offsets of answers refer to."""
    path = f"{PREFIX}/documents/{_quote(id)}/text"
    return Call("GET", path, lambda response: response.text, {"params": {"index": index}})


def update(id: str, changes: Mapping[str, object], *, index: str = "default") -> Call[DocumentOut]:
    """Change a document's title or metadata."""
    return _request("PATCH", f"/documents/{_quote(id)}", DocumentOut, json=dict(changes), params={"index": index})


def remove(id: str, *, index: str = "default") -> Call[None]:
    """Remove a document."""
    path = f"{PREFIX}/documents/{_quote(id)}"
    return Call("DELETE", path, lambda _: None, {"params": {"index": index}}, repeatable=False)


def indexes() -> Call[IndexList]:
    """List the indexes."""
    return _request("GET", "/indexes", IndexList)


def index(name: str) -> Call[IndexOut]:
    """Describe an index."""
    return _request("GET", f"/indexes/{_quote(name)}", IndexOut)


def create_index(name: str) -> Call[IndexOut]:
    """Create an empty index; an existing index is left unchanged."""
    return _request("PUT", f"/indexes/{_quote(name)}", IndexOut)


def delete_index(name: str) -> Call[None]:
    """Delete an index with all its documents."""
    return Call("DELETE", f"{PREFIX}/indexes/{_quote(name)}", lambda _: None, repeatable=False)


def rebuild(name: str) -> Call[JobOut]:
    """Start a job that splits and embeds every document of an index again."""
    return _request("POST", f"/indexes/{_quote(name)}/rebuild", JobOut, repeatable=False)


def rollback(name: str) -> Call[JobOut]:
    """Start a job that makes the previous generation live again."""
    return _request("POST", f"/indexes/{_quote(name)}/rollback", JobOut, repeatable=False)


def jobs() -> Call[JobList]:
    """List the latest jobs."""
    return _request("GET", "/jobs", JobList)


def job(id: str) -> Call[JobOut]:
    """Return the state of a job."""
    return _request("GET", f"/jobs/{_quote(id)}", JobOut)


def cancel(id: str) -> Call[JobOut]:
    """Ask a job to stop."""
    return _request("DELETE", f"/jobs/{_quote(id)}", JobOut, repeatable=False)


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
    return _request("POST", "/feedback", FeedbackOut, json=body.model_dump(), params={"index": index}, repeatable=False)


def export_feedback(*, index: str = "default") -> Call[SquadOut]:
    """Return the labels from all feedback, in the SQuAD format."""
    return _request("GET", "/feedback/export", SquadOut, params={"index": index})


def health() -> Call[Health]:
    """Return that the server is alive, and its version."""
    return Call("GET", "/healthz", _parser(Health))


def ready() -> Call[Readiness]:
    """Return which models the server has loaded."""
    return Call("GET", "/readyz", _parser(Readiness))


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
    return _request("POST", "/query", QueryResponse, json={"question": question, **options})


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
    return _request("POST", "/query/batch", BatchResponse, json={"questions": list(questions), **options})


def describe(id: str, changes: Mapping[str, object], *, index: str = "default") -> Call[DocumentOut]:
    """Deprecated: use `update`."""
    return update(id, changes, index=index)


def _request(method: str, path: str, model: type[M], *, repeatable: bool = True, **options: Any) -> Call[M]:
    if not repeatable and method == "POST":
        # The server carries out requests with the same key once, however often they are sent.
        options["headers"] = {IDEMPOTENCY_KEY: uuid.uuid4().hex, **options.get("headers", {})}
        repeatable = True
    return Call(method, PREFIX + path, _parser(model), options, repeatable)


def _convert(call: Call[M], convert: Callable[[M], T]) -> Call[T]:
    return Call(call.method, call.path, lambda r: convert(call.parse(r)), call.options, call.repeatable)


def _parser(model: type[M]) -> Callable[[httpx2.Response], M]:
    return lambda response: model.model_validate_json(response.content)


def _body(document: Document) -> dict[str, Any]:
    return {name: getattr(document, name) for name in ("id", "text", "title", "uri", "meta")}


def _quote(id: str) -> str:
    try:
        return quote(id, safe="")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"the request cannot be encoded: {error}") from error
