"""Extract: the same questions of every document, page by page or as a job."""

from __future__ import annotations

from fastapi import APIRouter, Response

from qa.answering.extraction import Extraction, begin, extract_page
from qa.service.dependencies import IDEMPOTENT, CallerDep, QueuedCallerDep, ServicesDep
from qa.service.job_responses import accepted
from qa.stopwatch import Stopwatch
from qa.wire.extraction import ExtractJobRequest, ExtractRequest, ExtractResponse, extract_response
from qa.wire.indexes import JobOut

router = APIRouter(prefix="/extract", tags=["questions"])


@router.post("")
def extract(
    body: ExtractRequest,
    services: ServicesDep,
    caller: CallerDep,
    queued_caller: QueuedCallerDep,
) -> ExtractResponse:
    """Ask the same questions of every document: a page of rows, in the order of the document ids.

    Send `next_cursor` as `cursor` for the next page. Documents that are added in the meantime are left out.
    """
    caller.check_index(body.index)
    documents = len(body.document_ids or ()) or services.engine.indexes.get(body.index).counts()[0]
    cells = max(1, min(body.limit, documents) * len(body.questions))
    with services.questions.admit(cells, queued_caller) as waited:
        clock = Stopwatch()
        page = extract_page(services.engine.answerer, _extraction(body), body.limit, body.cursor)
        clock.lap("read")
    services.metrics.record_rows(page.rows, clock.timings_ms(), waited)
    return extract_response(page)


@router.post("/jobs", status_code=202, response_model=JobOut, dependencies=[IDEMPOTENT])
def extract_later(body: ExtractJobRequest, services: ServicesDep, caller: CallerDep) -> Response:
    """Start a job that asks the same questions of every document.

    `GET /v1/jobs/{id}/result` returns its rows, while it runs and after. The next server resumes an interrupted job.
    """
    caller.check_index(body.index)
    begun, documents = begin(services.engine.answerer, _extraction(body))
    content = body.model_dump(exclude={"index"}) | begun._asdict()
    return accepted(services.jobs.start("extract", body.index, documents, services.start_job, extraction=content))


def _extraction(body: ExtractJobRequest) -> Extraction:
    return Extraction(body.named_questions(), body.index, body.filters, body.document_ids, body.min_confidence)
