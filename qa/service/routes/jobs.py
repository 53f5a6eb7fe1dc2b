"""Rebuild an index, roll it back, and follow the jobs that do this."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from qa.service.authentication import client_address
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


@router.delete("/jobs/{id}", status_code=202, dependencies=[ADMINISTERS])
def cancel(job: JobDep, services: ServicesDep) -> JobOut:
    """Cancel a job. The next rebuild continues from what a cancelled rebuild has built."""
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


def _start(kind: str, name: str, services: Services) -> JSONResponse:
    total = services.engine.indexes.get(name).state().documents
    return accepted(services.jobs.start(kind, name, total, services.start_job))
