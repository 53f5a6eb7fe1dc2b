"""Outlook messages (MSG): the text, with attachments as separate documents, as for other mails.

The properties are numbered as in the specification MS-OXPROPS.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from olefile import STGTY_STREAM, OleFileIO
from oxmsg.domain import encodings
from oxmsg.properties import Properties
from oxmsg.storage import Storage

from qa.documents.extract.joining import join_texts
from qa.documents.extract.mail.attachments import (
    MAX_DEPTH,
    Attachment,
    ExtractPart,
    attached_file,
    attachment_name,
    extract_attachments,
    require_text,
)
from qa.documents.extract.mail.mime import (
    ENCRYPTED,
    SMALL_PICTURE,
    parse_message,
    read_content,
    read_header,
    read_payload,
)
from qa.documents.extract.mail.text import choose_body, decode_text, format_utc, html_body, is_encrypted, plain_body
from qa.documents.extract.rtf.compressed import decompress_rtf
from qa.documents.extract.text_builder import ExtractedText, clean_properties
from qa.errors import InvalidInput, QAError
from qa.types import Meta, Unread

_PROPERTIES = "__properties_version1.0"
# Bytes before the first property, of which an attached message has fewer.
_HEADER, _ATTACHED_HEADER, _PART_HEADER = 32, 24, 8
_CLASS, _SUBJECT, _BODY, _HTML, _RTF = 0x001A, 0x0037, 0x1000, 0x1013, 0x1009
_SENDER, _SENDER_ADDRESS, _SENDER_SMTP, _ON_BEHALF_OF = 0x0C1A, 0x0C1F, 0x5D01, 0x0042
_TO, _CC, _SENT, _RECEIVED, _MESSAGE_ID, _HEADERS = 0x0E04, 0x0E03, 0x0039, 0x0E06, 0x1035, 0x007D
_CODE_PAGE, _BODY_CODE_PAGE = 0x3FFD, 0x3FDE
_RECIPIENT_NAME, _RECIPIENT_TYPE, _RECIPIENT_ADDRESS, _RECIPIENT_SMTP = 0x3001, 0x0C15, 0x3003, 0x39FE
_DATA, _LONG_NAME, _SHORT_NAME, _DISPLAY_NAME = 0x3701, 0x3707, 0x3704, 0x3001
_METHOD, _MIME_TYPE, _CONTENT_ID = 0x3705, 0x370E, 0x3712
_NO_DATE = 1601
# Each stream is searched for among all of its folder.
_MAX_STREAMS = 20_000
_BY_VALUE, _ATTACHED_MESSAGE, _OLE = 1, 5, 6
_PROTECTED = "the text is protected by rights management; save it without protection"
_ELSEWHERE = "it is stored elsewhere; add the file itself"
_EMBEDDED_OBJECT = "embedded object; save it as a file and add that"


def extract_msg(data: bytes, name: str, extract_part: ExtractPart) -> list[ExtractedText]:
    """Extract a message and its attachments.

    Args:
        data: the message.
        name: its file name in errors.
        extract_part: extracts attached files.

    Raises:
        InvalidInput: the file is not an Outlook message, is damaged or has no text.
    """
    try:
        storage = _open(data)
    except Exception as error:
        # The parser raises undocumented exceptions on damaged files.
        reason = f"{type(error).__name__}: {error}"
        raise InvalidInput(
            f"{name}: not an Outlook message, or damaged ({reason}); save it again in Outlook", field=name
        ) from error
    return require_text(_extract_message(_Item(storage, _HEADER), name, extract_part, 1), name)


def _open(data: bytes) -> Storage:
    with OleFileIO(io.BytesIO(data)) as ole:
        if len(ole.direntries) > _MAX_STREAMS:
            raise ValueError(f"it has over {_MAX_STREAMS:,} streams")
        # Streams of a damaged file may share their bytes, and unpack to far more than the file.
        size = sum(entry.size for entry in ole.direntries if entry and entry.entry_type == STGTY_STREAM)
        if size > len(data):
            raise ValueError(f"its streams have {size:,} bytes, the file has {len(data):,}")
        if not ole.exists(_PROPERTIES):
            raise ValueError("it has no message properties")
        return Storage.from_ole(ole)


class _Item:
    """The properties of a message, recipient or attachment; a missing or damaged one is empty."""

    def __init__(self, storage: Storage, header: int) -> None:
        self.storage = storage
        self._streams: dict[str, bytes] = {stream.name: stream.bytes_ for stream in storage.streams}
        self._properties = Properties(storage, header)

    def data(self, number: int) -> bytes:
        """Return the bytes of a binary property."""
        return self._streams.get(f"__substg1.0_{number:04X}0102", b"")

    def text(self, number: int) -> str:
        """Return a text property."""
        if unicode := self._streams.get(f"__substg1.0_{number:04X}001F"):
            return decode_text(unicode[: len(unicode) // 2 * 2], "utf-16-le").rstrip("\0")
        return decode_text(self._streams.get(f"__substg1.0_{number:04X}001E", b""), self.charset(number == _BODY))

    def charset(self, is_body: bool = False) -> str | None:
        """Return the character set of texts that are not Unicode; None if it is not known."""
        page = (self.integer(_BODY_CODE_PAGE) if is_body else None) or self.integer(_CODE_PAGE)
        try:
            return encodings.encoding_from_codepage(page) if page else None
        except LookupError:
            return None

    def integer(self, number: int) -> int | None:
        """Return an integer property."""
        try:
            value: object = self._properties.int_prop_value(number)
        except (LookupError, ValueError, AttributeError, struct.error):
            return None
        # The library returns whatever type the property has.
        return value if isinstance(value, int) else None

    def date(self, number: int) -> datetime | None:
        """Return a date property."""
        try:
            value: object = self._properties.date_prop_value(number)
        except (LookupError, ValueError, AttributeError, OverflowError, struct.error):
            return None
        # An unset date is in the year 1601.
        return value if isinstance(value, datetime) and value.year > _NO_DATE else None


def _extract_message(item: _Item, name: str, extract_part: ExtractPart, depth: int) -> list[ExtractedText]:
    """Return a message's document, whose text may be blank, and those of its attachments."""
    subject = " ".join(item.text(_SUBJECT).split())
    unread: list[str] = []
    body = _read_body(item, name, unread)
    attachments = list(_read_attachments(item, name, extract_part, depth, unread))
    if item.text(_CLASS).upper().startswith("IPM.NOTE.SMIME") and attachments:
        # The message is inside its only attachment: readable if it is only signed.
        body, attachments = _read_signed(attachments[0], name, extract_part, unread)
    documents, unread_attachments = extract_attachments(attachments, subject or None)
    text = body.text or subject or "\n".join(attachment.name for attachment in attachments)
    reasons = [Unread(None, reason) for reason in dict.fromkeys(unread)]
    main = replace(
        body,
        text=text,
        title=subject or None,
        meta=_read_meta(item, subject, name),
        unread=(*body.unread, *reasons, *unread_attachments),
    )
    return [main, *documents]


def _read_body(item: _Item, name: str, unread: list[str]) -> ExtractedText:
    plain = item.text(_BODY)
    if is_encrypted(plain):
        unread.append(ENCRYPTED)
        return ExtractedText("")
    markup = item.data(_HTML)
    html = decode_text(markup, item.charset(is_body=True)) if markup else item.text(_HTML)
    bodies: list[ExtractedText | None] = [plain_body(plain) if plain.strip() else None, None]
    try:
        bodies[1] = html_body(html, name) if html.strip() else None
        if bodies == [None, None] and (compressed := item.data(_RTF)):
            rtf = decompress_rtf(compressed)
            from qa.documents.extract.rtf.document import extract_rtf

            return extract_rtf(rtf, name)
    except QAError as error:
        unread.append(f"the formatted text: {error.message.removeprefix(f'{name}: ')}")
    return choose_body(*bodies) or ExtractedText("")


def _read_attachments(
    item: _Item, name: str, extract_part: ExtractPart, depth: int, unread: list[str]
) -> Iterator[Attachment]:
    for number, storage in enumerate(item.storage.iter_attachment_storages(), 1):
        part = _Item(storage, _PART_HEADER)
        file = attachment_name(
            part.text(_LONG_NAME) or part.text(_SHORT_NAME) or part.text(_DISPLAY_NAME), f"attachment-{number}"
        )
        method, data = part.integer(_METHOD), part.data(_DATA)
        is_picture = part.text(_MIME_TYPE).startswith("image/") or file.casefold().endswith((".png", ".gif", ".jpg"))
        message = next((inner for inner in storage.storages if inner.name == "__substg1.0_3701000D"), None)
        if method == _ATTACHED_MESSAGE and message:
            file = file if file.casefold().endswith(".msg") else f"{file}.msg"
            nested = _Item(message, _ATTACHED_HEADER)
            yield Attachment(file, b"", partial(_extract_nested, nested, name, extract_part, depth + 1))
        elif file.casefold() == "message.rpmsg":
            unread.append(_PROTECTED)
        elif data and method in (None, _BY_VALUE, _ATTACHED_MESSAGE):
            if not (is_picture and part.text(_CONTENT_ID) and len(data) < SMALL_PICTURE):
                yield attached_file(data, file, extract_part)
        else:
            unread.append(f"attachment {file}: {_EMBEDDED_OBJECT if method == _OLE else _ELSEWHERE}")


def _extract_nested(item: _Item, name: str, extract_part: ExtractPart, depth: int) -> list[ExtractedText]:
    if depth > MAX_DEPTH:
        raise InvalidInput(f"over {MAX_DEPTH} mails are attached inside each other; save this one as a file")
    return _extract_message(item, name, extract_part, depth)


def _read_signed(
    attachment: Attachment, name: str, extract_part: ExtractPart, unread: list[str]
) -> tuple[ExtractedText, list[Attachment]]:
    """Return the text and attachments of a signed message, which is a MIME message."""
    if b"multipart/signed" not in attachment.data[:1000].lower():
        unread.append(ENCRYPTED)
        return ExtractedText(""), []
    content = read_content(parse_message(attachment.data, name), name)
    unread += content.unread
    files = [attached_file(read_payload(part), file, extract_part) for file, part in content.attachments]
    return join_texts(content.bodies), files


def _read_meta(item: _Item, subject: str, name: str) -> Meta:
    """Return the headers, from the message as it was sent if it has them, else from its properties."""
    sent = parse_message(item.text(_HEADERS).encode("utf-8", "replace").lstrip(), name)
    recipients = [_Item(storage, _PART_HEADER) for storage in item.storage.iter_recipient_storages()]
    address = item.text(_SENDER_SMTP) or item.text(_SENDER_ADDRESS)
    return clean_properties(
        **{
            "from": read_header(sent, "from")
            or _format_address(item.text(_SENDER) or item.text(_ON_BEHALF_OF), address),
            "to": read_header(sent, "to") or _join_recipients(recipients, 1) or item.text(_TO),
            "cc": read_header(sent, "cc") or _join_recipients(recipients, 2) or item.text(_CC),
            "subject": subject,
            "date": format_utc(item.date(_SENT) or item.date(_RECEIVED)),
            "message_id": item.text(_MESSAGE_ID) or read_header(sent, "message-id"),
        }
    )


def _join_recipients(recipients: list[_Item], kind: int) -> str:
    return ", ".join(
        _format_address(
            recipient.text(_RECIPIENT_NAME), recipient.text(_RECIPIENT_SMTP) or recipient.text(_RECIPIENT_ADDRESS)
        )
        for recipient in recipients
        if recipient.integer(_RECIPIENT_TYPE) == kind
    )


def _format_address(name: str, address: str) -> str:
    """Return a name with its address, without addresses that only Exchange understands."""
    name = name.strip("' ")
    if "@" not in address or name == address:
        return name or address
    return f"{name} <{address}>" if name else address
