"""Rebuild an index, roll it back, follow jobs, and get the results of extractions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from qa.errors import NotFound
from qa.service.authentication import client_address
from qa.service.dependencies import ADMINISTERS, IDEMPOTENT, CallerDep, NamedIndexDep, ServicesDep
from qa.service.job_responses import accepted, job_out
from qa.service.job_types import Job
from qa.service.services import Services
from qa.wire.extraction import RowOut, row_in
from qa.wire.indexes import JobList, JobOut
from qa.wire.row_csv import rows_to_csv

router = APIRouter(tags=["jobs"])

_MEDIA_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


def _get_job(id: str, services: ServicesDep, caller: CallerDep) -> Job:
    job = services.jobs.get(id)
    caller.check_index(job.index)
    return job


JobDep = Annotated[Job, Depends(_get_job)]


def _check_cancel_scope(id: str, services: ServicesDep, caller: CallerDep) -> None:
    kind = None
    with suppress(NotFound):
        kind = services.jobs.get(id).kind
    if kind != "extract":
        caller.check_scope("admin")


async def _admit_follower(request: Request, services: ServicesDep, caller: CallerDep) -> AsyncIterator[None]:
    """Count the caller among those that follow a job, until the response has ended."""
    with services.job_events.admit(services.callers.identify(caller, client_address(request.scope))):
        yield


@router.post("/indexes/{name}/rebuild", status_code=202, response_model=JobOut, dependencies=[ADMINISTERS, IDEMPOTENT])
def rebuild(name: NamedIndexDep, services: ServicesDep) -> Response:
    """Split and embed all documents again as a new generation, then make it live. Queries and writes continue."""
    return _start("rebuild", name, services)


@router.post("/indexes/{name}/rollback", status_code=202, response_model=JobOut, dependencies=[ADMINISTERS, IDEMPOTENT])
def rollback(name: NamedIndexDep, services: ServicesDep) -> Response:
    """Make the previous generation live again, including every write since."""
    return _start("rollback", name, services)


@router.get("/jobs")
def list_jobs(services: ServicesDep, caller: CallerDep) -> JobList:
    """List the latest jobs on the indexes that the caller can use, newest first."""
    return JobList(jobs=[job_out(job) for job in services.jobs.all() if caller.index in (None, job.index)])


@router.get("/jobs/{id}")
def get(job: JobDep) -> JobOut:
    """Return the state of a job."""
    return job_out(job)


@router.delete("/jobs/{id}", status_code=202, dependencies=[Depends(_check_cancel_scope)])
def cancel(job: JobDep, services: ServicesDep) -> JobOut:
    """Cancel a job.

    The next rebuild continues from what a cancelled rebuild has built. A cancelled extraction keeps its rows. Any key
    for the index may cancel an extraction, as any may start one.
    """
    return job_out(services.jobs.cancel(job.id))


@router.get(
    "/jobs/{id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
    dependencies=[Depends(_admit_follower)],
)
async def events(job: JobDep, services: ServicesDep) -> StreamingResponse:
    """Follow a job by server-sent events: one after each change, the last when the job has ended.

    If the server is about to stop, the events end before the job does; follow it at the next server.
    """

    async def stream() -> AsyncIterator[str]:
        async for state in services.job_events.follow(job.id):
            yield f"event: {state.state}\ndata: {job_out(state).model_dump_json()}\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.get(
    "/jobs/{id}/result",
    response_class=StreamingResponse,
    responses={200: {"content": {_MEDIA_TYPES["ndjson"]: {}, "text/csv": {}}}},
)
def result(
    job: JobDep,
    services: ServicesDep,
    format: Annotated[
        Literal["ndjson", "csv"], Query(description="`ndjson`: a row as JSON on each line; `csv`: a table")
    ] = "ndjson",
) -> StreamingResponse:
    """Return the rows of an extraction that are done so far, while the job runs and after it has ended.

    In CSV, a cell that a spreadsheet would run as a formula has an apostrophe before it.
    """
    if job.questions is None:
        raise NotFound(f"job {job.id!r} ({job.kind}) has no result; only extractions have one", field="id")
    lines = services.jobs.result(job.id).lines()
    rows = (row_in(RowOut.model_validate_json(line)) for line in lines)
    names = [question["name"] for question in job.questions]
    headers = {
        "Content-Disposition": f'attachment; filename="extraction-{job.id}.{format}"',
        "Cache-Control": "no-store",
    }
    content: Iterator[bytes] | Iterator[str] = lines if format == "ndjson" else rows_to_csv(names, rows)
    return StreamingResponse(content, media_type=_MEDIA_TYPES[format], headers=headers)


def _start(kind: str, name: str, services: Services) -> JSONResponse:
    total = services.engine.indexes.get(name).state().documents
    return accepted(services.jobs.start(kind, name, total, services.start_job))
