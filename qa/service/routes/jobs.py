"""Rebuild an index, bring the generation before back, and the jobs that do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from qa.engine import Engine
from qa.service.dependencies import EngineDep, JobsDep
from qa.service.jobs import Job, Jobs
from qa.wire.indexes import JobList, JobOut

router = APIRouter(tags=["jobs"])


@router.post("/indexes/{name}/rebuild", status_code=202)
def rebuild(name: str, engine: EngineDep, jobs: JobsDep, response: Response) -> JobOut:
    """Split and embed all documents anew, aside; queries and writes go on. Then the new generation answers."""
    return _begun(name, "rebuild", engine.rebuild, engine, jobs, response)


@router.post("/indexes/{name}/rollback", status_code=202)
def rollback(name: str, engine: EngineDep, jobs: JobsDep, response: Response) -> JobOut:
    """Let the generation before answer again, with everything that was written since."""
    return _begun(name, "rollback", engine.rollback, engine, jobs, response)


@router.get("/jobs")
def list_jobs(jobs: JobsDep) -> JobList:
    """List the last jobs, the newest first."""
    return JobList(jobs=[_out(job) for job in jobs.all()])


@router.get("/jobs/{id}")
def get(id: str, jobs: JobsDep) -> JobOut:
    """Tell how a job stands."""
    return _out(jobs.get(id))


@router.delete("/jobs/{id}", status_code=202)
def cancel(id: str, jobs: JobsDep) -> JobOut:
    """Ask a job to stop. What it has built is used by the next one."""
    return _out(jobs.cancel(id))


@router.get("/jobs/{id}/events", response_class=StreamingResponse)
def events(id: str, jobs: JobsDep) -> StreamingResponse:
    """Follow a job by server-sent events: one whenever something has changed, the last when it has ended."""
    # One that is not there is told before the stream begins.
    jobs.get(id)

    def told() -> Iterator[str]:
        for job in jobs.follow(id):
            yield f"event: {job.state}\ndata: {_out(job).model_dump_json()}\n\n"

    return StreamingResponse(told(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _begun(
    name: str, kind: str, work: Callable[..., tuple[int, int]], engine: Engine, jobs: Jobs, response: Response
) -> JobOut:
    total = engine.indexes.get(name).state().documents
    job = jobs.start(kind, name, total, lambda advance: work(index=name, advance=advance))
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return _out(job)


def _out(job: Job) -> JobOut:
    return JobOut.model_validate(job, from_attributes=True)
