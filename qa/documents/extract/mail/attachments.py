"""Attachments of a mail: each is a separate document, or the mail reports why it could not be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from qa.documents.extract.text_builder import ExtractedText
from qa.documents.source_files import source_file
from qa.errors import InvalidInput, QAError
from qa.types import Meta, Unread
from qa.validation import MAX_META_FIELDS, MAX_META_VALUE, check_meta, check_text

ExtractPart = Callable[[bytes, str], list[ExtractedText]]
"""Extracts the documents of a file inside another file, given its bytes and name; raises QAError."""

MAX_DEPTH = 3
"""How many mails may be attached inside each other."""

_MAX_ATTACHMENTS = 100
# In bytes, of all attachments of a mail.
_MAX_BYTES = 100_000_000
_MAX_REASONS = 20
# Characters of a document's part, which is in its id, and of an attachment's name.
_MAX_PART, _MAX_NAME = 60, 200


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file or mail that is attached to a mail.

    Attributes:
        name: its file name.
        data: its bytes; empty for a mail that is stored in parts.
        extract: extracts its documents; raises QAError.
    """

    name: str
    data: bytes
    extract: Callable[[], list[ExtractedText]]


def attached_file(data: bytes, name: str, extract_part: ExtractPart) -> Attachment:
    """Return an attachment whose documents are those of a file."""
    return Attachment(name, data, partial(extract_part, data, name))


def attachment_name(name: str | None, default: str) -> str:
    """Return an attachment's name without folders and line breaks, or a default name."""
    name = " ".join(re.split(r"[/\\]", name or "")[-1].split())
    stem, dot, suffix = name.rpartition(".")
    if len(name) > _MAX_NAME:
        name = f"{stem[: _MAX_NAME - 10]}{dot}{suffix[-9:]}"
    return name or default


def extract_attachments(
    attachments: Sequence[Attachment], attached_to: str | None
) -> tuple[list[ExtractedText], list[Unread]]:
    """Return the documents of attachments, and what could not be read of them.

    Args:
        attachments: the attachments of one mail.
        attached_to: the mail's subject.
    """
    documents: list[ExtractedText] = []
    unread: list[Unread] = []
    size, parts = 0, set[str]()
    for attachment in attachments[:_MAX_ATTACHMENTS]:
        size += len(attachment.data)
        if size > _MAX_BYTES:
            reasons = [f"the attachments have over {_MAX_BYTES:,} bytes together; add the file itself"]
        else:
            texts, reasons = _extract(attachment, attached_to)
            documents += [_describe(text, attachment, parts) for text in texts]
        unread += [Unread(None, f"attachment {attachment.name}: {reason}") for reason in reasons]
    more = len(attachments) - _MAX_ATTACHMENTS
    if more > 0:
        unread.append(Unread(None, f"{more} more attachments, over the limit of {_MAX_ATTACHMENTS}; add the files"))
    return documents, unread


def require_text(documents: Sequence[ExtractedText], name: str) -> list[ExtractedText]:
    """Return the documents of a mail, without the mail itself if it has no text; its attachments then report for it.

    Args:
        documents: the mail, whose text may be blank, and its attachments.
        name: the file's name in errors.

    Raises:
        InvalidInput: nothing has text; the message says what the mail has.
    """
    main, *attached = documents
    if main.text.strip():
        return [main, *attached]
    if not attached:
        reasons = "; ".join(part.reason for part in main.unread) or "the mail has no text"
        raise InvalidInput(f"{name}: {reasons}", field=name)
    return [replace(attached[0], unread=(*attached[0].unread, *main.unread)), *attached[1:]]


def _extract(attachment: Attachment, attached_to: str | None) -> tuple[list[ExtractedText], list[str]]:
    """Return the texts of an attachment and the reasons for what has no text."""
    try:
        texts = attachment.extract()
    except QAError as error:
        return [], [error.message.removeprefix(f"{attachment.name}: ")]
    documents, reasons = [], dict[str, None]()
    for text in texts:
        try:
            check_text(text.text)
            meta = check_meta(_add_subject(text.meta, attached_to))
            documents.append(replace(text, meta=meta))
        except InvalidInput as error:
            # A document without text is explained by what could not be read.
            reasons |= dict.fromkeys([part.reason for part in text.unread] or [error.message])
    return documents, list(reasons)[:_MAX_REASONS]


def _add_subject(meta: Meta, attached_to: str | None) -> Meta:
    """Return metadata with the subject of the mail, unless it has all fields that are allowed."""
    if not attached_to or len(meta) >= MAX_META_FIELDS:
        return meta
    return {**meta, "attached_to": attached_to[:MAX_META_VALUE]}


def _describe(text: ExtractedText, attachment: Attachment, parts: set[str]) -> ExtractedText:
    """Return the document of an attachment with its part, title and original file; add the part to `parts`."""
    inner = text.part or (None if text.row is None else str(text.row))
    part = "-".join(filter(None, (_shorten(attachment.name), inner and _shorten(inner))))
    part = _make_unique(part, parts)
    file = text.file or (source_file(attachment.data, attachment.name) if attachment.data else None)
    # The id of a row is unique in its file only.
    return replace(text, id=None, title=text.title or attachment.name, part=part, file=file)


def _make_unique(part: str, parts: set[str]) -> str:
    """Return a part, numbered if `parts` has it already; add the result to `parts`."""
    unique, number = part, 1
    while unique in parts:
        number += 1
        unique = f"{part}-{number}"
    parts.add(unique)
    return unique


def _shorten(name: str) -> str:
    """Return a name that fits into an id and an address, with its suffix."""
    name = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "file"
    stem, dot, suffix = name.rpartition(".")
    return name if len(name) <= _MAX_PART else f"{stem[: _MAX_PART - 10]}{dot}{suffix[-9:]}"
