"""Values that the whole package shares.

Offsets are Unicode code points, half-open, in the stored text of the document.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict

Meta = Mapping[str, str | int | float | bool | None]
Change = Literal["created", "replaced", "unchanged"]
TextKind = Literal["text", "ocr", "contents"]
"""How a text came about or what it is for: `ocr` was recognised in a picture; `contents` is a table of contents or an
index of a book, which is stored but neither searched nor read."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points: `text[start:end]`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"start {self.start} and end {self.end} are not a span; 0 <= start <= end is required")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """Return the text that the span covers."""
        return text[self.start : self.end]

    def shift(self, by: int) -> Span:
        """Return the span moved by `by` code points."""
        return Span(self.start + by, self.end + by)

    def is_of_whole_words(self, text: str) -> bool:
        """Return whether neither end is between two letters or digits of the text."""
        return not any(
            0 < edge < len(text) and text[edge - 1].isalnum() and text[edge].isalnum()
            for edge in (self.start, self.end)
        )

    def overlaps(self, other: Span) -> bool:
        """Return whether both spans share a code point."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Mark:
    """The page (from 1), section and kind of a text between `start` and the next mark."""

    start: int
    page: int | None = None
    section: str | None = None
    kind: TextKind = "text"


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a page (from 1), in points from its lower left corner."""

    page: int
    left: float
    bottom: float
    right: float
    top: float


def mark_at(marks: Sequence[Mark], offset: int) -> Mark | None:
    """Return the mark that covers an offset; None before the first."""
    following = bisect_right(marks, offset, key=lambda mark: mark.start)
    return marks[following - 1] if following else None


def marks_within(marks: Sequence[Mark], span: Span) -> tuple[Mark, ...]:
    """Return the marks that cover a part of a span."""
    first = max(0, bisect_right(marks, span.start, key=lambda mark: mark.start) - 1)
    return tuple(mark for mark in marks[first:] if mark.start < span.end)


@dataclass(frozen=True, slots=True)
class Table:
    """The structure of a table in a text, where each row is a line with ` | ` between its cells.

    Attributes:
        start: offset of the first row.
        rows: for each row, the lengths of its cells in code points.
        header: what each column holds, in the order of the columns; empty if the table has no header.
        header_rows: number of rows at the start that are the header; 0 if `header` comes from rows above `start`.
        labelled: whether the first cell of a row names what the row is about.
        numbers: for each row, its number in the sheet of a workbook, from 1; empty for other tables.
        first_column: number of the first column in the sheet, from 1.
    """

    start: int
    rows: Sequence[Sequence[int]]
    header: Sequence[str] = ()
    header_rows: int = 0
    labelled: bool = False
    numbers: Sequence[int] = ()
    first_column: int = 1


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of a file that extraction could not read; `page` (from 1) is None if it is not on one page."""

    page: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The original file of a document.

    Attributes:
        name: base name of the file.
        media_type: for example `application/pdf`.
        sha256: hash of the bytes, in hexadecimal.
        size: in bytes.
        data: the bytes; None if they are already stored.
    """

    name: str
    media_type: str
    sha256: str
    size: int
    data: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A document's text and metadata.

    Attributes:
        id: unique in its index.
        text: the extracted text; offsets count its code points.
        title: included when passages are embedded, searched and read; no answer comes from it.
        uri: where the document came from.
        meta: metadata, which filters test.
        marks: its pages and sections, ascending.
        boxes: where its words are on the pages of a PDF; see `qa.text.boxes`.
        tables: its tables, ascending.
        unread: what extraction could not read.
        file: its original file.
    """

    id: str
    text: str
    title: str | None = None
    uri: str | None = None
    meta: Meta = field(default_factory=dict)
    marks: Sequence[Mark] = ()
    boxes: bytes = b""
    tables: Sequence[Table] = ()
    unread: Sequence[Unread] = ()
    file: SourceFile | None = None


class Description(TypedDict, total=False):
    """The fields of a document that can change without its text."""

    title: str | None
    meta: Meta


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A stored document without its text.

    Attributes:
        characters: length of the text in code points.
        passages: number of passages in the live generation.
        sha256: content hash of text, title, address and metadata; the ETag over HTTP.
        added_at: UTC time of the last write, ISO 8601.
        revision: revision of the index at the last write.
        unread: what extraction could not read.
        file: the original file; None if it is not kept.
    """

    id: str
    title: str | None
    uri: str | None
    meta: Meta
    characters: int
    passages: int
    sha256: str
    added_at: str
    revision: int
    unread: Sequence[Unread] = ()
    file: SourceFile | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that is embedded, searched and read as a unit; `text == document.text[span]`.

    Attributes:
        cut: for each end, whether it is inside a word; no answer starts or ends there.
        marks: the document's marks that cover the passage; offsets count in the document.
        boxes: the document's word boxes within the passage; offsets count in the document.
        tables: the rows of the document's tables that the passage touches; offsets count in the document.
        lead_in: what the reader sees before the passage: the lines above that say what its beginning belongs to, and
            the indentation of its first line; see `qa.text.lead_in`.
    """

    document_id: str
    span: Span
    text: str
    cut: tuple[bool, bool] = (False, False)
    marks: Sequence[Mark] = ()
    boxes: bytes = b""
    tables: Sequence[Table] = ()
    lead_in: str = ""
