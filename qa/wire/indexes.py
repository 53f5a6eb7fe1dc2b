"""Indexes and jobs."""

from __future__ import annotations

from pydantic import BaseModel, Field

from qa.wire.documents import UploadedOut
from qa.wire.extraction import NamedQuestionIn


class IndexOut(BaseModel):
    """An index and its size."""

    name: str
    documents: int
    passages: int
    generation: int
    revision: int


class IndexList(BaseModel):
    """All indexes."""

    indexes: list[IndexOut]


class JobOut(BaseModel):
    """The state of a job: running, done, failed or cancelled."""

    id: str
    kind: str
    index: str
    state: str
    done: int
    total: int
    rate: float = Field(description="documents per second, or files of an upload")
    seconds_left: float | None
    error: str | None
    generation: int | None = Field(description="the live generation, once the job is done")
    files: list[UploadedOut] | None = Field(description="outcomes of the files of an upload, so far")
    page: int | None = Field(description="pages read of the file that an upload read last; null once it is added")
    pages: int | None = Field(description="pages of that file")
    questions: list[NamedQuestionIn] | None = Field(description="what an extraction asks of every document")
    revision: int | None = Field(description="revision of the index when an extraction began")
    started_at: str
    ended_at: str | None


class JobList(BaseModel):
    """The latest jobs."""

    jobs: list[JobOut]
