"""Feedback and labels."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, StrictStr

from qa.wire.base import Offset, Request
from qa.wire.questions import QuestionText


class FeedbackIn(Request):
    """A judgement of an answer, or of a question that a document does not answer."""

    question: QuestionText
    document_id: StrictStr
    verdict: Literal["right", "wrong", "corrected", "unanswerable"]
    document_offset: Offset | None = Field(
        None, description="of the judged answer, or of the right one for `corrected`"
    )
    comment: StrictStr | None = None
    query_id: StrictStr | None = None


class FeedbackOut(BaseModel):
    """The id of the feedback, which is stored on disk."""

    id: str


class SquadOut(BaseModel):
    """Labels in the SQuAD 2.0 format; `left_out` counts questions whose documents have changed or gone."""

    version: str
    data: list[dict[str, Any]]
    left_out: int
