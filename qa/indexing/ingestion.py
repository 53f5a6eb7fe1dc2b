"""Files ─► an index: added, or a folder and an index brought to the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from qa.documents.extract.extractor import Extractor
from qa.documents.extract.formats import Extract
from qa.documents.extract.tables import Columns
from qa.documents.files import FoundFile, documents_of
from qa.engine import Engine
from qa.errors import InvalidInput, UnsupportedFormat
from qa.index.registry import DEFAULT_INDEX
from qa.indexing.indexer import AddedDocument
from qa.types import Document
from qa.validation import MAX_DOCUMENTS

# Written together; what was written before a run is broken off stays.
_BATCH_CHARACTERS = 500_000


@dataclass(slots=True)
class IngestionReport:
    """What became of files: their documents, the errors, and those in folders that are of no format that is read.

    `files` tells for the id of each document the file that it came from.
    """

    added: list[AddedDocument] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    failed: dict[Path, InvalidInput] = field(default_factory=dict)
    skipped: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ingestion:
    """Reads files and adds their documents to an index.

    Attributes:
        engine: of the index.
        index: its name; it is made when there is something to put into it.
        columns: of tables.
        meta: is added to each document's own.
        dry_run: only tell what would be done.
    """

    engine: Engine
    index: str = DEFAULT_INDEX
    columns: Columns = field(default_factory=Columns)
    meta: Mapping[str, object] = field(default_factory=dict)
    dry_run: bool = False

    def add(self, files: Sequence[FoundFile], advance: Callable[[int], None] = lambda _: None) -> IngestionReport:
        """Add files; one that cannot be read stops none of the others.

        Args:
            files: what to read.
            advance: is told how many more files are done.
        """
        done = IngestionReport()
        batch: list[Document] = []
        waiting = characters = 0
        with closing(Extractor()) as extractor:
            for file in files:
                for document in self._read(file, extractor.extract, done):
                    batch.append(document)
                    characters += len(document.text)
                    if len(batch) == MAX_DOCUMENTS or characters >= _BATCH_CHARACTERS:
                        self._write(batch, done)
                        advance(waiting)
                        batch, waiting, characters = [], 0, 0
                waiting += 1
        self._write(batch, done)
        advance(waiting)
        return done

    def sync(
        self, folder: Path, files: Sequence[FoundFile], advance: Callable[[int], None] = lambda _: None
    ) -> tuple[IngestionReport, list[str]]:
        """Add a folder's files, and remove the documents of files that are no longer in it.

        What was taken in from a file that cannot be read now stays.

        Returns:
            What became of the files, and the ids of the documents that were removed.
        """
        done = self.add(files, advance)
        kept = {added.id for added in done.added}
        unread = {path.as_uri() for path in (*done.failed, *done.skipped)}
        below = folder.resolve().as_uri() + "/"
        stored = self.engine.all_documents(index=self.index) if self.engine.indexes.has(self.index) else ()
        gone = [
            info.id
            for info in stored
            if info.uri and info.uri.startswith(below) and info.id not in kept and info.uri.split("#")[0] not in unread
        ]
        if gone and not self.dry_run:
            self.engine.remove(gone, index=self.index)
        return done, gone

    def _read(self, file: FoundFile, extract: Extract, done: IngestionReport) -> list[Document]:
        try:
            documents = documents_of(file.path, extract, self.columns, self.meta)
            for document in documents:
                other = done.files.setdefault(document.id, file.path)
                if other != file.path:
                    raise InvalidInput(
                        f"{file.path}: id {document.id!r} is that of a document in {other}", field=str(file.path)
                    )
        except UnsupportedFormat as error:
            if file.chosen:
                done.failed[file.path] = error
            else:
                done.skipped.append(file.path)
        except InvalidInput as error:
            done.failed[file.path] = error
        else:
            return documents
        return []

    def _write(self, documents: Sequence[Document], done: IngestionReport) -> None:
        if documents and self.dry_run:
            done.added += self.engine.preview(documents, index=self.index)
        elif documents:
            self.engine.indexes.get_or_create(self.index)
            done.added += self.engine.add(documents, index=self.index)
