"""Indexes, and the long work that is done on them."""

from __future__ import annotations

from pydantic import BaseModel, Field

from qa.wire.documents import UploadedOut


class IndexOut(BaseModel):
    """An index, and what is in it."""

    name: str
    documents: int
    passages: int
    generation: int
    revision: int


class IndexList(BaseModel):
    """All indexes."""

    indexes: list[IndexOut]


class JobOut(BaseModel):
    """How a job stands: running, done, failed or cancelled."""

    id: str
    kind: str
    index: str
    state: str
    done: int
    total: int
    rate: float = Field(description="documents, or files of an upload, a second")
    seconds_left: float | None
    error: str | None
    generation: int | None = Field(description="the one that answers, once the job is done")
    files: list[UploadedOut] | None = Field(description="of an upload: what became of each so far")
    started_at: str
    ended_at: str | None


class JobList(BaseModel):
    """The last jobs."""

    jobs: list[JobOut]
