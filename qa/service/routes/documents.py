"""Documents: add, upload, list, get, change, remove."""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict
from typing import Annotated, Any, cast

from fastapi import APIRouter, Body, Depends, Form, Header, Query, Response, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse

from qa.documents.extract.tables.columns import Columns
from qa.errors import InvalidInput
from qa.index.registry import DEFAULT_INDEX
from qa.indexing.ingestion import Ingestion, UploadSource
from qa.service import problems
from qa.service.dependencies import IDEMPOTENT, WRITES, CallerDep, IndexDep, ServicesDep
from qa.service.etags import matches, parse_etags
from qa.service.job_responses import accepted
from qa.types import Description, Document
from qa.validation import MAX_DOCUMENTS, new_document
from qa.wire.convert import added_out, document_out, file_out, full_document
from qa.wire.documents import (
    MAX_QUERY,
    MAX_SYNCHRONOUS_BYTES,
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

IfMatch = Annotated[
    str | None, Header(description="the `ETag` from the last read; 412 if the document has changed since")
]
_CONDITIONAL: dict[int | str, dict[str, Any]] = {412: problems.RESPONSES[409] | {"description": "Precondition Failed"}}


@router.post("", status_code=201, dependencies=[WRITES, IDEMPOTENT], responses=_CONDITIONAL)
def add(
    body: Annotated[DocumentsIn, Body()],
    services: ServicesDep,
    index: IndexDep,
    if_match: IfMatch = None,
) -> AddResponse:
    """Add one document or a list of documents, all or none.

    A document replaces the one with the same id. A document that is already stored is left unchanged.
    """
    expected_hashes = parse_etags(if_match)
    if if_match is not None and (expected_hashes is None or isinstance(body, list)):
        raise InvalidInput("If-Match needs an `ETag`, and a body with one document, not a list", field="If-Match")
    inputs = body if isinstance(body, list) else [body]
    if not 1 <= len(inputs) <= MAX_DOCUMENTS:
        raise InvalidInput(
            f"the list must have from 1 to {MAX_DOCUMENTS:,} documents, got {len(inputs):,}", field="body"
        )
    documents = [
        _new_document(document, f"{n}." if isinstance(body, list) else "") for n, document in enumerate(inputs)
    ]
    first_position: dict[str, int] = {}
    for n, document in enumerate(documents):
        if first_position.setdefault(document.id, n) != n:
            raise InvalidInput(f"id {document.id!r} occurs twice; ids must be unique", field=f"{n}.id")
    with services.writes.admit():
        added = services.engine.documents.add(documents, index=index, expected_hashes=expected_hashes)
    return AddResponse(documents=[added_out(document) for document in added])


def _upload_index(
    caller: CallerDep,
    query: Annotated[str | None, Query(alias="index", description="name of the index")] = None,
    form: Annotated[str | None, Form(alias="index", description="the same as a field of the form")] = None,
) -> str:
    if query is not None and form is not None and query != form:
        raise InvalidInput(f"index is {query!r} in the address and {form!r} in the form; send one", field="index")
    index = query or form or DEFAULT_INDEX
    caller.check_index(index)
    return index


def _upload_columns(
    text_column: Annotated[str | None, Form(description="column of a table that holds the text")] = None,
    title_column: Annotated[str | None, Form(description="column that holds the title")] = None,
    id_column: Annotated[str | None, Form(description="column that holds the document's id")] = None,
) -> Columns:
    return Columns(text_column, title_column, id_column)


@router.post("/upload", dependencies=[WRITES, IDEMPOTENT], responses={202: {"model": JobOut}})
def upload(
    files: list[UploadFile],
    services: ServicesDep,
    index: Annotated[str, Depends(_upload_index)],
    columns: Annotated[Columns, Depends(_upload_columns)],
    prefer: Annotated[str, Header(description="`respond-async` always starts a job, `wait` never does")] = "",
) -> UploadResponse:
    """Add files of any supported format; a table has a document in each row.

    Each file has its own result, which lists what could not be read in it; a file that cannot be read at all does not
    stop the others. A file replaces the one with the same name. If the files exceed 5 MB together, a job adds them,
    unless `Prefer` says otherwise.
    """
    services.engine.indexes.get(index)
    uploads = [(file.filename or "file", file.file) for file in files]
    is_large = sum(file.size or 0 for file in files) > MAX_SYNCHRONOUS_BYTES
    if "respond-async" in prefer or (is_large and "wait" not in prefer):
        # Not the model of the route, which describes files that were added.
        job = services.jobs.start("upload", index, len(uploads), services.start_job, uploads, asdict(columns))
        return accepted(job)  # type: ignore[return-value]
    with services.writes.admit():
        sources = [UploadSource(name, file.read, columns) for name, file in uploads]
        report = Ingestion(services.engine.documents, services.extractor.extract, index).add(sources)
    return UploadResponse(files=[file_out(file) for file in report.files])


@router.get("")
def list_documents(
    services: ServicesDep,
    index: IndexDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(description="`next` of the previous page")] = None,
    q: Annotated[
        str | None, Query(description="part of a title, file name or id, in any case", max_length=MAX_QUERY)
    ] = None,
) -> DocumentList:
    """List documents, sorted by id; with `q`, only those whose title, file name or id contains it."""
    infos = services.engine.documents(index=index, after=_decode_cursor(cursor), limit=limit + 1, query=q)
    page = [document_out(info) for info in infos[:limit]]
    return DocumentList(documents=page, next=_encode_cursor(page[-1].id) if len(infos) > limit else None)


@router.get("/{id}", response_model=FullDocumentOut, responses={304: {"description": "Not Modified"}})
def get(
    id: str, services: ServicesDep, index: IndexDep, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Return a document with its text."""
    document, info = services.engine.documents.get(id, index=index)
    headers = {"ETag": f'"{info.sha256}"'}
    if matches(if_none_match, info.sha256):
        return Response(status_code=304, headers=headers)
    return JSONResponse(full_document(document, info).model_dump(), headers=headers)


@router.get("/{id}/text", response_class=PlainTextResponse)
def get_text(id: str, services: ServicesDep, index: IndexDep) -> PlainTextResponse:
    """Return the stored text of a document; all offsets count its characters."""
    return PlainTextResponse(services.engine.documents.get(id, index=index)[0].text)


@router.patch("/{id}", dependencies=[WRITES], responses=_CONDITIONAL)
def patch(
    id: str, body: DocumentPatch, services: ServicesDep, index: IndexDep, if_match: IfMatch = None
) -> DocumentOut:
    """Change a document's title or metadata; new metadata replaces all of the old."""
    description = cast(Description, body.model_dump(include=body.model_fields_set))
    with services.writes.admit():
        return document_out(
            services.engine.documents.update(id, description, index=index, expected_hashes=parse_etags(if_match))
        )


@router.delete("/{id}", status_code=204, response_class=Response, dependencies=[WRITES], responses=_CONDITIONAL)
def delete(id: str, services: ServicesDep, index: IndexDep, if_match: IfMatch = None) -> Response:
    """Remove a document."""
    services.engine.documents.remove(id, index=index, expected_hashes=parse_etags(if_match))
    return Response(status_code=204)


def _new_document(document: DocumentIn, prefix: str) -> Document:
    return new_document(document.text, document.id, document.title, document.uri, document.meta, prefix)


def _encode_cursor(id: str) -> str:
    return base64.urlsafe_b64encode(id.encode()).decode()


def _decode_cursor(cursor: str | None) -> str | None:
    try:
        return None if cursor is None else base64.b64decode(cursor.encode(), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise InvalidInput("invalid cursor; send the `next` of the previous page", field="cursor") from None
