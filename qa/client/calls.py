"""The calls of the service: for each, what is sent and what comes back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel

from qa.wire.base import IDEMPOTENCY_KEY, PREFIX, Offset
from qa.wire.documents import AddResponse, DocumentIn, DocumentList, DocumentOut, FullDocumentOut, UploadResponse
from qa.wire.feedback import FeedbackIn, FeedbackOut, SquadOut
from qa.wire.indexes import IndexList, IndexOut, JobList, JobOut
from qa.wire.questions import BatchResponse, QueryResponse, SearchResponse
from qa.wire.state import Health, Readiness

# A large document takes minutes to embed.
ADDING_S = 600.0

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Call(Generic[T]):
    """One call: what is sent, and what comes back; `once` if it is another thing to do it twice."""

    method: str
    path: str
    parse: Callable[[httpx2.Response], T]
    options: dict[str, Any] = field(default_factory=dict)
    once: bool = False


def query(
    question: str,
    *,
    index: str = "default",
    top_k: int = 3,
    filters: Mapping[str, object] | None = None,
    min_confidence: float | None = None,
    include_passages: bool = False,
) -> Call[QueryResponse]:
    """Answer a question from the documents of an index."""
    options = _options(index, top_k, filters, min_confidence, include_passages=include_passages)
    return _sent("POST", "/query", QueryResponse, json={"question": question, **options})


def query_batch(
    questions: Sequence[str],
    *,
    index: str = "default",
    top_k: int = 3,
    filters: Mapping[str, object] | None = None,
    min_confidence: float | None = None,
    include_passages: bool = False,
) -> Call[BatchResponse]:
    """Answer up to 64 questions; each as if it were asked alone."""
    options = _options(index, top_k, filters, min_confidence, include_passages=include_passages)
    return _sent("POST", "/query/batch", BatchResponse, json={"questions": list(questions), **options})


def _options(
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


def read(question: str, text: str, *, top_k: int = 3, min_confidence: float | None = None) -> Call[QueryResponse]:
    """Answer a question from the text given with it."""
    body = {"question": question, "text": text, "top_k": top_k, "min_confidence": min_confidence}
    return _sent("POST", "/read", QueryResponse, json=body)


def search(
    question: str,
    *,
    index: str = "default",
    top_k: int = 10,
    filters: Mapping[str, object] | None = None,
    rerank: bool = False,
) -> Call[SearchResponse]:
    """Find the passages that most likely answer a question; `rerank` has the reader put the first ones in order."""
    body = {"question": question, "index": index, "top_k": top_k, "filters": dict(filters or {}), "rerank": rerank}
    return _sent("POST", "/search", SearchResponse, json=body)


def add(documents: Sequence[DocumentIn], *, index: str = "default") -> Call[AddResponse]:
    """Add documents, all or none."""
    body = [document.model_dump() for document in documents]
    return _sent("POST", "/documents", AddResponse, once=True, json=body, params={"index": index}, timeout=ADDING_S)


def upload(files: Sequence[Path], *, index: str = "default") -> Call[UploadResponse]:
    """Add files of any format that the service reads; each has a result of its own."""
    return _uploaded(files, index, UploadResponse, "wait")


def upload_later(files: Sequence[Path], *, index: str = "default") -> Call[JobOut]:
    """Send files, for a job to take them in; it has their results once it is done."""
    return _uploaded(files, index, JobOut, "respond-async")


def _uploaded(files: Sequence[Path], index: str, model: type[M], preferred: str) -> Call[M]:
    sent = [("files", (path.name, path.read_bytes())) for path in files]
    options = {"files": sent, "params": {"index": index}, "headers": {"Prefer": preferred}, "timeout": ADDING_S}
    return _sent("POST", "/documents/upload", model, once=True, **options)


def documents(*, index: str = "default", limit: int = 100, cursor: str | None = None) -> Call[DocumentList]:
    """List documents in the order of their ids; `cursor` is the `next` of the page before."""
    params = {"index": index, "limit": limit, **({"cursor": cursor} if cursor else {})}
    return _sent("GET", "/documents", DocumentList, params=params)


def document(id: str, *, index: str = "default") -> Call[FullDocumentOut]:
    """Return a document with its text."""
    return _sent("GET", f"/documents/{_quoted(id)}", FullDocumentOut, params={"index": index})


def text(id: str, *, index: str = "default") -> Call[str]:
    """Return the text that offsets count in."""
    path = f"{PREFIX}/documents/{_quoted(id)}/text"
    return Call("GET", path, lambda response: response.text, {"params": {"index": index}})


def describe(id: str, changes: Mapping[str, object], *, index: str = "default") -> Call[DocumentOut]:
    """Change a document's title or metadata."""
    return _sent("PATCH", f"/documents/{_quoted(id)}", DocumentOut, json=dict(changes), params={"index": index})


def remove(id: str, *, index: str = "default") -> Call[None]:
    """Remove a document."""
    path = f"{PREFIX}/documents/{_quoted(id)}"
    return Call("DELETE", path, lambda _: None, {"params": {"index": index}}, once=True)


def indexes() -> Call[IndexList]:
    """List the indexes."""
    return _sent("GET", "/indexes", IndexList)


def index(name: str) -> Call[IndexOut]:
    """Describe an index."""
    return _sent("GET", f"/indexes/{_quoted(name)}", IndexOut)


def create_index(name: str) -> Call[IndexOut]:
    """Make an index, empty; one that is there stays as it is."""
    return _sent("PUT", f"/indexes/{_quoted(name)}", IndexOut)


def delete_index(name: str) -> Call[None]:
    """Delete an index with all its documents."""
    return Call("DELETE", f"{PREFIX}/indexes/{_quoted(name)}", lambda _: None, once=True)


def rebuild(name: str) -> Call[JobOut]:
    """Split and embed all documents of an index anew, aside."""
    return _sent("POST", f"/indexes/{_quoted(name)}/rebuild", JobOut, once=True)


def rollback(name: str) -> Call[JobOut]:
    """Let the generation before answer again."""
    return _sent("POST", f"/indexes/{_quoted(name)}/rollback", JobOut, once=True)


def jobs() -> Call[JobList]:
    """List the last jobs."""
    return _sent("GET", "/jobs", JobList)


def job(id: str) -> Call[JobOut]:
    """Tell how a job stands."""
    return _sent("GET", f"/jobs/{_quoted(id)}", JobOut)


def cancel(id: str) -> Call[JobOut]:
    """Ask a job to stop."""
    return _sent("DELETE", f"/jobs/{_quoted(id)}", JobOut, once=True)


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
    """Tell that an answer is right or wrong, which span would be right, or that the document does not say."""
    body = FeedbackIn(
        question=question,
        document_id=document_id,
        verdict=verdict,
        document_offset=offset,
        comment=comment,
        query_id=query_id,
    )
    return _sent("POST", "/feedback", FeedbackOut, json=body.model_dump(), params={"index": index}, once=True)


def export_feedback(*, index: str = "default") -> Call[SquadOut]:
    """Return the labels that follow from all feedback, in the layout of SQuAD."""
    return _sent("GET", "/feedback/export", SquadOut, params={"index": index})


def health() -> Call[Health]:
    """Tell that the server is alive."""
    return Call("GET", "/healthz", _parsed(Health))


def ready() -> Call[Readiness]:
    """Tell which models the server has loaded."""
    return Call("GET", "/readyz", _parsed(Readiness))


def _sent(method: str, path: str, model: type[M], *, once: bool = False, **options: Any) -> Call[M]:
    if once and method == "POST":
        # With it the server does it once, however often it is sent.
        options["headers"] = {IDEMPOTENCY_KEY: uuid.uuid4().hex, **options.get("headers", {})}
        once = False
    return Call(method, PREFIX + path, _parsed(model), options, once)


def _parsed(model: type[M]) -> Callable[[httpx2.Response], M]:
    return lambda response: model.model_validate_json(response.content)


def _quoted(id: str) -> str:
    return quote(id, safe="")
