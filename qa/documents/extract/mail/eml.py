"""Mails (EML) and mailboxes (MBOX): the text of each message; attachments are separate documents.

Quoted replies and signatures stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from functools import partial

from qa.documents.extract.joining import join_texts
from qa.documents.extract.mail.attachments import (
    MAX_DEPTH,
    Attachment,
    ExtractPart,
    attached_file,
    extract_attachments,
    require_text,
)
from qa.documents.extract.mail.mime import attached_message, parse_message, read_content, read_header, read_payload
from qa.documents.extract.mail.text import format_date
from qa.documents.extract.text_builder import ExtractedText, clean_properties
from qa.errors import InvalidInput, TooLarge, UnsupportedFormat
from qa.types import Meta, Unread

_MAX_MESSAGES = 10_000
_SEPARATOR = re.compile(rb"^From [^\r\n]*\r?\n(?P<header>>?[!-9;-~]+:)?", re.MULTILINE)
_DATE = re.compile(rb" (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? .{0,20}\d{1,2}:\d\d.{0,20}\b\d{4}\b")
_QUOTED_SEPARATOR = re.compile(rb"^>(>*From )", re.MULTILINE)
_WEB_ARCHIVE = "saved web page (MHTML web archive), which is not supported; save the page as HTML or PDF"
_SAVED_BY = re.compile(r"<?saved by ", re.IGNORECASE)


def extract_eml(data: bytes, name: str, extract_part: ExtractPart) -> list[ExtractedText]:
    """Extract a mail and its attachments.

    Args:
        data: the mail.
        name: its file name in errors.
        extract_part: extracts attached files.

    Raises:
        InvalidInput: the file is not a mail, or has nothing that can be read; the message says what it has.
        UnsupportedFormat: the file is a saved web page.
    """
    message = parse_message(data.lstrip(b"\xef\xbb\xbf\r\n\t "), name)
    if _is_web_archive(message, name):
        raise UnsupportedFormat(f"{name}: {_WEB_ARCHIVE}", field=name)
    return require_text(_extract_message(message, name, extract_part), name)


def extract_mbox(data: bytes, name: str, extract_part: ExtractPart) -> list[ExtractedText]:
    """Extract the messages of a mailbox and their attachments; `part` begins with the number of the message.

    Args:
        data: the mailbox.
        name: its file name in errors.
        extract_part: extracts attached files.

    Raises:
        InvalidInput: the file is not a mailbox, or has nothing that can be read.
        TooLarge: the mailbox has too many messages.
    """
    documents: list[ExtractedText] = []
    unread: list[Unread] = []
    for number, source in enumerate(_split_mailbox(data), 1):
        if number > _MAX_MESSAGES:
            raise TooLarge(f"{name}: over {_MAX_MESSAGES:,} messages; split the mailbox", field=name)
        try:
            main, *attached = _extract_message(parse_message(source, name), name, extract_part)
        except InvalidInput as error:
            unread.append(Unread(None, f"message {number}: {error.message.removeprefix(f'{name}: ')}"))
            continue
        if main.text.strip():
            documents.append(replace(main, part=str(number)))
        else:
            unread += [Unread(None, f"message {number}: {part.reason}") for part in main.unread]
        documents += [replace(text, part=f"{number}-{text.part}") for text in attached]
    if not documents:
        reasons = "; ".join(part.reason for part in unread[:3]) or "not a mailbox (MBOX), or without text"
        raise InvalidInput(f"{name}: {reasons}", field=name)
    return [replace(documents[0], unread=(*documents[0].unread, *unread)), *documents[1:]]


def _split_mailbox(data: bytes) -> Iterator[bytes]:
    """Yield the messages of a mailbox.

    A separator has a date or is before a header; inside the mailbox it is after a blank line, or has both.
    """
    start: int | None = None
    for match in _SEPARATOR.finditer(data):
        before = data[max(0, match.start() - 4) : match.start()]
        signs = sum(
            (
                bool(match["header"]),
                bool(_DATE.search(match[0])),
                not before.strip(b"\r\n") or before.endswith((b"\n\n", b"\n\r\n")),
            )
        )
        if signs >= 2:
            if start is not None:
                yield _QUOTED_SEPARATOR.sub(rb"\1", data[start : match.start()])
            start = match.start("header") if match["header"] else match.end()
    if start is not None:
        yield _QUOTED_SEPARATOR.sub(rb"\1", data[start:])


def _is_web_archive(message: Message, name: str) -> bool:
    if name.casefold().endswith((".mht", ".mhtml")) or message.get("Snapshot-Content-Location"):
        return True
    return message.get_content_maintype() == "multipart" and bool(_SAVED_BY.match(read_header(message, "from")))


def _extract_message(message: Message, name: str, extract_part: ExtractPart, depth: int = 1) -> list[ExtractedText]:
    """Return a message's document, whose text may be blank, and those of its attachments."""
    content = read_content(message, name)
    subject = read_header(message, "subject")
    attachments = [_attachment(part, file, extract_part, depth) for file, part in content.attachments]
    documents, unread = extract_attachments(attachments, subject or None)
    text = join_texts(content.bodies)
    reasons = [Unread(None, reason) for reason in dict.fromkeys(content.unread)]
    # A mail may say everything in its subject, or only carry files.
    shown = text.text or subject or "\n".join(attachment.name for attachment in attachments)
    main = replace(
        text, text=shown, title=subject or None, meta=_read_headers(message), unread=(*text.unread, *reasons, *unread)
    )
    return [main, *documents]


def _read_headers(message: Message) -> Meta:
    headers = {name: read_header(message, name) for name in ("from", "to", "cc", "subject")}
    date = format_date(read_header(message, "date"))
    return clean_properties(**headers, date=date, message_id=read_header(message, "message-id"))


def _attachment(part: Message, name: str, extract_part: ExtractPart, depth: int) -> Attachment:
    nested, data = attached_message(part), b""
    if nested is None:
        data = read_payload(part)
        if not name.casefold().endswith(".eml"):
            return attached_file(data, name, extract_part)
        # Mails that are attached as files count towards the depth too.
        nested = parse_message(data, name)
    return Attachment(name, data or _source(nested), partial(_extract_nested, nested, name, extract_part, depth + 1))


def _extract_nested(message: Message, name: str, extract_part: ExtractPart, depth: int) -> list[ExtractedText]:
    if depth > MAX_DEPTH:
        raise InvalidInput(f"over {MAX_DEPTH} mails are attached inside each other; save this one as a file")
    return _extract_message(message, name, extract_part, depth)


def _source(message: Message) -> bytes:
    """Return the bytes of an attached mail; empty if its headers are too damaged to be written."""
    try:
        return message.as_bytes()
    except (ValueError, LookupError, AttributeError, TypeError):
        return b""
