"""The state of a job, and the functions that start it and do its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

State = Literal["running", "done", "failed", "cancelled"]
StartJob = Callable[[str, int], None]
"""Starts a process that runs the job with this id. The process inherits the file descriptor of the job's lock."""


class ReportProgress(Protocol):
    """Stores the progress of a job."""

    def __call__(self, finished: int, **changes: Any) -> None:
        """Add to the number of finished items, and change other attributes of the job."""


Work = Callable[[ReportProgress], Mapping[str, Any]]
"""Does the work of a job, and returns changes to the job's attributes."""


@dataclass(frozen=True, slots=True)
class Job:
    """The state of a job.

    Attributes:
        id: identifies the job.
        kind: rebuild, rollback, upload or extract.
        index: name of the index that the job changes or asks.
        state: running, done, failed or cancelled.
        done: number of finished documents, or files of an upload.
        total: number of documents or files. Writes during a rebuild add to it; documents that an earlier, interrupted
            rebuild finished are subtracted at the end.
        rate: documents or files per second so far.
        seconds_left: estimated from the rate; None before the first item is done and once the job has ended.
        error: why the job failed.
        generation: the live generation after a rebuild or rollback.
        files: outcome of each file of an upload so far.
        started_at: in UTC.
        ended_at: in UTC; None while the job runs.
        columns: names of the columns of text, title and id in the tables of an upload.
        page: number of pages read of the file with pages that an upload read last; None once it is added.
        pages: number of pages of that file.
        extraction: what an extraction asks of which documents, and the revision and mark at which it began.
    """

    id: str
    kind: str
    index: str
    state: State
    done: int
    total: int
    rate: float
    seconds_left: float | None
    error: str | None
    generation: int | None
    files: Sequence[Mapping[str, Any]] | None
    started_at: str
    ended_at: str | None
    # Jobs of earlier versions lack these.
    columns: Mapping[str, str | None] | None = None
    page: int | None = None
    pages: int | None = None
    extraction: Mapping[str, Any] | None = None

    @property
    def questions(self) -> Sequence[Mapping[str, str]] | None:
        """The questions of an extraction, each with its name."""
        return self.extraction["questions"] if self.extraction else None

    @property
    def revision(self) -> int | None:
        """The revision of the index at which an extraction began."""
        return self.extraction["revision"] if self.extraction else None
