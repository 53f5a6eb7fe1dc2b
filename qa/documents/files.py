"""Find files, folders and patterns, and read files into documents."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from qa.documents.extract.formats import Extract
from qa.documents.extract.tables.columns import Columns
from qa.documents.extract.text_builder import ExtractedText
from qa.documents.source_files import source_file
from qa.errors import InvalidInput, TooLarge
from qa.types import Document, SourceFile
from qa.validation import MAX_ID, MAX_TITLE, new_document

STANDARD_INPUT = Path("-")
MAX_FILE_BYTES = 200_000_000
_MAX_REASONS = 5
# Characters of a file name in an id; the rest of the id's limit is for the hash and a row number.
_MAX_NAME = MAX_ID - 20


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read; `explicit` if the caller named it, rather than a folder or a pattern that contains it."""

    path: Path
    explicit: bool


@dataclass(frozen=True, slots=True)
class _Source:
    """A file that was read: its bytes, its name in errors, and the defaults for its documents."""

    data: bytes
    name: str
    id: str | None = None
    title: str | None = None
    uri: str | None = None


def find_files(paths: Sequence[str], excluded: Collection[Path] = ()) -> tuple[list[InputFile], list[InvalidInput]]:
    """Return the files that paths name, each once, and an error for each path that names none.

    Args:
        paths: files; folders, for all visible files in them; patterns with `*`, `?`, `**`; or `-` for standard input.
        excluded: folders whose files are left out unless they are named, such as the folder of the indexes.
    """
    files: dict[Path, InputFile] = {}
    errors: list[InvalidInput] = []
    for path in paths:
        try:
            for file in _expand(path, excluded):
                earlier = files.get(file.path)
                files[file.path] = InputFile(file.path, file.explicit or bool(earlier and earlier.explicit))
        except InvalidInput as error:
            errors.append(error)
    return list(files.values()), errors


def read_documents(
    path: Path, extract: Extract, columns: Columns | None = None, meta: Mapping[str, object] | None = None
) -> list[Document]:
    """Read a file: one document, or one for each row of a table.

    The id is derived from the file's name and a hash of its path, so adding the file again replaces the document. A
    row with an id keeps it.

    Args:
        path: the file, or `-` for standard input.
        extract: extracts the documents.
        columns: the columns of a table.
        meta: metadata to add to each document's own.

    Raises:
        InvalidInput: the file is missing, unreadable, too large, without text or of an unsupported format; the message
            names it.
    """
    data = _read_bytes(path)
    if path == STANDARD_INPUT:
        return _build_documents(extract(data, "standard input", columns), _Source(data, "standard input"), meta)
    title = path.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    source = _Source(data, str(path), _derive_id(path.name, str(path)), title, path.as_uri())
    return _build_documents(extract(data, source.name, columns), source, meta)


def read_upload(data: bytes, name: str, extract: Extract, columns: Columns | None = None) -> list[Document]:
    """Read an uploaded file; a later upload with the same name replaces its documents.

    Args:
        data: the file.
        name: its name.
        extract: extracts the documents.
        columns: the columns of a table.

    Raises:
        InvalidInput: as for `read_documents`.
    """
    base_name = PurePosixPath(name.replace("\\", "/")).name or "file"
    source = _Source(data, base_name, _derive_id(base_name, base_name), base_name)
    return _build_documents(extract(data, base_name, columns), source)


def read_text(path: Path, extract: Extract) -> ExtractedText:
    """Return the text of a file, or of standard input for `-`; of a mail, the message without its attachments.

    Raises:
        InvalidInput: as for `read_documents`, or the file has several texts, as a table has.
    """
    extracted = extract(_read_bytes(path), str(path), None)
    # A mail without its attachments.
    main = [text for text in extracted if text.row is None and text.part is None]
    if len(main) != 1 and len(extracted) != 1:
        raise InvalidInput(
            f"{path}: {len(extracted)} texts, such as the rows of a table; add the file to an index instead",
            field=str(path),
        )
    return (main or extracted)[0]


def _read_bytes(path: Path) -> bytes:
    if path == STANDARD_INPUT:
        data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise TooLarge(f"standard input: over the limit of {MAX_FILE_BYTES:,} bytes; split it", field="path")
        return data
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise TooLarge(
                f"{path}: {size:,} bytes, over the limit of {MAX_FILE_BYTES:,}; split the file", field=str(path)
            )
        return path.read_bytes()
    except OSError as error:
        raise _path_error(str(path), error) from error


def _path_error(path: str, error: OSError) -> InvalidInput:
    return InvalidInput(f"{path}: {error.strerror}; check the path and its permissions", field=path)


def _expand(path: str, excluded: Collection[Path]) -> Iterable[InputFile]:
    """Return the files that one path names."""
    if not path.strip():
        raise InvalidInput("the path is blank; name a file, a folder or a pattern", field="path")
    location = Path(path)
    if location == STANDARD_INPUT:
        return [InputFile(location, explicit=True)]
    try:
        location.stat()
    except OSError as error:
        matches = [Path(match) for match in sorted(glob.glob(path, recursive=True))]  # noqa: PTH207 - absolute patterns
        found = [match.resolve() for match in matches if match.is_file()]
        files = [InputFile(file, explicit=False) for file in found if not _is_within(file, excluded)]
        if not files:
            raise _path_error(path, error) from error
        return files
    if location.is_file():
        return [InputFile(location.resolve(), explicit=True)]
    if not location.is_dir():
        raise InvalidInput(f"{path}: not a regular file; use '-' to read standard input", field=path)
    contents = sorted(walk(location.resolve(), excluded))
    if not contents:
        raise InvalidInput(f"{path}: no files in this folder; hidden files do not count", field=path)
    return [InputFile(file, explicit=False) for file in contents]


def walk(folder: Path, excluded: Collection[Path] = ()) -> Iterator[Path]:
    """Yield the files in a folder and its subfolders, without hidden ones.

    Lock files of office programs and unfinished downloads are hidden too.

    A link keeps its own path, not that of its target.

    Args:
        folder: the folder.
        excluded: folders to leave out; `folder` itself is read in any case.

    Raises:
        InvalidInput: a folder cannot be read; the message names it.
    """

    def raise_error(error: OSError) -> None:
        raise _path_error(str(error.filename), error) from error

    for parent, folders, files in os.walk(folder, onerror=raise_error):
        folders[:] = [name for name in folders if _is_visible_name(name) and Path(parent, name) not in excluded]
        visible = (Path(parent, name) for name in files if _is_visible_name(name))
        # A broken link is yielded, so that reading it reports an error. Sockets, pipes and devices are skipped.
        yield from (path for path in visible if path.is_file() or not path.exists())


def is_visible(path: Path, folder: Path) -> bool:
    """Return whether `walk(folder)` would yield a file at this path."""
    return path.is_relative_to(folder) and all(map(_is_visible_name, path.relative_to(folder).parts))


def _is_visible_name(name: str) -> bool:
    return not name.startswith((".", "~$")) and not name.endswith((".part", ".partial", ".crdownload"))


def _is_within(path: Path, folders: Collection[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _build_documents(
    extracted: Sequence[ExtractedText], source: _Source, meta: Mapping[str, object] | None = None
) -> list[Document]:
    file = source_file(source.data, source.title or "file")
    return [_build_document(source, text, text.file or file, meta or {}) for text in extracted]


def _build_document(
    source: _Source, extracted: ExtractedText, file: SourceFile, meta: Mapping[str, object]
) -> Document:
    suffix = extracted.part or ("" if extracted.row is None else extracted.id or str(extracted.row))
    id = extracted.id or (source.id and _extend_id(source.id, suffix))
    uri = source.uri and source.uri + (f"#{suffix}" if suffix else "")
    title = extracted.title or source.title
    try:
        document = new_document(extracted.text, id, title and title[:MAX_TITLE], uri, {**extracted.meta, **meta})
    except InvalidInput as error:
        name = source.name if extracted.row is None else f"{source.name}: row {extracted.row}"
        unread = "; ".join(part.reason for part in extracted.unread[:_MAX_REASONS])
        reasons = f"; not read: {unread}" if unread and not extracted.text.strip() else ""
        raise type(error)(f"{name}: {error.message}{reasons}", field=source.name) from error
    return replace(
        document,
        marks=extracted.marks,
        boxes=extracted.boxes,
        tables=extracted.tables,
        unread=extracted.unread,
        file=file,
    )


def _extend_id(id: str, suffix: str) -> str:
    """Return the id of a part of a file: the file's id, whose name is cut if the whole would be too long."""
    if not suffix:
        return id
    name, _, digest = id.rpartition("-")
    return f"{name[: MAX_ID - len(digest) - len(suffix) - 2]}-{digest}-{suffix}"


def _derive_id(name: str, location: str) -> str:
    digest = hashlib.sha256(location.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    name = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:_MAX_NAME]
    return f"{name or 'file'}-{digest}"
