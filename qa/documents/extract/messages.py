"""Messages between a process and its child processes: plain data, so a child that is taken over cannot send objects.

A message is a JSON header and parts, which are bytes. Before them are the size of the header and the number of parts,
then the size of each part.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from functools import cache
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from qa.documents.extract.text_builder import ExtractedText
from qa.types import Mark, SourceFile, Table, Unread

if TYPE_CHECKING:
    from pydantic import TypeAdapter

OUT_OF_MEMORY = 3
"""Exit status of a child process that ran out of memory."""
_SIZE = struct.Struct(">Q")
_MAX_HEADER, _MAX_PARTS = 10_000_000, 1_000_000
# In characters; JSON is slow for longer texts.
_LONG_TEXT = 100_000
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# The default of each field of the data classes in a reply.
_DEFAULTS: Mapping[type, Mapping[str, object]] = {
    kind: {
        field.name: field.default if field.default_factory is MISSING else field.default_factory()
        for field in fields(kind)
    }
    for kind in (ExtractedText, Mark, Table, Unread, SourceFile)
}

Parts = Sequence[bytes]


class MessageError(ValueError):
    """The bytes are not a message, or not of the expected kind."""


class Message(NamedTuple):
    """The header of a message, whose `kind` says what it is, and its parts."""

    header: Mapping[str, Any]
    parts: Parts


def write_message(pipe: IO[bytes], header: Mapping[str, object], parts: Parts = ()) -> None:
    """Write a message and flush the pipe."""
    encoded = json.dumps(header).encode()
    for size in (len(encoded), len(parts), *map(len, parts)):
        pipe.write(_SIZE.pack(size))
    for data in (encoded, *parts):
        pipe.write(data)
    pipe.flush()


def read_message(pipe: IO[bytes], limit: int) -> Message:
    """Read a message whose parts are at most `limit` bytes in all.

    Raises:
        EOFError: the pipe ends before or within the message.
        MessageError: the bytes are not a message, or it exceeds a limit.
    """
    header_size, count = _read_size(pipe), _read_size(pipe)
    if header_size > _MAX_HEADER or count > _MAX_PARTS:
        raise MessageError(f"a header of {header_size:,} bytes and {count:,} parts exceeds the limits")
    sizes = [_read_size(pipe) for _ in range(count)]
    if sum(sizes) > limit:
        raise MessageError(f"parts of {sum(sizes):,} bytes exceed the limit of {limit:,}")
    try:
        header = json.loads(_read(pipe, header_size))
    except (ValueError, RecursionError) as error:
        raise MessageError("the header is not JSON") from error
    if not isinstance(header, dict):
        raise MessageError("the header is not a JSON object")
    return Message(header, [_read(pipe, size) for size in sizes])


def _read_size(pipe: IO[bytes]) -> int:
    size: int = _SIZE.unpack(_read(pipe, _SIZE.size))[0]
    return size


def _read(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def pack_documents(documents: Sequence[ExtractedText]) -> tuple[Mapping[str, object], Parts]:
    """Return documents as a header and parts: first a JSON list, then long texts, boxes and attached files.

    A lone surrogate, which UTF-8 cannot represent, becomes U+FFFD.
    """
    places, contents, shortened = [], [], []
    for number, document in enumerate(documents):
        long_text = document.text if len(document.text) > _LONG_TEXT else ""
        data = document.file and document.file.data
        for field, content in (("text", _encode(long_text)), ("boxes", document.boxes), ("file", data)):
            if content:
                places.append((number, field))
                contents.append(content)
        shortened.append(replace(document, text="") if long_text else document)
    encoded = _encode(json.dumps(shortened, default=_named_values, ensure_ascii=False, check_circular=False))
    return {"kind": "documents", "places": places}, [encoded, *contents]


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text).encode()


def _named_values(value: Any) -> Mapping[str, object]:
    """Return the fields of a data class that do not have their default, without bytes."""
    values = ((name, getattr(value, name), default) for name, default in _DEFAULTS[type(value)].items())
    return {
        name: field for name, field, default in values if field != default and not isinstance(field, bytes | bytearray)
    }


@cache
def _documents() -> TypeAdapter[list[ExtractedText]]:
    # Imported here because only the parent needs it.
    from pydantic import TypeAdapter

    return TypeAdapter(list[ExtractedText])


def unpack_documents(message: Message) -> list[ExtractedText]:
    """Return the documents of a message that `pack_documents` made.

    Raises:
        MessageError: the message holds anything else.
    """
    try:
        first, *contents = message.parts
        documents = [_with_tuples(document) for document in _documents().validate_json(first, strict=True)]
        for (number, field), content in zip(message.header["places"], contents, strict=True):
            documents[number] = _with_content(documents[number], field, content)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise MessageError("the message does not hold documents") from error
    return documents


def _with_tuples(document: ExtractedText) -> ExtractedText:
    """Return a document whose sequences are tuples, as extraction makes them."""
    if not (document.marks or document.tables or document.unread):
        return document
    tables = tuple(
        replace(
            table,
            rows=tuple(map(tuple, table.rows)),
            header=tuple(table.header),
            numbers=tuple(table.numbers),
        )
        for table in document.tables
    )
    return replace(document, marks=tuple(document.marks), tables=tables, unread=tuple(document.unread))


def _with_content(document: ExtractedText, field: object, content: bytes) -> ExtractedText:
    if field == "text":
        return replace(document, text=content.decode())
    if field == "boxes":
        return replace(document, boxes=content)
    if field == "file" and document.file:
        return replace(document, file=replace(document.file, data=content))
    raise ValueError(f"{field!r} is not a field that a part holds")
