"""Documents and uploads."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Discriminator, Field, StrictStr, Tag

from qa.types import Change
from qa.validation import MAX_DOCUMENTS, MAX_ID, MAX_META_FIELDS, MAX_TEXT, MAX_TITLE, MAX_URI
from qa.wire.base import Request

Title = Annotated[StrictStr, Field(json_schema_extra={"maxLength": MAX_TITLE})]
_VALUES = {"anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "null")]}
Meta = Annotated[
    dict[str, Any], Field(json_schema_extra={"additionalProperties": _VALUES, "maxProperties": MAX_META_FIELDS})
]


class DocumentIn(Request):
    """A document to add."""

    text: StrictStr = Field(json_schema_extra={"pattern": r"\S", "maxLength": MAX_TEXT})
    id: Annotated[StrictStr, Field(json_schema_extra={"pattern": r"^[^/\\]+$", "maxLength": MAX_ID})] | None = None
    title: Title | None = None
    uri: Annotated[StrictStr, Field(json_schema_extra={"maxLength": MAX_URI})] | None = None
    meta: Meta = Field(default_factory=dict)


class DocumentPatch(Request):
    """The fields of a document to change; a field that is left out keeps its value."""

    title: Title | None = None
    meta: Meta = Field(default_factory=dict)


# The discriminator makes a validation error name the field of the form that the client sent.
ONE, MANY = "one document", "list of documents"
DocumentsIn = Annotated[
    Annotated[DocumentIn, Tag(ONE)]
    | Annotated[list[DocumentIn], Field(json_schema_extra={"minItems": 1, "maxItems": MAX_DOCUMENTS}), Tag(MANY)],
    Discriminator(lambda body: MANY if isinstance(body, list) else ONE),
]


class UnreadOut(BaseModel):
    """A part of a file that could not be read; `page` (from 1) is null if it is not on one page."""

    page: int | None
    reason: str


class AddedOut(BaseModel):
    """The outcome of adding a document: created, replaced or unchanged."""

    id: str
    status: Change
    passages: int
    characters: int
    unread: list[UnreadOut] = []
    ocr_pages: list[int] = Field([], description="pages with text that was recognised in a picture")


class AddResponse(BaseModel):
    """One outcome for each document, in order. The documents are on disk, and the next question finds them."""

    documents: list[AddedOut]


MAX_QUERY = 1_000
"""Maximum length of a text to find in titles and file names, in characters."""

MAX_SYNCHRONOUS_BYTES = 5_000_000
"""Maximum total bytes of an upload that is added before the response; larger ones take minutes, so a job adds them."""


class UploadedOut(BaseModel):
    """The outcome of adding a file: its documents, or an error; `unread` is what could not be read in any of them."""

    file: str
    documents: list[AddedOut]
    error: str | None
    unread: list[UnreadOut] = []


class UploadResponse(BaseModel):
    """One outcome for each file, in order."""

    files: list[UploadedOut]


class FileOut(BaseModel):
    """The original file of a document; `size` is in bytes."""

    name: str
    media_type: str
    size: int


class DocumentOut(BaseModel):
    """A document without its text; `file` is null if its original file is not kept."""

    id: str
    title: str | None
    uri: str | None
    meta: dict[str, Any]
    characters: int
    passages: int
    sha256: str
    added_at: str
    revision: int
    unread: list[UnreadOut]
    file: FileOut | None


class FullDocumentOut(DocumentOut):
    """A document with its text."""

    text: str


class DocumentList(BaseModel):
    """A page of documents; `next` is the cursor of the following page, null on the last."""

    documents: list[DocumentOut]
    next: str | None
