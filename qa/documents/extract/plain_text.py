"""Plain text: decode bytes and keep every character in its place."""

from __future__ import annotations

import codecs

from charset_normalizer import from_bytes

from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, UnsupportedFormat

_UTF_16_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Bytes from which the encoding of a long file is detected.
_SAMPLE_BYTES = 200_000
_WESTERN = "cp1252"


def extract_plain(data: bytes, name: str) -> ExtractedText:
    """Decode a file as text, without changing it."""
    return ExtractedText(decode(data, name))


def decode(data: bytes, name: str) -> str:
    """Decode bytes: UTF-8, UTF-16 with a byte-order mark, else the most likely encoding.

    Line ends stay as they are. Only a byte-order mark at the start is dropped.

    Args:
        data: the whole file.
        name: the file's name in error messages.

    Raises:
        UnsupportedFormat: the bytes are not text.
        InvalidInput: the encoding is unknown, or the bytes are not valid in it.
    """
    if encoding := _UTF_16_MARKS.get(data[:2]):
        return _decode_as(encoding, data, name)
    if b"\0" in data:
        raise UnsupportedFormat(
            f"{name}: binary file, not text; convert it to text, PDF, DOCX, HTML, Markdown, CSV or JSON lines",
            field=name,
        )
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        encoding = _detect_encoding(data[:_SAMPLE_BYTES])
        if encoding is None:
            raise InvalidInput(
                f"{name}: unknown text encoding, not UTF-8 (byte {error.start}: {error.reason}); "
                "save the file as UTF-8",
                field=name,
            ) from error
        return _decode_as(encoding, data, name)


def _detect_encoding(data: bytes) -> str | None:
    """Return the most likely encoding; where several are equally likely, cp1252, the usual one of English texts."""
    matches = from_bytes(data)
    best = matches.best()
    western = [match for match in matches if _WESTERN in match.could_be_from_charset]
    if best is not None and western and western[0].chaos <= best.chaos:
        return _WESTERN
    return best.encoding if best else None


def _decode_as(encoding: str, data: bytes, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{name}: not valid {encoding} (byte {error.start}: {error.reason}); save the file as UTF-8", field=name
        ) from error
