"""Quotations and where they are: the JSON models, and their conversion from and to the engine's types (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, StrictStr

from qa.quotations import QuoteMatch, QuoteResult, WordDifference
from qa.types import Rectangle, Span
from qa.validation import MAX_QUOTE, MAX_QUOTES, MIN_QUOTE
from qa.wire.base import IndexName, Offset, Request
from qa.wire.questions import RectangleOut


class QuoteIn(Request):
    """A quotation to find."""

    text: StrictStr = Field(json_schema_extra={"pattern": r"\S", "minLength": MIN_QUOTE, "maxLength": MAX_QUOTE})
    document_id: StrictStr | None = Field(None, description="find it in this document only")


class VerifyRequest(Request):
    """Up to 64 quotations to find in the documents of an index."""

    quotes: list[QuoteIn] = Field(json_schema_extra={"minItems": 1, "maxItems": MAX_QUOTES})
    index: IndexName = "default"
    filters: dict[str, Any] = Field(
        default_factory=dict,
        description="by metadata field, document_id, title or uri: a value, a list, or bounds (gt, gte, lt, lte)",
    )


class WordDifferenceOut(BaseModel):
    """Words in which a quotation and a document differ; `document_offset` is that of `actual`."""

    quoted: str = Field(description="words of the quotation; empty where the document has more")
    actual: str = Field(description="words of the document; empty where the quotation has more")
    document_offset: Offset


class QuoteMatchOut(BaseModel):
    """A place of a quotation, or the nearest text."""

    document_id: str
    document_offset: Offset
    page: int | None
    section: str | None
    rectangles: list[RectangleOut] = Field(description="areas on the pages of a PDF, one for each line")
    text: str
    exact: bool = Field(
        description="whether the words are the same; white space, quotation marks, dashes, ligatures, case and "
        "hyphens at line ends may differ"
    )
    similarity: float = Field(description="from 0 to 1; 1 if `exact`")
    difference: list[WordDifferenceOut] = Field(description="the words that differ; empty if `exact`")


class QuoteResultOut(BaseModel):
    """Where a quotation is in the documents."""

    found: bool = Field(description="whether it is in the documents")
    matches: list[QuoteMatchOut] = Field(
        description="its exact places in the order of the documents, at most 20; without any, the nearest text"
    )


class VerifyResponse(BaseModel):
    """One result for each quotation, in order."""

    results: list[QuoteResultOut]


def verify_response(results: Sequence[QuoteResult]) -> VerifyResponse:
    """Return the wire form of the results of several quotations."""
    return VerifyResponse(
        results=[
            QuoteResultOut(found=result.found, matches=[_match_out(match) for match in result.matches])
            for result in results
        ]
    )


def quote_results(response: VerifyResponse) -> list[QuoteResult]:
    """Return the results that a response carries; the inverse of `verify_response`."""
    return [QuoteResult(tuple(_match(match) for match in result.matches)) for result in response.results]


def _match_out(match: QuoteMatch) -> QuoteMatchOut:
    return QuoteMatchOut(
        document_id=match.document_id,
        document_offset=Offset(start=match.span.start, end=match.span.end),
        page=match.page,
        section=match.section,
        rectangles=[RectangleOut.model_validate(r, from_attributes=True) for r in match.rectangles],
        text=match.text,
        exact=match.exact,
        similarity=match.similarity,
        difference=[
            WordDifferenceOut(
                quoted=d.quoted, actual=d.actual, document_offset=Offset(start=d.span.start, end=d.span.end)
            )
            for d in match.difference
        ],
    )


def _match(match: QuoteMatchOut) -> QuoteMatch:
    return QuoteMatch(
        document_id=match.document_id,
        span=Span(match.document_offset.start, match.document_offset.end),
        text=match.text,
        exact=match.exact,
        similarity=match.similarity,
        page=match.page,
        section=match.section,
        rectangles=tuple(Rectangle(**rectangle.model_dump()) for rectangle in match.rectangles),
        difference=tuple(
            WordDifference(d.quoted, d.actual, Span(d.document_offset.start, d.document_offset.end))
            for d in match.difference
        ),
    )
