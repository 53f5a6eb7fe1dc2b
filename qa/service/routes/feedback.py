"""Feedback on answers, and the labels that follow from it."""

from __future__ import annotations

from fastapi import APIRouter

from qa.errors import InvalidInput
from qa.feedback import Feedback, export_feedback, give_feedback
from qa.service.dependencies import REPEATABLE, WRITES, EngineDep, IndexDep
from qa.types import Span
from qa.wire.base import Offset
from qa.wire.feedback import FeedbackIn, FeedbackOut, SquadOut

router = APIRouter(prefix="/feedback", tags=["feedback"])


@router.post("", status_code=201, dependencies=[REPEATABLE])
def give(body: FeedbackIn, engine: EngineDep, index: IndexDep) -> FeedbackOut:
    """Tell that an answer is right or wrong, which span would be right, or that the document does not say."""
    given = Feedback(
        body.question, body.document_id, body.verdict, _span(body.document_offset), body.comment, body.query_id
    )
    (id,) = give_feedback(engine.documents, [given], index=index)
    return FeedbackOut(id=id)


@router.get("/export", dependencies=[WRITES])
def export(engine: EngineDep, index: IndexDep) -> SquadOut:
    """Return the labels that follow from all feedback, as SQuAD JSON: to evaluate with, or to train the reader on."""
    return SquadOut(**export_feedback(engine.documents, index=index))


def _span(offset: Offset | None) -> Span | None:
    if offset is None:
        return None
    if not 0 <= offset.start < offset.end:
        raise InvalidInput("a start from 0 on, and an end behind it", field="document_offset")
    return Span(offset.start, offset.end)
