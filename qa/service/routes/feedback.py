"""Feedback on answers, and its export as labelled questions."""

from __future__ import annotations

from fastapi import APIRouter

from qa.errors import InvalidInput
from qa.feedback import Feedback, export_feedback, give_feedback
from qa.service.dependencies import IDEMPOTENT, WRITES, IndexDep, ServicesDep
from qa.types import Span
from qa.wire.base import Offset
from qa.wire.feedback import FeedbackIn, FeedbackOut, SquadOut

router = APIRouter(prefix="/feedback", tags=["feedback"])


@router.post("", status_code=201, dependencies=[IDEMPOTENT])
def give(body: FeedbackIn, services: ServicesDep, index: IndexDep) -> FeedbackOut:
    """Mark an answer as right or wrong, correct its span, or mark a question as unanswerable from a document."""
    feedback = Feedback(
        body.question, body.document_id, body.verdict, _span(body.document_offset), body.comment, body.query_id
    )
    (id,) = give_feedback(services.engine.documents, [feedback], index=index)
    return FeedbackOut(id=id)


@router.get("/export", dependencies=[WRITES])
def export(services: ServicesDep, index: IndexDep) -> SquadOut:
    """Export all feedback as labelled questions in SQuAD JSON, to evaluate or to train the reader with."""
    return SquadOut(**export_feedback(services.engine.documents, index=index))


def _span(offset: Offset | None) -> Span | None:
    if offset is None:
        return None
    if not 0 <= offset.start < offset.end:
        raise InvalidInput(
            f"start must be from 0 to end - 1, got start {offset.start} and end {offset.end}", field="document_offset"
        )
    return Span(offset.start, offset.end)
