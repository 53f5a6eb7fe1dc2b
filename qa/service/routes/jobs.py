"""Rebuild an index, bring the generation before back, and the jobs that do it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse, StreamingResponse

from qa.engine import Engine
from qa.service.dependencies import ADMINISTERS, REPEATABLE, BeginDep, CallerDep, EngineDep, JobsDep, NamedIndexDep
from qa.service.jobs import Begin, Job, Jobs
from qa.service.job_responses import accepted, job_out
from qa.wire.indexes import JobList, JobOut

router = APIRouter(tags=["jobs"])


def _job(id: str, jobs: JobsDep, caller: CallerDep) -> Job:
    job = jobs.get(id)
    caller.check_index(job.index)
    return job


JobDep = Annotated[Job, Depends(_job)]


@router.post("/indexes/{name}/rebuild", status_code=202, response_model=JobOut, dependencies=[ADMINISTERS, REPEATABLE])
def rebuild(name: NamedIndexDep, engine: EngineDep, jobs: JobsDep, begin: BeginDep) -> Response:
    """Split and embed all documents anew, aside; queries and writes go on. Then the new generation answers."""
    return _begun(name, "rebuild", engine, jobs, begin)


@router.post("/indexes/{name}/rollback", status_code=202, response_model=JobOut, dependencies=[ADMINISTERS, REPEATABLE])
def rollback(name: NamedIndexDep, engine: EngineDep, jobs: JobsDep, begin: BeginDep) -> Response:
    """Let the generation before answer again, with everything that was written since."""
    return _begun(name, "rollback", engine, jobs, begin)


@router.get("/jobs")
def list_jobs(jobs: JobsDep, caller: CallerDep) -> JobList:
    """List the last jobs on the indexes that the caller can use, the newest first."""
    return JobList(jobs=[job_out(job) for job in jobs.all() if caller.index in (None, job.index)])


@router.get("/jobs/{id}")
def get(job: JobDep) -> JobOut:
    """Tell how a job stands."""
    return job_out(job)


@router.delete("/jobs/{id}", status_code=202, dependencies=[ADMINISTERS])
def cancel(job: JobDep, jobs: JobsDep) -> JobOut:
    """Ask a job to stop. What it has built is used by the next one."""
    return job_out(jobs.cancel(job.id))


@router.get(
    "/jobs/{id}/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}}
)
def events(job: JobDep, jobs: JobsDep) -> StreamingResponse:
    """Follow a job by server-sent events: one whenever something has changed, the last when it has ended."""

    def told() -> Iterator[str]:
        for now in jobs.follow(job.id):
            yield f"event: {now.state}\ndata: {job_out(now).model_dump_json()}\n\n"

    return StreamingResponse(told(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _begun(name: str, kind: str, engine: Engine, jobs: Jobs, begin: Begin) -> JSONResponse:
    total = engine.indexes.get(name).state().documents
    return accepted(jobs.start(kind, name, total, begin))
