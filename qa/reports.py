"""Outcomes of adding documents and files; the same locally and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from qa.deprecation import RenamedAttribute
from qa.errors import QAError
from qa.types import Change, Unread


@dataclass(frozen=True, slots=True)
class AddedDocument:
    """The outcome of adding one document.

    Attributes:
        id: of the document.
        change: created, replaced or unchanged.
        passages: number of passages of the document.
        characters: length of its text in code points.
        unread: what extraction could not read.
        ocr_pages: pages with text that was recognised in a picture, ascending.
    """

    id: str
    change: Change
    passages: int
    characters: int
    unread: Sequence[Unread] = ()
    ocr_pages: Sequence[int] = ()

    status = RenamedAttribute("change")


@dataclass(slots=True)
class FileReport:
    """The outcome of ingesting one file.

    Attributes:
        file: path or name.
        documents: outcomes of its documents, in order; those written before an error stay in the index.
        error: why the file or the rest of it was not ingested.
        skipped: the file was found in a folder and its format is not supported.
        reason: why it was skipped.
    """

    file: str
    documents: list[AddedDocument] = field(default_factory=list)
    error: QAError | None = None
    skipped: bool = False
    reason: str | None = None

    @property
    def unread(self) -> Sequence[Unread]:
        """What could not be read in any of its documents."""
        return [part for document in self.documents for part in document.unread]


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


def describe_reading(report: FileReport) -> Iterator[str]:
    """Yield a line about the pages of a file that were recognised, and the lines of `describe_unread`."""
    if pages := sorted({page for document in report.documents for page in document.ocr_pages}):
        yield f"{_name_pages(pages)} recognised in pictures (OCR)"
    yield from describe_unread(report.unread)


def describe_unread(unread: Sequence[Unread]) -> Iterator[str]:
    """Yield a line for each reason, with its pages, such as `pages 4, 7-9 not read: a picture of text`."""
    for reason in dict.fromkeys(part.reason for part in unread):
        pages = [part.page for part in unread if part.reason == reason]
        numbers = sorted({page for page in pages if page is not None})
        if numbers:
            yield f"{_name_pages(numbers)} not read: {reason}"
        if elsewhere := pages.count(None):
            yield f"{'not read' if elsewhere == 1 else f'{elsewhere} parts not read'}: {reason}"


def _name_pages(numbers: Sequence[int]) -> str:
    """Return ascending page numbers with runs shortened, such as `pages 4, 7-9`."""
    runs = [
        [number for _, number in group] for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    ]
    parts = (f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
    return f"{'page' if len(numbers) == 1 else 'pages'} {', '.join(parts)}"
