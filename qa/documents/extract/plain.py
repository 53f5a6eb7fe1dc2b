"""Plain text: UTF-8 bytes ─► text, with every character where it stood."""

from __future__ import annotations

import codecs

from qa.errors import InvalidInput, UnsupportedFormat


def extract_plain(data: bytes, name: str) -> str:
    """Decode a file's bytes; line ends stay as they are, and only a byte-order mark at the front is dropped.

    Args:
        data: the whole file.
        name: what to call it in an error.

    Raises:
        UnsupportedFormat: it is not text.
        InvalidInput: it is not UTF-8.
    """
    if b"\0" in data:
        raise UnsupportedFormat(f"{name}: a binary file, not text", field=name)
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name}: not UTF-8 (byte {error.start}: {error.reason})", field=name) from error
