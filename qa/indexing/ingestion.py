"""Ingest files into an index: the one loop behind the command line, uploads over HTTP and `Engine.add_files`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from qa.documents.extract.formats import Extract
from qa.documents.extract.tables.columns import Columns
from qa.documents.files import InputFile, find_files, read_documents, read_upload
from qa.errors import InvalidInput, NotFound, QAError, UnsupportedFormat
from qa.index.registry import DEFAULT_INDEX
from qa.indexing.indexer import Indexer
from qa.reports import FileReport, IngestionReport
from qa.types import Document
from qa.validation import MAX_DOCUMENTS

# Written in one transaction. An interruption loses only the batch that is not written yet. Original files are in memory
# until their batch is written.
_BATCH_CHARACTERS = 500_000
_BATCH_BYTES = 64_000_000


class Source(Protocol):
    """A file to ingest.

    Attributes:
        name: identifies the file in reports and errors.
        explicit: the caller named the file itself, rather than a folder or pattern that contains it.
        columns: the columns of a table.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> Columns: ...  # noqa: D102
    @property
    def explicit(self) -> bool: ...  # noqa: D102

    def documents(self, extract: Extract) -> Sequence[Document]:
        """Read and extract the file's documents.

        Raises:
            InvalidInput: the file cannot be read or its format is not supported.
        """


@dataclass(frozen=True, slots=True)
class PathSource:
    """A file on disk.

    Attributes:
        file: its path, and whether the caller named it.
        columns: the columns of a table.
        meta: metadata added to each document's own.
    """

    file: InputFile
    columns: Columns = field(default_factory=Columns)
    meta: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self.file.path)

    @property
    def explicit(self) -> bool:
        """Whether the caller named the file itself."""
        return self.file.explicit

    def documents(self, extract: Extract) -> Sequence[Document]:
        """Read and extract the file's documents."""
        return read_documents(self.file.path, extract, self.columns, self.meta)


@dataclass(frozen=True, slots=True)
class UploadSource:
    """A file sent by a client.

    Attributes:
        name: the file's name; a later upload with the same name replaces the file.
        load: returns the file's bytes.
        columns: the columns of a table.
    """

    name: str
    load: Callable[[], bytes]
    columns: Columns = field(default_factory=Columns)
    explicit: bool = True

    def documents(self, extract: Extract) -> Sequence[Document]:
        """Read and extract the file's documents."""
        return read_upload(self.load(), self.name, extract, self.columns)


@dataclass(slots=True)
class Ingestion:
    """Reads files and adds their documents to an index. Not thread-safe.

    Attributes:
        documents: stores the documents.
        extract: extracts the documents of a file.
        index: name of the index; created when the first document is written.
        dry_run: report what would change, without writing.
        report: outcomes so far.
    """

    documents: Indexer
    extract: Extract
    index: str = DEFAULT_INDEX
    dry_run: bool = False
    report: IngestionReport = field(default_factory=IngestionReport)
    _sources_by_id: dict[str, Source] = field(default_factory=dict)
    _batch: _Batch = field(init=False)

    def __post_init__(self) -> None:
        self._batch = _Batch()

    def add(self, sources: Iterable[Source], progress: Callable[[int], None] = lambda _: None) -> IngestionReport:
        """Add files; a file that cannot be read or written does not stop the others.

        Args:
            sources: the files.
            progress: called with the number of files just finished.
        """
        pending = 0
        for source in sources:
            file = FileReport(source.name)
            self.report.files.append(file)
            for document in self._read(source, file):
                self._batch.add(document, file)
                if self._batch.is_full():
                    self._write_batch()
                    progress(pending)
                    pending = 0
                if file.error:
                    break
            pending += 1
        self._write_batch()
        progress(pending)
        return self.report

    def add_paths(
        self,
        paths: str | Path | Sequence[str | Path],
        columns: Columns,
        meta: Mapping[str, object],
        progress: Callable[[int], None] = lambda _: None,
    ) -> IngestionReport:
        """Add the files that paths, folders and patterns name, without those of the indexes.

        The arguments are those of `find_sources` and `add`.
        """
        names = [str(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
        sources, failed = find_sources(names, columns, meta, [self.documents.indexes.folder.resolve()])
        self.add(sources, progress)
        self.report.files += failed
        return self.report

    def sync(
        self,
        folder: Path,
        sources: Iterable[Source],
        progress: Callable[[int], None] = lambda _: None,
        changed: Collection[Path] | None = None,
    ) -> IngestionReport:
        """Add a folder's files, and remove the documents whose files are no longer in it.

        The documents of a file that cannot be read now are kept.

        Args:
            folder: the folder.
            sources: its files.
            progress: called with the number of files just finished.
            changed: compare only the documents of these files and folders; None compares all documents of the folder.
        """
        self.add(sources, progress)
        kept = {document.id for document in self.report.documents}
        unread = {Path(file.file).as_uri() for file in self.report.files if file.error or file.skipped}
        roots = [folder.resolve()] if changed is None else changed
        files = {path.as_uri() for path in roots}
        folders = tuple(f"{uri.rstrip('/')}/" for uri in files)
        stored = self.documents.all(index=self.index) if self.documents.indexes.has(self.index) else ()
        removed = [
            info.id
            for info in stored
            if info.uri and info.id not in kept
            for file in [info.uri.split("#")[0]]
            if (file in files or file.startswith(folders)) and file not in unread
        ]
        if removed and not self.dry_run:
            self.documents.remove(removed, index=self.index)
        self.report.removed += removed
        return self.report

    def _read(self, source: Source, file: FileReport) -> Sequence[Document]:
        try:
            documents = source.documents(self.extract)
            for document in documents:
                first = self._sources_by_id.setdefault(document.id, source)
                other = first.name if first is not source else self._find_other_file(document, source)
                if other is not None:
                    raise InvalidInput(
                        f"{source.name}: document id {document.id!r} is already used by {other}; rename the id or file,"
                        " or remove the other document",
                        field=source.name,
                    )
        except UnsupportedFormat as error:
            if source.explicit:
                file.error = error
            else:
                file.skipped, file.reason = True, error.message
        except QAError as error:
            file.error = error
        else:
            return documents
        return ()

    def _find_other_file(self, document: Document, source: Source) -> str | None:
        """Return the other file whose stored document has the id of `document`; None if there is none.

        A caller that names the id column decides that ids are the same in all files. A file that is gone has no claim.
        """
        if source.columns.id is not None or not self.documents.indexes.has(self.index):
            return None
        try:
            stored = self.documents.info(document.id, index=self.index)
        except NotFound:
            return None
        if document.uri and stored.uri:
            path, other = _path_of(document.uri), _path_of(stored.uri)
            return None if path == other or other is None or not other.is_file() else str(other)
        if document.uri or stored.uri or not document.file or not stored.file:
            return None
        return None if document.file.name == stored.file.name else stored.file.name

    def _write_batch(self) -> None:
        documents, files = self._batch.documents, self._batch.files
        try:
            if documents and self.dry_run:
                added = self.documents.preview(documents, index=self.index)
            elif documents:
                self.documents.indexes.get_or_create(self.index)
                added = self.documents.add(documents, index=self.index)
            else:
                return
        except QAError as error:
            for file in files:
                file.error = error
        else:
            for outcome, file in zip(added, files, strict=True):
                file.documents.append(outcome)
        finally:
            self._batch = _Batch()


def _path_of(uri: str) -> Path | None:
    """Return the path in the address of a file, or of a part of it; None for other addresses."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


@dataclass(slots=True)
class _Batch:
    """Documents to write in one transaction, each with the report of its file."""

    documents: list[Document] = field(default_factory=list)
    files: list[FileReport] = field(default_factory=list)
    _characters: int = 0
    _bytes_by_hash: dict[str, int] = field(default_factory=dict)

    def add(self, document: Document, file: FileReport) -> None:
        self.documents.append(document)
        self.files.append(file)
        self._characters += len(document.text)
        if document.file:
            self._bytes_by_hash[document.file.sha256] = document.file.size

    def is_full(self) -> bool:
        return (
            len(self.documents) == MAX_DOCUMENTS
            or self._characters >= _BATCH_CHARACTERS
            or sum(self._bytes_by_hash.values()) >= _BATCH_BYTES
        )


def find_sources(
    paths: Sequence[str], columns: Columns, meta: Mapping[str, object], excluded: Collection[Path] = ()
) -> tuple[list[PathSource], list[FileReport]]:
    """Return the files that paths, folders and patterns name, and a failed report for each path that names none.

    Args:
        paths: files; folders, for all visible files in them; patterns with `*`, `?`, `**`; or `-` for standard input.
        columns: the columns of tables.
        meta: metadata added to each document's own.
        excluded: folders whose files are left out unless they are named.
    """
    files, errors = find_files(paths, excluded)
    failed = [FileReport(error.field or "", error=error) for error in errors]
    return [PathSource(file, columns, meta) for file in files], failed
