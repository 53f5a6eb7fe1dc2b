"""Extractions: the same questions of every document, and the rows of cells that answer them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictInt, StrictStr

from qa.results import Status
from qa.rows import Cell, ExtractedRow, NamedQuestion, RowPage
from qa.validation import MAX_DOCUMENTS, MAX_EXTRACT_QUESTIONS, MAX_QUESTION, MAX_ROWS
from qa.wire.base import IndexName, Request
from qa.wire.convert import answer_in, answer_out
from qa.wire.questions import AnswerOut, Confidence, QuestionText

DEFAULT_LIMIT = 50


class NamedQuestionIn(Request):
    """A question, and the name of its column."""

    name: StrictStr = Field(json_schema_extra={"pattern": r"\S", "maxLength": MAX_QUESTION})
    question: QuestionText


class ExtractJobRequest(Request):
    """The same questions for every document of an index."""

    questions: list[NamedQuestionIn] = Field(
        description="with different names", json_schema_extra={"minItems": 1, "maxItems": MAX_EXTRACT_QUESTIONS}
    )
    index: IndexName = "default"
    filters: dict[str, Any] = Field(default_factory=dict, description="as for a question")
    document_ids: list[StrictStr] | None = Field(
        None, description="ask only these documents", json_schema_extra={"minItems": 1, "maxItems": MAX_DOCUMENTS}
    )
    min_confidence: Confidence | None = Field(None, description="as for a question")

    def named_questions(self) -> list[NamedQuestion]:
        """Return the questions with their names."""
        return [NamedQuestion(question.name, question.question) for question in self.questions]


class ExtractRequest(ExtractJobRequest):
    """The same questions for a page of the documents of an index."""

    limit: Annotated[
        StrictInt,
        Field(description="maximum number of rows", json_schema_extra={"minimum": 1, "maximum": MAX_ROWS}),
    ] = DEFAULT_LIMIT
    cursor: StrictStr | None = Field(None, description="`next_cursor` of the previous page")


class CellOut(BaseModel):
    """What one document answers to one question: the first answer of `query` with a filter on the document."""

    status: Status
    answer: AnswerOut | None = Field(description="null unless `status` is `answered`")
    best_guess: AnswerOut | None = Field(description="the best candidate if `status` is not `answered`")


class RowOut(BaseModel):
    """The cells of one document, by the names of the questions."""

    document_id: str
    title: str | None
    uri: str | None
    meta: dict[str, Any]
    cells: dict[str, CellOut]
    revision: int = Field(description="revision of the index when the extraction began")


class ExtractResponse(BaseModel):
    """A page of rows, in the order of the document ids.

    Documents that were added since the extraction began, at `revision`, have no row.
    """

    rows: list[RowOut]
    next_cursor: str | None = Field(description="cursor of the next page; null on the last")
    revision: int


def extract_response(page: RowPage) -> ExtractResponse:
    """Return the wire form of a page of rows."""
    return ExtractResponse(
        rows=[row_out(row) for row in page.rows], next_cursor=page.next_cursor, revision=page.revision
    )


def row_out(row: ExtractedRow) -> RowOut:
    """Return the wire form of a row."""
    return RowOut(
        document_id=row.document_id,
        title=row.title,
        uri=row.uri,
        meta=dict(row.meta),
        cells={
            name: CellOut(
                status=cell.status,
                answer=answer_out(cell.answer) if cell.answer else None,
                best_guess=answer_out(cell.best_guess) if cell.best_guess else None,
            )
            for name, cell in row.cells.items()
        },
        revision=row.revision,
    )


def row_in(row: RowOut) -> ExtractedRow:
    """Return the row that a response carries; the inverse of `row_out`."""
    cells = {
        name: Cell(
            cell.status,
            answer_in(cell.answer) if cell.answer else None,
            answer_in(cell.best_guess) if cell.best_guess else None,
        )
        for name, cell in row.cells.items()
    }
    return ExtractedRow(row.document_id, row.title, row.uri, row.meta, cells, row.revision)
