"""The original files of documents, and pictures of their pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import StreamingResponse

from qa.errors import InvalidInput
from qa.indexing.indexer import kept_file
from qa.service import problems
from qa.service.dependencies import IndexDep, ServicesDep
from qa.service.downloads import OTHER, content_headers, parse_range
from qa.service.etags import matches
from qa.text.boxes import rectangles_of
from qa.types import Document, Rectangle, Span

router = APIRouter(prefix="/documents", tags=["documents"])

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "Not Modified"}}
# `image/*` and so on: the file has its own type, if that is one of the types that browsers only show.
_ANY = {OTHER: _BYTES, "application/*": _BYTES, "image/*": _BYTES, "text/*": _BYTES, "message/*": _BYTES}
_FILE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": _ANY},
    206: {"content": _ANY, "description": "Partial Content"},
    416: problems.RESPONSES[409] | {"description": "Range Not Satisfiable"},
    **_NOT_MODIFIED,
}
_MAX_HIGHLIGHTS = 20
_HIGHLIGHT = re.compile(r"(\d{1,9})-(\d{1,9})", re.ASCII)

IfNoneMatch = Annotated[str | None, Header(description="the `ETag` from the last response; 304 if nothing changed")]


@router.get("/{id}/file", response_class=Response, responses=_FILE_RESPONSES)
def get_file(
    id: str,
    services: ServicesDep,
    index: IndexDep,
    if_none_match: IfNoneMatch = None,
    if_range: Annotated[str | None, Header(description="`Range` counts only if this is still the `ETag`")] = None,
    byte_range: Annotated[str | None, Header(alias="Range", description="such as `bytes=0-999`")] = None,
) -> Response:
    """Return the original file of a document, if it is kept."""
    file = kept_file(services.engine.documents.info(id, index=index))
    etag = f'"{file.sha256}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Accept-Ranges": "bytes"}
    if matches(if_none_match, file.sha256):
        return Response(status_code=304, headers=headers)
    part = parse_range(byte_range, file.size) if if_range in (None, etag) else None
    span = part or Span(0, file.size)
    headers |= {**content_headers(file), "Content-Length": str(len(span))}
    if part:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{file.size}"
    parts = services.engine.indexes.get(index).file_parts(file, span.start, span.end)
    return StreamingResponse(parts, 206 if part else 200, headers)


@router.get(
    "/{id}/pages/{n}.png", response_class=Response, responses={200: {"content": {"image/png": _BYTES}}, **_NOT_MODIFIED}
)
def get_page(
    id: str,
    n: Annotated[int, Path(ge=1, le=1_000_000, description="number of the page, from 1")],
    services: ServicesDep,
    index: IndexDep,
    highlight: Annotated[
        list[str],
        Query(
            description="`start-end`: code points of the document to highlight; repeat for several",
            max_length=_MAX_HIGHLIGHTS,
        ),
    ] = [],  # noqa: B006 - FastAPI copies it
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return a picture of a page of a PDF or of a scanned picture, with the highlighted text marked."""
    documents = services.engine.documents
    document, info = documents.get(id, index=index)
    file = kept_file(info)
    rectangles = [r for r in _find_rectangles(document, highlight) if r.page == n]
    headers = {"ETag": f'"{info.sha256}"', "Cache-Control": "private, no-cache"}
    if matches(if_none_match, info.sha256):
        return Response(status_code=304, headers=headers)
    with services.pages.admit():
        data = documents.file(id, index=index).data or b""
        picture = services.extractor.render_page(data, file.name, n, rectangles)
    return Response(picture, media_type="image/png", headers=headers)


def _find_rectangles(document: Document, highlights: Sequence[str]) -> Iterator[Rectangle]:
    """Yield the rectangles of the spans that highlights name."""
    for highlight in highlights:
        match = _HIGHLIGHT.fullmatch(highlight)
        if not match or not int(match[1]) < int(match[2]) <= len(document.text):
            raise InvalidInput(
                f"highlight {highlight!r} is not start-end with start < end <= {len(document.text):,}; send code points"
                " of the document",
                field="highlight",
            )
        yield from rectangles_of(document.boxes, Span(int(match[1]), int(match[2])))
