"""The calls about documents: for each, the request to send and how to parse the response."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import httpx2
from pydantic import BaseModel

from qa.client.requests import Call, build_call, convert_call, quote_id
from qa.reports import AddedDocument
from qa.types import Document, SourceFile, Span
from qa.wire.base import PREFIX
from qa.wire.convert import added_document
from qa.wire.documents import AddResponse, DocumentIn, DocumentList, DocumentOut, FullDocumentOut, UploadResponse
from qa.wire.indexes import JobOut

M = TypeVar("M", bound=BaseModel)

# Embedding a large document takes minutes.
ADD_TIMEOUT_S = 600.0
_FILE_NAME = re.compile(r"filename\*=UTF-8''([^;]+)")


def add(documents: Sequence[Document | DocumentIn], *, index: str = "default") -> Call[list[AddedDocument]]:
    """Add or replace documents, all or none; the next question finds them."""
    body = [document.model_dump() if isinstance(document, DocumentIn) else _body(document) for document in documents]
    options = {"json": body, "params": {"index": index}, "timeout": ADD_TIMEOUT_S}
    response = build_call("POST", "/documents", AddResponse, repeatable=False, **options)
    return convert_call(response, lambda added: [added_document(document) for document in added.documents])


def upload(
    files: Sequence[Path],
    *,
    index: str = "default",
    text_column: str | None = None,
    title_column: str | None = None,
    id_column: str | None = None,
) -> Call[UploadResponse]:
    """Send files and wait until they are in the index; each has its own result.

    Args:
        files: the files.
        index: name of the index.
        text_column: column of a table that holds the text; None for `text`, or for all columns without one.
        title_column: column that holds the title; None for `title`.
        id_column: column that holds the document's id; None for `id`.
    """
    columns = {"text_column": text_column, "title_column": title_column, "id_column": id_column}
    return _upload(files, index, columns, UploadResponse, "wait")


def upload_later(
    files: Sequence[Path],
    *,
    index: str = "default",
    text_column: str | None = None,
    title_column: str | None = None,
    id_column: str | None = None,
) -> Call[JobOut]:
    """Send files and return the job that adds them; when it is done, it has their results.

    The arguments are those of `upload`.
    """
    columns = {"text_column": text_column, "title_column": title_column, "id_column": id_column}
    return _upload(files, index, columns, JobOut, "respond-async")


def _upload(
    files: Sequence[Path], index: str, columns: Mapping[str, str | None], model: type[M], preference: str
) -> Call[M]:
    options = {
        "files": [("files", (path.name, path.read_bytes())) for path in files],
        "data": {name: column for name, column in columns.items() if column is not None},
        "params": {"index": index},
        "headers": {"Prefer": preference},
        "timeout": ADD_TIMEOUT_S,
    }
    return build_call("POST", "/documents/upload", model, repeatable=False, **options)


def documents(
    *, index: str = "default", limit: int = 100, cursor: str | None = None, query: str | None = None
) -> Call[DocumentList]:
    """Return a page of documents, sorted by id.

    Args:
        index: name of the index.
        limit: maximum number of documents.
        cursor: the `next` of the previous page.
        query: return only documents whose title, file name or id contains this, in any case.
    """
    params = {"index": index, "limit": limit, "cursor": cursor, "q": query}
    params = {name: value for name, value in params.items() if value is not None}
    return build_call("GET", "/documents", DocumentList, params=params)


def document(id: str, *, index: str = "default") -> Call[FullDocumentOut]:
    """Return a document with its text."""
    return build_call("GET", f"/documents/{quote_id(id)}", FullDocumentOut, params={"index": index})


def text(id: str, *, index: str = "default") -> Call[str]:
    """Return the text that the offsets of answers refer to."""
    path = f"{PREFIX}/documents/{quote_id(id)}/text"
    return Call("GET", path, lambda response: response.text, {"params": {"index": index}})


def file(id: str, *, index: str = "default") -> Call[SourceFile]:
    """Return the original file of a document, with its data."""
    path = f"{PREFIX}/documents/{quote_id(id)}/file"
    return Call("GET", path, _parse_file, {"params": {"index": index}, "timeout": ADD_TIMEOUT_S})


def page_image(id: str, page: int, *, highlight: Sequence[Span] = (), index: str = "default") -> Call[bytes]:
    """Return a picture of a page as PNG.

    Args:
        id: of a document whose file is a PDF or a picture.
        page: number of the page, from 1.
        highlight: spans of the document's text to highlight, such as `[answer.span]`.
        index: name of the index.
    """
    params = {"index": index, "highlight": [f"{span.start}-{span.end}" for span in highlight]}
    path = f"{PREFIX}/documents/{quote_id(id)}/pages/{page}.png"
    return Call("GET", path, lambda response: response.content, {"params": params, "timeout": ADD_TIMEOUT_S})


def update(id: str, changes: Mapping[str, object], *, index: str = "default") -> Call[DocumentOut]:
    """Change a document's title or metadata."""
    return build_call("PATCH", f"/documents/{quote_id(id)}", DocumentOut, json=dict(changes), params={"index": index})


def remove(id: str, *, index: str = "default") -> Call[None]:
    """Remove a document."""
    path = f"{PREFIX}/documents/{quote_id(id)}"
    return Call("DELETE", path, lambda _: None, {"params": {"index": index}}, repeatable=False)


def describe(id: str, changes: Mapping[str, object], *, index: str = "default") -> Call[DocumentOut]:
    """Deprecated: use `update`."""
    return update(id, changes, index=index)


def _body(document: Document) -> dict[str, Any]:
    return {name: getattr(document, name) for name in ("id", "text", "title", "uri", "meta")}


def _parse_file(response: httpx2.Response) -> SourceFile:
    """Return the file in a response, whose headers have its name, media type and hash."""
    headers = response.headers
    # RFC 5987; the server always sends this form of the name.
    name = _FILE_NAME.search(headers.get("Content-Disposition", ""))
    return SourceFile(
        name=unquote(name[1]) if name else "file",
        media_type=headers.get("Content-Type", "application/octet-stream"),
        sha256=headers.get("ETag", "").strip('"'),
        size=len(response.content),
        data=response.content,
    )
