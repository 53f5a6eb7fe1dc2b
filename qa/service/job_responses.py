"""Responses about jobs."""

from __future__ import annotations

from fastapi.responses import JSONResponse

from qa.service.job_types import Job
from qa.wire.base import PREFIX
from qa.wire.indexes import JobOut


def job_out(job: Job) -> JobOut:
    """Return the wire form of a job."""
    return JobOut.model_validate(job, from_attributes=True)


def accepted(job: Job) -> JSONResponse:
    """Return the 202 response to a request that started a job."""
    return JSONResponse(job_out(job).model_dump(), 202, {"Location": f"{PREFIX}/jobs/{job.id}"})
