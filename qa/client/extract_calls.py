"""The calls that ask the same questions of every document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from qa.client.requests import Call, Pages, build_call, convert_call, quote_id
from qa.rows import ExtractedRow, Questions, name_questions
from qa.wire.base import PREFIX
from qa.wire.extraction import ExtractResponse, RowOut, row_in
from qa.wire.indexes import JobOut

T = TypeVar("T")

# A page of many cells, or a large result, takes minutes.
_TIMEOUT_S = 600.0
# Cells asked for in one call, so that a call takes seconds.
_CELLS_OF_CALL = 100


def extract(
    questions: Questions,
    *,
    index: str = "default",
    filters: Mapping[str, object] | None = None,
    document_ids: Sequence[str] | None = None,
    min_confidence: float | None = None,
) -> Pages[ExtractedRow]:
    """Ask the same questions of every document; yield a row for each, in the order of the document ids.

    Args:
        questions: at most 32, by the name of their column, or a list of questions that are their own names.
        index: name of the index.
        filters: conditions on metadata that a document must meet.
        document_ids: ask only these documents, at most 1,000.
        min_confidence: as for `ask`.
    """
    body = _body(questions, index, filters, document_ids, min_confidence)
    limit = max(1, _CELLS_OF_CALL // max(1, len(body["questions"])))

    def call_page(cursor: str | None) -> Call[tuple[Sequence[ExtractedRow], str | None]]:
        content = {**body, "limit": limit, "cursor": cursor}
        response = build_call("POST", "/extract", ExtractResponse, json=content, timeout=_TIMEOUT_S)
        return convert_call(response, lambda page: ([row_in(row) for row in page.rows], page.next_cursor))

    return call_page


def extract_later(
    questions: Questions,
    *,
    index: str = "default",
    filters: Mapping[str, object] | None = None,
    document_ids: Sequence[str] | None = None,
    min_confidence: float | None = None,
) -> Call[JobOut]:
    """Start a job that asks the same questions of every document; the arguments are those of `extract`."""
    body = _body(questions, index, filters, document_ids, min_confidence)
    return build_call("POST", "/extract/jobs", JobOut, json=body, repeatable=False)


def extracted_rows(id: str) -> Call[list[ExtractedRow]]:
    """Return the rows that a job has written so far."""
    return _result(
        id, "ndjson", lambda text: [row_in(RowOut.model_validate_json(line)) for line in text.split("\n") if line]
    )


def extracted_csv(id: str) -> Call[str]:
    """Return the rows that a job has written so far, as CSV."""
    return _result(id, "csv", lambda text: text)


def _body(
    questions: Questions,
    index: str,
    filters: Mapping[str, object] | None,
    document_ids: Sequence[str] | None,
    min_confidence: float | None,
) -> dict[str, Any]:
    return {
        "questions": [question._asdict() for question in name_questions(questions)],
        "index": index,
        "filters": dict(filters or {}),
        "document_ids": None if document_ids is None else list(document_ids),
        "min_confidence": min_confidence,
    }


def _result(id: str, format: str, parse: Callable[[str], T]) -> Call[T]:
    path = f"{PREFIX}/jobs/{quote_id(id)}/result"
    options = {"params": {"format": format}, "timeout": _TIMEOUT_S}
    return Call("GET", path, lambda response: parse(response.content.decode()), options)
