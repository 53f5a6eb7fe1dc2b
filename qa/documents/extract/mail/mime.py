"""The parts of a MIME message: its text, its attachments and what cannot be read.

Messages are parsed with the policy `compat32`: the newer `default` parses headers strictly and fails on malformed ones.
"""

from __future__ import annotations

import binascii
import email
import re
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from email.policy import Compat32

from qa.documents.extract.joining import join_texts
from qa.documents.extract.mail.attachments import attachment_name
from qa.documents.extract.mail.invitation import read_invitation
from qa.documents.extract.mail.text import (
    MAX_HEADER,
    choose_body,
    decode_bytes_in_header,
    decode_header_value,
    decode_text,
    html_body,
    is_encrypted,
    plain_body,
    unwrap_flowed,
)
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput

# In bytes: smaller pictures inside a mail's text are logos, icons and tracking pixels.
SMALL_PICTURE = 20_000
# Characters of a header with parameters.
_MAX_PARAMETERS = 4_000
_TEXTS = frozenset({"text/plain", "text/html", "text/enriched", "text/richtext"})
_MESSAGES = frozenset({"message/rfc822", "message/global"})
# Signatures, keys, and the headers of a message that was returned.
_LEFT_OUT = frozenset({"pgp-signature", "pkcs7-signature", "x-pkcs7-signature", "pgp-keys", "rfc822-headers"})
ENCRYPTED = "the text is encrypted; decrypt the mail and save it again"
_TNEF = "Outlook's winmail.dat format is not supported; save the attachments in Outlook"
_SIGNED = "the text is inside an S/MIME signature, which is not supported; save it in a mail program as text"
_TOO_DEEP = "the parts of the mail are nested too deeply; save its text"
_SUFFIXES = {
    "application/pdf": ".pdf",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
}


class _BoundedHeaders(Compat32):
    """Cuts long headers, because their parameters are parsed in quadratic time."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Return the name and the value of a header."""
        name, value = super().header_source_parse(sourcelines)
        return name, value[: _MAX_PARAMETERS if name.casefold().startswith("content-") else MAX_HEADER]


_POLICY = _BoundedHeaders()


@dataclass(frozen=True, slots=True)
class Content:
    """What a message holds.

    Attributes:
        name: the file's name in errors.
        bodies: its texts in order.
        attachments: the parts that are attached, each with its file name.
        unread: why parts of it cannot be read.
    """

    name: str
    bodies: list[ExtractedText] = field(default_factory=list)
    attachments: list[tuple[str, Message]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def parse_message(data: bytes, name: str) -> Message:
    """Parse a message.

    Raises:
        InvalidInput: its parts are nested too deeply.
    """
    try:
        return email.message_from_bytes(data, policy=_POLICY)
    except RecursionError as error:
        raise InvalidInput(f"{name}: {_TOO_DEEP}", field=name) from error


def read_content(message: Message, name: str) -> Content:
    """Return the texts, attachments and unreadable parts of a message.

    Raises:
        InvalidInput: its parts are nested too deeply.
    """
    content = Content(name)
    try:
        _collect(message, content)
    except RecursionError as error:
        raise InvalidInput(f"{name}: {_TOO_DEEP}", field=name) from error
    if not content.bodies and content.attachments:
        # Some programs name the part that holds the text.
        _, part = content.attachments[0]
        if part.get_content_type() in _TEXTS and part.get_content_disposition() != "attachment":
            del content.attachments[0]
            content.bodies.extend(filter(None, [_read_body(part, content)]))
    return content


def read_header(message: Message, name: str) -> str:
    """Return the first header of a name, decoded; empty if there is none."""
    values = (value for key, value in message.raw_items() if key.casefold() == name)
    return decode_header_value(str(next(values, "")))


def attached_message(part: Message) -> Message | None:
    """Return the message that a part attaches; None if the part is another one."""
    parts = _parts(part)
    if part.get_content_type() not in _MESSAGES or not parts:
        return None
    message = parts[0]
    if not message.keys() and str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        # This encoding is not allowed for messages, but used. The parser reads it as the text of a message.
        with suppress(ValueError):
            return email.message_from_bytes(binascii.a2b_base64(read_payload(message)), policy=_POLICY)
    return message


def _parts(part: Message) -> list[Message]:
    # For a part without parts, this would decode its text with any codec that it names.
    payload = part.get_payload() if part.is_multipart() else None
    return [inner for inner in payload if isinstance(inner, Message)] if isinstance(payload, list) else []


def read_payload(part: Message) -> bytes:
    """Return the decoded bytes of a part that has no parts inside."""
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _collect(part: Message, content: Content) -> None:
    """Add the bodies, attachments and unreadable parts of a message part."""
    kind, main_type, subtype = part.get_content_type(), part.get_content_maintype(), part.get_content_subtype()
    if kind == "multipart/encrypted" or _is_encrypted_data(part):
        content.unread.append(_SIGNED if _parameter(part, "smime-type") == "signed-data" else ENCRYPTED)
    elif main_type == "multipart" and part.is_multipart():
        if subtype == "alternative":
            _collect_alternative(_parts(part), content)
        else:
            for inner in _parts(part):
                _collect(inner, content)
    elif _is_text(part):
        content.bodies.extend(filter(None, [_read_body(part, content)]))
    elif main_type == "message" and kind not in (*_MESSAGES, "message/external-body", "message/partial"):
        # A report, such as one of a failed delivery, is blocks of headers.
        text = "\n\n".join(map(_format_headers, _parts(part)))
        content.bodies.append(plain_body(text))
    elif kind == "message/external-body":
        content.unread.append("an attachment is stored elsewhere; add the file itself")
    elif kind == "message/partial":
        content.unread.append("the mail is one part of a message that was split; join its parts in a mail program")
    elif kind == "application/ms-tnef" or _file_name(part).casefold() == "winmail.dat":
        content.unread.append(f"attachment {attachment_name(_file_name(part), 'winmail.dat')}: {_TNEF}")
    elif not (subtype in _LEFT_OUT or _is_decoration(part)):
        content.attachments.append((_default_name(part, len(content.attachments) + 1), part))


def _collect_alternative(parts: list[Message], content: Content) -> None:
    """Add one of several forms of the same text, and the attachments of all."""
    forms: dict[str, ExtractedText] = {}
    entries: list[ExtractedText] = []
    for part in parts:
        inner = Content(content.name)
        if part.get_content_type() == "text/calendar" and len(parts) > 1:
            # An invitation has the time and the place that its text may lack.
            entry = read_invitation(decode_text(read_payload(part), _parameter(part, "charset") or "utf-8"))
            entries += [plain_body(entry)] if entry else []
        else:
            _collect(part, inner)
        content.attachments.extend(inner.attachments)
        content.unread.extend(inner.unread)
        if inner.bodies:
            form = "plain" if part.get_content_type() == "text/plain" else "html"
            forms[form] = join_texts(inner.bodies)
    if body := choose_body(forms.get("plain"), forms.get("html")):
        content.bodies.append(body)
    content.bodies.extend(entries)


def _read_body(part: Message, content: Content) -> ExtractedText | None:
    text = decode_text(read_payload(part), _parameter(part, "charset"))
    if is_encrypted(text):
        content.unread.append(ENCRYPTED)
        return None
    if part.get_content_type() == "text/html":
        try:
            body = html_body(text, content.name)
        except InvalidInput as error:
            content.unread.append(f"the HTML text: {error.message.removeprefix(f'{content.name}: ')}")
            return None
        if not body.text and "<img" in text.casefold():
            content.unread.append("the text is a picture; save it as a file and add that")
        return body
    if part.get_content_type() in ("text/enriched", "text/richtext"):
        text = re.sub(r"<[^<>\n]{1,100}>", "", text)
    elif (_parameter(part, "format") or "").casefold() == "flowed":
        text = unwrap_flowed(text, delete_space=(_parameter(part, "delsp") or "").casefold() == "yes")
    return plain_body(text)


def _is_text(part: Message) -> bool:
    """Return whether a part is shown as the text of the mail rather than as a file."""
    kind = part.get_content_type()
    if kind not in _TEXTS:
        # A damaged multipart without parts is text.
        return part.get_content_maintype() == "multipart"
    return part.get_content_disposition() != "attachment" and not _file_name(part)


def _is_encrypted_data(part: Message) -> bool:
    kind = part.get_content_subtype()
    if kind in ("pkcs7-mime", "x-pkcs7-mime"):
        return True
    return kind == "pgp-encrypted" or (kind == "octet-stream" and _file_name(part).casefold() == "encrypted.asc")


def _is_decoration(part: Message) -> bool:
    """Return whether a part is a small picture inside the text, such as a logo."""
    is_inside = bool(part.get("Content-ID")) or part.get_content_disposition() == "inline"
    is_attached = part.get_content_disposition() == "attachment" and not part.get("Content-ID")
    is_picture = part.get_content_maintype() == "image"
    return is_picture and is_inside and not is_attached and len(read_payload(part)) < SMALL_PICTURE


def _default_name(part: Message, number: int) -> str:
    """Return the name of an attachment, derived from its type if it has none."""
    if part.get_content_type() in _MESSAGES:
        nested = attached_message(part)
        subject = read_header(nested, "subject") if nested else ""
        name = attachment_name(_file_name(part) or subject.replace("/", "-"), f"mail-{number}")
        return name if name.casefold().endswith(".eml") else f"{name}.eml"
    suffix = _SUFFIXES.get(part.get_content_type(), "")
    return attachment_name(_file_name(part), f"attachment-{number}{suffix}")


def _file_name(part: Message) -> str:
    """Return the file name of a part, decoded; empty if it has none."""
    headers = Message(_POLICY)
    for key, value in part.raw_items():
        if key.casefold() in ("content-disposition", "content-type") and key not in headers:
            headers[key] = decode_bytes_in_header(str(value))
    try:
        return decode_header_value(headers.get_filename() or "")
    except (ValueError, LookupError, TypeError):
        return ""


def _format_headers(message: Message) -> str:
    return "\n".join(f"{key}: {decode_header_value(str(value))}" for key, value in message.raw_items())


def _parameter(part: Message, name: str) -> str | None:
    """Return a parameter of the content type; None if it is missing or damaged."""
    try:
        value = part.get_param(name)
    except (ValueError, LookupError, TypeError):
        return None
    return value[2] if isinstance(value, tuple) else value if isinstance(value, str) else None
