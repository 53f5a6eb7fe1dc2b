"""Feedback, and the labels that follow from it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, StrictStr

from qa.wire.base import Offset, Request
from qa.wire.questions import QuestionText


class FeedbackIn(Request):
    """What somebody says of an answer, or of a question that a document does not answer."""

    question: QuestionText
    document_id: StrictStr
    verdict: Literal["right", "wrong", "corrected", "unanswerable"]
    document_offset: Offset | None = Field(
        None, description="of the answer that is right or wrong, or of the one that would be right"
    )
    comment: StrictStr | None = None
    query_id: StrictStr | None = None


class FeedbackOut(BaseModel):
    """The feedback is on disk."""

    id: str


class SquadOut(BaseModel):
    """Labels in the layout of SQuAD 2.0; `left_out` questions do not hold any more: their documents have changed."""

    version: str
    data: list[dict[str, Any]]
    left_out: int
