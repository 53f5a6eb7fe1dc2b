"""Rebuild an index, roll it back, and follow the jobs that do this."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse, StreamingResponse

from qa.service.dependencies import ADMINISTERS, IDEMPOTENT, CallerDep, NamedIndexDep, ServicesDep
from qa.service.job_responses import accepted, job_out
from qa.service.job_types import Job
from qa.service.services import Services
from qa.wire.indexes import JobList, JobOut

router = APIRouter(tags=["jobs"])


def _get_job(id: str, services: ServicesDep, caller: CallerDep) -> Job:
    job = services.jobs.get(id)
    caller.check_index(job.index)
    return job


JobDep = Annotated[Job, Depends(_get_job)]


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


@router.delete("/jobs/{id}", status_code=202, dependencies=[ADMINISTERS])
def cancel(job: JobDep, services: ServicesDep) -> JobOut:
    """Cancel a job. The next rebuild continues from what a cancelled rebuild has built."""
    return job_out(services.jobs.cancel(job.id))


@router.get(
    "/jobs/{id}/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}}
)
def events(job: JobDep, services: ServicesDep) -> StreamingResponse:
    """Follow a job by server-sent events: one after each change, the last when the job has ended."""

    def stream() -> Iterator[str]:
        for state in services.jobs.follow(job.id):
            yield f"event: {state.state}\ndata: {job_out(state).model_dump_json()}\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _start(kind: str, name: str, services: Services) -> JSONResponse:
    total = services.engine.indexes.get(name).state().documents
    return accepted(services.jobs.start(kind, name, total, services.start_job))
