"""Quotations to find in documents, and the results.

Offsets are Unicode code points, half-open, in the stored text of the document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.types import Rectangle, Span


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotation to find, in one document if `document_id` is set."""

    text: str
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class WordDifference:
    """Words in which a quotation and a document differ.

    Attributes:
        quoted: the words of the quotation; empty where the document has more.
        actual: the words of the document, verbatim; empty where the quotation has more.
        span: place of `actual` in the document.
    """

    quoted: str
    actual: str
    span: Span


@dataclass(frozen=True, slots=True)
class QuoteMatch:
    """A place of a quotation, or the nearest text: `document.text[span] == text`.

    Attributes:
        document_id: the document.
        span: place in the document.
        text: the words there, verbatim.
        exact: whether the words are those of the quotation; the way in which they are set may differ.
        similarity: from 0 to 1; 1 for an exact match.
        page: page number from 1, where the format has pages.
        section: heading above the text, where the format has headings.
        rectangles: places on the pages of a PDF, one for each line.
        difference: the words that differ, in order; empty for an exact match.
    """

    document_id: str
    span: Span
    text: str
    exact: bool
    similarity: float
    page: int | None = None
    section: str | None = None
    rectangles: Sequence[Rectangle] = ()
    difference: tuple[WordDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class QuoteResult:
    """Where a quotation is in the documents.

    `matches` has its exact places in the order of the documents, at most 20. Without any, it has the nearest text, if
    a document shares a word with the quotation.
    """

    matches: tuple[QuoteMatch, ...]

    @property
    def found(self) -> bool:
        """Whether the quotation is in the documents."""
        return any(match.exact for match in self.matches)
