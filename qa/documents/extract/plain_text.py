"""Plain text: decode bytes and keep every character in its place."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from qa.documents.extract.encodings import detect_encoding
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import UnsupportedFormat
from qa.types import Unread

_REPLACEMENT = "\ufffd"
_NULS = re.compile(r"\0+")


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A decoded text, and what could not be decoded."""

    text: str
    unread: tuple[Unread, ...] = ()


def extract_plain(data: bytes, name: str) -> ExtractedText:
    """Decode a file as text, without changing it: line ends, form feeds and invisible characters stay.

    Raises:
        UnsupportedFormat: the file is not text.
    """
    decoded = decode_text(data, name)
    return ExtractedText(decoded.text, unread=decoded.unread)


def decode(data: bytes, name: str) -> str:
    """Return the text of `decode_text` alone."""
    return decode_text(data, name).text


def decode_text(data: bytes, name: str) -> DecodedText:
    """Decode bytes in their most likely encoding.

    Line ends stay as they are. A byte-order mark at the start is dropped. Each invalid byte and each run of U+0000,
    which cannot be stored, becomes U+FFFD and is reported; U+0000 at the start or the end is padding and is dropped.

    Args:
        data: the whole file.
        name: the file's name in error messages.

    Raises:
        UnsupportedFormat: the bytes are not text.
    """
    encoding = detect_encoding(data)
    if encoding is None:
        raise UnsupportedFormat(
            f"{name}: binary file of an unknown format, not text; convert it to PDF, DOCX, HTML or text", field=name
        )
    text, invalid = _replace_invalid(data[encoding.mark :], encoding.name)
    reasons = [_count(invalid, "byte", f"not valid {_display(encoding.name)}")] if invalid else []
    if "\0" in text:
        text, runs = _NULS.subn(_REPLACEMENT, text.strip("\0"))
        reasons += [_count(runs, "place", "not text but NUL bytes")] if runs else []
    return DecodedText(text, tuple(Unread(None, reason) for reason in reasons))


def _replace_invalid(data: bytes, encoding: str) -> tuple[str, int]:
    """Decode bytes, with U+FFFD for each invalid sequence, and return the number of invalid bytes."""
    decoder = codecs.getincrementaldecoder(encoding)
    try:
        return decoder("strict").decode(data, final=True), 0
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
    # The text may have had some of these characters before.
    return text, max(1, text.count(_REPLACEMENT) - _count_encoded(data, encoding))


def _count_encoded(data: bytes, encoding: str) -> int:
    """Return how often U+FFFD is in the bytes; only the encodings of Unicode have it."""
    return data.count(_REPLACEMENT.encode(encoding)) if encoding.startswith("utf") else 0


def _display(encoding: str) -> str:
    return "Windows-1252" if encoding == "cp1252" else encoding.upper().replace("_", "-")


def _count(number: int, noun: str, what: str) -> str:
    return f"{number:,} {noun}{' is' if number == 1 else 's are'} {what}; replaced by U+FFFD"
