"""Outcomes of adding documents and files; the same locally and over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field

from qa.deprecation import RenamedAttribute
from qa.errors import QAError
from qa.types import Change


@dataclass(frozen=True, slots=True)
class AddedDocument:
    """The outcome of adding one document.

    Attributes:
        id: of the document.
        change: created, replaced or unchanged.
        passages: number of passages of the document.
        characters: length of its text in code points.
    """

    id: str
    change: Change
    passages: int
    characters: int

    status = RenamedAttribute("change")


@dataclass(slots=True)
class FileReport:
    """The outcome of ingesting one file.

    Attributes:
        file: path or name.
        documents: outcomes of its documents, in order; those written before an error stay in the index.
        error: why the file or the rest of it was not ingested.
        skipped: the file was found in a folder and its format is not supported.
    """

    file: str
    documents: list[AddedDocument] = field(default_factory=list)
    error: QAError | None = None
    skipped: bool = False


@dataclass(slots=True)
class IngestionReport:
    """The outcome of ingesting files.

    Attributes:
        files: one report for each file, in order.
        removed: ids of documents that were removed because their file is gone (sync only).
    """

    files: list[FileReport] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @property
    def documents(self) -> list[AddedDocument]:
        """Outcomes of all documents, in the order of the files."""
        return [document for file in self.files for document in file.documents]

    @property
    def errors(self) -> list[QAError]:
        """Errors of all files that failed."""
        return [file.error for file in self.files if file.error]

    @property
    def skipped(self) -> list[str]:
        """Files in folders whose format is not supported."""
        return [file.file for file in self.files if file.skipped]
