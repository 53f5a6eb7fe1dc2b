"""Files and folders ─► documents."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from qa.documents.extract.plain import extract_plain
from qa.errors import InvalidInput, TooLarge
from qa.limits import MAX_ID, MAX_TEXT, checked_document
from qa.types import Document

_BATCH_CHARACTERS = 500_000
_NAME_CHARACTERS = MAX_ID - 20


def documents_in(paths: Sequence[Path]) -> list[Document]:
    """Read files, and every file in folders that is not hidden.

    A file's id is its name and a hash of its place, so that adding it again replaces it.

    Raises:
        InvalidInput: a path is missing or not readable, or a file is not UTF-8 text; names it.
    """
    return [_document(path) for path in dict.fromkeys(p.resolve() for path in paths for p in _files(path))]


def in_batches(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """Yield documents in runs that are written together."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document.text)
        if size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def text_of(path: Path) -> str:
    """Return the text of a file, or of standard input for `-`.

    Raises:
        InvalidInput: it is missing, not readable, or not UTF-8 text.
    """
    if str(path) == "-":
        return extract_plain(sys.stdin.buffer.read(), "standard input")
    try:
        # A code point takes at most four bytes.
        if path.stat().st_size > 4 * MAX_TEXT:
            raise TooLarge(f"{path}: over {4 * MAX_TEXT:,} bytes", field=str(path))
        return extract_plain(path.read_bytes(), str(path))
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}", field=str(path)) from error


def _files(path: Path) -> list[Path]:
    try:
        path.stat()
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}", field=str(path)) from error
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p.relative_to(path)))
    if not found:
        raise InvalidInput(f"{path}: a folder without files", field=str(path))
    return found


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _document(path: Path) -> Document:
    place = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    name = re.sub(r"[^\w.-]+", "-", path.name).strip("-.")[:_NAME_CHARACTERS]
    title = path.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    try:
        return checked_document(text_of(path), f"{name or 'file'}-{place}", title, path.as_uri())
    except InvalidInput as error:
        if error.message.startswith(str(path)):
            raise
        raise type(error)(f"{path}: {error.message}", field=str(path)) from error
