"""Plain text: bytes ─► text, with every character where it stood."""

from __future__ import annotations

import codecs

from charset_normalizer import from_bytes

from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, UnsupportedFormat

_MARKED = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# What decides on an encoding is seen in a part of a long file.
_LOOKED_AT = 200_000
_WESTERN = "cp1252"


def extract_plain(data: bytes, name: str) -> ExtractedText:
    """Take a file's bytes for text, and nothing away from it."""
    return ExtractedText(decoded(data, name))


def decoded(data: bytes, name: str) -> str:
    """Decode bytes: UTF-8, UTF-16 with its mark, else what they most likely are.

    Line ends stay as they are, and only a byte-order mark at the front is dropped.

    Args:
        data: the whole file.
        name: what to call it in an error.

    Raises:
        UnsupportedFormat: it is not text.
        InvalidInput: it is in no encoding that is known.
    """
    if encoding := _MARKED.get(data[:2]):
        return _in(encoding, data, name)
    if b"\0" in data:
        raise UnsupportedFormat(f"{name}: a binary file, not text", field=name)
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        encoding = _likeliest(data[:_LOOKED_AT])
        if encoding is None:
            raise InvalidInput(
                f"{name}: in no known encoding; not UTF-8 (byte {error.start}: {error.reason})", field=name
            ) from error
        return _in(encoding, data, name)


def _likeliest(data: bytes) -> str | None:
    """Return an encoding; of those that are as likely, the one that English texts mostly have."""
    matches = from_bytes(data)
    best = matches.best()
    western = [match for match in matches if _WESTERN in match.could_be_from_charset]
    if best is not None and western and western[0].chaos <= best.chaos:
        return _WESTERN
    return best.encoding if best else None


def _in(encoding: str, data: bytes, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name}: not {encoding} (byte {error.start}: {error.reason})", field=name) from error
