"""Files, folders and patterns ─► documents."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from qa.documents.extract.formats import Extract
from qa.documents.extract.tables import Columns
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, TooLarge
from qa.types import Document
from qa.validation import MAX_ID, MAX_TITLE, check_document

STANDARD_INPUT = Path("-")
MAX_FILE_BYTES = 200_000_000
_NAME_CHARACTERS = MAX_ID - 20


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to be read; `chosen` is false for one that was found in a folder."""

    path: Path
    chosen: bool


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a file's bytes come from: what errors call it, and what its documents are called if it does not say."""

    name: str
    id: str | None = None
    title: str | None = None
    uri: str | None = None


def files_in(paths: Sequence[str]) -> tuple[list[FoundFile], list[InvalidInput]]:
    """Return the files that paths mean, each once, and what is wrong with the paths that mean none.

    Args:
        paths: files; folders, of which every file counts that is not hidden; patterns with `*`, `?`, `**`; or `-`.
    """
    found: dict[Path, FoundFile] = {}
    wrong: list[InvalidInput] = []
    for path in paths:
        try:
            for file in _files(path):
                known = found.get(file.path)
                found[file.path] = FoundFile(file.path, file.chosen or bool(known and known.chosen))
        except InvalidInput as error:
            wrong.append(error)
    return list(found.values()), wrong


def documents_of(
    path: Path, extract: Extract, columns: Columns | None = None, meta: Mapping[str, object] | None = None
) -> list[Document]:
    """Read a file: one document, or one for each row of a table.

    Its id is made of its name and a hash of its place, so that adding it again replaces it; a row's is the one it has.

    Args:
        path: of the file, or `-` for standard input.
        extract: extracts its documents.
        columns: of a table.
        meta: is added to the file's own.

    Raises:
        InvalidInput: it is missing, not readable, of no format that is read, too large or without text; names it.
    """
    if path == STANDARD_INPUT:
        return _documents(extract(_bytes(path), "standard input", columns), _Origin("standard input"), meta)
    title = path.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    origin = _Origin(str(path), _id(path.name, str(path)), title, path.as_uri())
    return _documents(extract(_bytes(path), origin.name, columns), origin, meta)


def documents_in(data: bytes, name: str, extract: Extract) -> list[Document]:
    """Read a file that was sent; its name tells its format, and adding one of the same name replaces it.

    Raises:
        InvalidInput: as for `documents_of`.
    """
    plain = PurePosixPath(name.replace("\\", "/")).name or "file"
    return _documents(extract(data, plain, None), _Origin(plain, _id(plain, plain), plain))


def text_of(path: Path, extract: Extract) -> ExtractedText:
    """Return the text of a file, or of standard input for `-`.

    Raises:
        InvalidInput: as for `documents_of`, or it is a table of several texts.
    """
    extracted = extract(_bytes(path), str(path), None)
    if len(extracted) != 1:
        raise InvalidInput(f"{path}: {len(extracted)} texts, one for each row, and not one", field=str(path))
    return extracted[0]


def _bytes(path: Path) -> bytes:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TooLarge(f"{path}: over {MAX_FILE_BYTES:,} bytes", field=str(path))
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}", field=str(path)) from error


def _files(path: str) -> Iterable[FoundFile]:
    if not path.strip():
        raise InvalidInput("a path is blank", field="path")
    place = Path(path)
    if place == STANDARD_INPUT:
        return [FoundFile(place, chosen=True)]
    try:
        place.stat()
    except OSError as error:
        matches = [Path(match) for match in sorted(glob.glob(path, recursive=True))]  # noqa: PTH207 - takes absolute ones
        files = [FoundFile(match.resolve(), chosen=False) for match in matches if match.is_file()]
        if not files:
            raise InvalidInput(f"{path}: {error.strerror}", field=path) from error
        return files
    if not place.is_dir():
        return [FoundFile(place.resolve(), chosen=True)]
    found = list(_below(place.resolve()))
    if not found:
        raise InvalidInput(f"{path}: a folder without files", field=path)
    return [FoundFile(file, chosen=False) for file in sorted(found)]


def _below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and in those below it, but nothing that is hidden.

    Links are called what they are called there, and not what they point to.

    Raises:
        InvalidInput: a folder cannot be read; names it.
    """

    def refuse(error: OSError) -> None:
        raise InvalidInput(f"{error.filename}: {error.strerror}", field=str(error.filename)) from error

    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        shown = (Path(parent, name) for name in files if not name.startswith("."))
        # A link that points nowhere is told when it is read; what is neither file nor link is no document.
        yield from (path for path in shown if path.is_file() or not path.exists())


def _documents(
    extracted: Sequence[ExtractedText], origin: _Origin, meta: Mapping[str, object] | None = None
) -> list[Document]:
    return [_document(origin, part, meta or {}) for part in extracted]


def _document(origin: _Origin, part: ExtractedText, meta: Mapping[str, object]) -> Document:
    row = "" if part.row is None else part.id or str(part.row)
    id = part.id or (origin.id and origin.id + (f"-{row}" if row else ""))
    uri = origin.uri and origin.uri + (f"#{row}" if row else "")
    title = part.title or origin.title
    try:
        return check_document(
            part.text, id, title and title[:MAX_TITLE], uri, {**part.meta, **meta}, marks=part.marks, boxes=part.boxes
        )
    except InvalidInput as error:
        # A document's text is the file; what else is wrong is named.
        place = f"{origin.name}: row {part.row}" if row else origin.name
        where = "" if error.field == "text" else f"{error.field}: "
        raise type(error)(f"{place}: {where}{error.message}", field=origin.name) from error


def _id(name: str, place: str) -> str:
    digest = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    name = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:_NAME_CHARACTERS]
    return f"{name or 'file'}-{digest}"
