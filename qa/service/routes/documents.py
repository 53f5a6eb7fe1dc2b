"""Documents: add, list, get, text, delete."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, cast

from fastapi import APIRouter, Body, Header, Query, Response, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse

from qa.errors import InvalidInput
from qa.indexing.ingestion import Ingestion, UploadSource
from qa.service import problems
from qa.service.dependencies import (
    REPEATABLE,
    WRITES,
    BeginDep,
    EngineDep,
    ExtractorDep,
    IndexDep,
    JobsDep,
    WritesDep,
)
from qa.service.job_responses import accepted
from qa.types import Description, Document
from qa.validation import MAX_DOCUMENTS, check_document
from qa.wire.convert import added_out, document_out, file_out, full_document
from qa.wire.documents import (
    MAX_WAITED_FOR,
    AddResponse,
    DocumentIn,
    DocumentList,
    DocumentOut,
    DocumentPatch,
    DocumentsIn,
    FullDocumentOut,
    UploadResponse,
)
from qa.wire.indexes import JobOut

router = APIRouter(prefix="/documents", tags=["documents"])

IfMatch = Annotated[str | None, Header(description="the `ETag` that the document must still have")]
_CONDITIONAL: dict[int | str, dict[str, Any]] = {412: problems.RESPONSES[409] | {"description": "Precondition Failed"}}


@router.post("", status_code=201, dependencies=[WRITES, REPEATABLE], responses=_CONDITIONAL)
def add(
    body: Annotated[DocumentsIn, Body()],
    engine: EngineDep,
    writes: WritesDep,
    index: IndexDep,
    if_match: IfMatch = None,
) -> AddResponse:
    """Add one document or a list of them, all or none. The same id replaces; the same content changes nothing."""
    only = _hashes(if_match)
    if if_match is not None and (only is None or isinstance(body, list)):
        raise InvalidInput("here it names what one document must be, neither any nor a list", field="If-Match")
    given = body if isinstance(body, list) else [body]
    if not 1 <= len(given) <= MAX_DOCUMENTS:
        raise InvalidInput(f"from 1 to {MAX_DOCUMENTS:,} documents, not {len(given):,}", field="body")
    documents = [_document(d, f"{place}." if isinstance(body, list) else "") for place, d in enumerate(given)]
    first: dict[str, int] = {}
    for place, document in enumerate(documents):
        if first.setdefault(document.id, place) != place:
            raise InvalidInput(f"id {document.id!r} occurs twice", field=f"{place}.id")
    with writes.of():
        added = engine.documents.add(documents, index=index, expected_hashes=only)
    return AddResponse(documents=[added_out(one) for one in added])


@router.post("/upload", dependencies=[WRITES, REPEATABLE], responses={202: {"model": JobOut}})
def upload(
    files: list[UploadFile],
    engine: EngineDep,
    writes: WritesDep,
    index: IndexDep,
    jobs: JobsDep,
    begin: BeginDep,
    extractor: ExtractorDep,
    prefer: Annotated[str, Header(description="`respond-async` for a job in any case, `wait` for none")] = "",
) -> UploadResponse:
    """Add files: text, Markdown, HTML, PDF, DOCX, and CSV or JSON lines with a document in each row.

    Each has a result of its own: one that cannot be read stops no other. A file of the same name replaces. More than
    5 MB together are taken in by a job, if nothing else is preferred.
    """
    engine.indexes.get(index)
    named = [(file.filename or "file", file.file) for file in files]
    large = sum(file.size or 0 for file in files) > MAX_WAITED_FOR
    if "respond-async" in prefer or (large and "wait" not in prefer):
        # A response of its own: the route's model is that of files which are in.
        return accepted(jobs.start("upload", index, len(named), begin, named))  # type: ignore[return-value]
    with writes.of():
        sources = [UploadSource(name, file.read) for name, file in named]
        report = Ingestion(engine.documents, extractor.extract, index).add(sources)
    return UploadResponse(files=[file_out(file) for file in report.files])


@router.get("")
def list_documents(
    engine: EngineDep,
    index: IndexDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> DocumentList:
    """List documents in the order of their ids."""
    found = engine.documents(index=index, after=_id_of(cursor), limit=limit + 1)
    more = len(found) > limit
    page = [document_out(info) for info in found[:limit]]
    return DocumentList(documents=page, next=_cursor_of(page[-1].id) if more else None)


@router.get("/{id}", response_model=FullDocumentOut, responses={304: {"description": "As `If-None-Match` has it"}})
def get(id: str, engine: EngineDep, index: IndexDep, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Return a document with its text."""
    document, info = engine.documents.get(id, index=index)
    headers = {"ETag": f'"{info.sha256}"'}
    if if_none_match is not None and info.sha256 in (_hashes(if_none_match) or {info.sha256}):
        return Response(status_code=304, headers=headers)
    return JSONResponse(full_document(document, info).model_dump(), headers=headers)


@router.get("/{id}/text", response_class=PlainTextResponse)
def get_text(id: str, engine: EngineDep, index: IndexDep) -> PlainTextResponse:
    """Return the text that offsets count in, as it was taken in."""
    return PlainTextResponse(engine.documents.get(id, index=index)[0].text)


@router.patch("/{id}", dependencies=[WRITES], responses=_CONDITIONAL)
def patch(
    id: str, body: DocumentPatch, engine: EngineDep, writes: WritesDep, index: IndexDep, if_match: IfMatch = None
) -> DocumentOut:
    """Change a document's title or metadata; metadata is replaced as a whole."""
    given = body.model_dump(include=body.model_fields_set)
    with writes.of():
        return document_out(engine.documents.update(id, cast(Description, given), index=index, expected_hashes=_hashes(if_match)))


@router.delete("/{id}", status_code=204, response_class=Response, dependencies=[WRITES], responses=_CONDITIONAL)
def delete(id: str, engine: EngineDep, index: IndexDep, if_match: IfMatch = None) -> Response:
    """Remove a document."""
    engine.documents.remove(id, index=index, expected_hashes=_hashes(if_match))
    return Response(status_code=204)


def _hashes(tags: str | None) -> frozenset[str] | None:
    """Return the content hashes that a list of entity tags names; None if there is none, or any will do."""
    if tags is None or tags.strip() == "*":
        return None
    return frozenset(tag.strip().removeprefix("W/").strip('"') for tag in tags.split(","))


def _document(given: DocumentIn, prefix: str) -> Document:
    return check_document(given.text, given.id, given.title, given.uri, given.meta, prefix)


def _cursor_of(id: str) -> str:
    return base64.urlsafe_b64encode(id.encode()).decode()


def _id_of(cursor: str | None) -> str | None:
    try:
        return None if cursor is None else base64.b64decode(cursor.encode(), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise InvalidInput("not a cursor that was given out", field="cursor") from None
