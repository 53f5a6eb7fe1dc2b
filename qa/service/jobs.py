"""Jobs: rebuilds, rollbacks, large uploads and extractions that outlast a request.

A job's state is a file, so that any process can read it. The process that runs the job holds a file lock. A job that is
recorded as running, but whose lock is free, was interrupted: its process died.

indexes/.jobs/ID.json    state               ID.lock    held by the process that runs the job
              ID.cancel  cancel requested    ID.files/  uploaded files, numbered from 0
              ID.again   resumed, and with how many bytes of rows
              ID.rows    rows of an extraction so far, a JSON object on each line
"""

from __future__ import annotations

import json
import logging
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from qa.errors import Conflict, NotFound, Overloaded, QAError, Unavailable
from qa.index.durable import PRIVATE_FILE, PRIVATE_FOLDER, file_lock, is_locked, try_file_lock, write_durably
from qa.service.extract_results import ResultFile
from qa.service.job_types import Job, StartJob, Work
from qa.wire.indexes import JobOut

_log = logging.getLogger(__name__)
_MAX_ENDED = 100
# Jobs that do not conflict with others; each has its own process.
_MAX_RUNNING = {"upload": 2, "extract": 2}
_PLURALS = {"upload": "uploads", "extract": "extractions"}


class _Cancelled(Exception):
    """A client cancelled the job."""


class Jobs:
    """The jobs of one folder of indexes, in any process."""

    def __init__(self, folder: Path) -> None:
        # Not a valid name of an index.
        self._folder = folder / ".jobs"

    def start(
        self,
        kind: str,
        index: str,
        total: int,
        start_job: StartJob,
        files: Sequence[tuple[str, BinaryIO]] | None = None,
        columns: Mapping[str, str | None] | None = None,
        extraction: Mapping[str, Any] | None = None,
    ) -> Job:
        """Start a job.

        Args:
            kind: rebuild, rollback, upload or extract.
            index: name of the index that the job changes or asks.
            total: number of documents or files to process.
            start_job: starts the job's process.
            files: names and contents of the files of an upload.
            columns: as in `Job`.
            extraction: as in `Job`.

        Raises:
            Conflict: another rebuild or rollback of this index is running, and this job is one of them.
            Overloaded: this job is an upload or an extraction, and too many of its kind are running.
            Unavailable: the job's state cannot be written; the job was not started.
        """
        job = Job(uuid.uuid4().hex, kind, index, "running", 0, total, 0.0, None, None, None, None, _now(), None)
        if files is not None:
            pending: list[Mapping[str, Any]] = [
                {"file": name, "documents": [], "error": None, "unread": []} for name, _ in files
            ]
            job = replace(job, files=pending, columns=columns)
        job = replace(job, extraction=extraction)
        try:
            self._folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            with file_lock(self._folder / "lock"):
                self._check_running(job)
                self._delete_old()
                self._start(job, start_job, files or ())
        except OSError as error:
            message = f"{self._folder}: cannot start the job ({error.strerror}); check free space and permissions"
            raise Unavailable(message, field="index") from error
        return job

    def _check_running(self, new: Job) -> None:
        running = [job for job in self.all() if job.state == "running"]
        maximum = _MAX_RUNNING.get(new.kind)
        if maximum is not None:
            if sum(job.kind == new.kind for job in running) >= maximum:
                jobs = _PLURALS[new.kind]
                raise Overloaded(f"{maximum} {jobs} are already running, the maximum; retry when one has ended")
            return
        for job in running:
            if job.index == new.index and job.kind not in _MAX_RUNNING:
                raise Conflict(
                    f"job {job.id} ({job.kind}) is running on index {job.index!r}; cancel it or wait until it ends",
                    field="index",
                )

    def _start(self, job: Job, start_job: StartJob, files: Sequence[tuple[str, BinaryIO]]) -> None:
        try:
            with file_lock(self._path(job.id, "lock")) as lock:
                for number, (_, file) in enumerate(files):
                    path = self.upload_path(job.id, number)
                    path.parent.mkdir(PRIVATE_FOLDER, exist_ok=True)
                    path.touch(PRIVATE_FILE)
                    with path.open("wb") as copy:
                        shutil.copyfileobj(file, copy)
                self._write(job)
                start_job(job.id, lock)
        except OSError:
            with suppress(OSError):
                self._delete(job.id)
            raise

    def resume_interrupted(self, start_job: StartJob, kinds: Collection[str] = tuple(_MAX_RUNNING)) -> None:
        """Start interrupted jobs of these kinds again, which the server has already accepted.

        An upload is resumed at most once, an extraction as long as it has new rows each time.
        """
        for job in self.all():
            # Another process may have deleted it in the meantime.
            with suppress(OSError, NotFound):
                if job.kind in kinds and self._can_resume(job):
                    self._resume(job, start_job)

    def _resume(self, job: Job, start_job: StartJob) -> None:
        with try_file_lock(self._path(job.id, "lock")) as lock:
            # Another worker may have resumed it in the meantime.
            if lock is not None and self._can_resume(job):
                self._path(job.id, "again").write_text(str(self.result(job.id).size()))
                start_job(job.id, lock)

    def _can_resume(self, job: Job) -> bool:
        """Return whether a job was interrupted, and resuming it makes sense."""
        again = self._path(job.id, "again")
        if job.state != "failed":
            return False
        if job.kind == "upload":
            return self._path(job.id, "files").is_dir() and not again.exists()
        # The stored state of a job that ended by itself is another one.
        was_running = job.kind == "extract" and self._read(job.id).state == "running"
        return was_running and (not again.exists() or self.result(job.id).size() > int(again.read_text() or 0))

    def result(self, id: str) -> ResultFile:
        """Return the file with the rows of an extraction; it is empty before the first one."""
        return ResultFile(self._path(id, "rows"))

    def upload_path(self, id: str, number: int) -> Path:
        """Return the path of a file that a job received; the first has number 0."""
        return self._path(id, "files") / str(number)

    def get(self, id: str) -> Job:
        """Return the state of a job.

        Raises:
            NotFound: there is no job with this id.
        """
        job = self._read(id)
        if job.state == "running" and not is_locked(self._path(id, "lock")):
            # The job may have ended between reading the state and checking the lock.
            job = self._read(id)
            if job.state == "running":
                return replace(
                    job, state="failed", seconds_left=None, error="the job was interrupted: its process died"
                )
        return job

    def all(self) -> list[Job]:
        """Return every stored job, newest first."""
        jobs = []
        for path in self._folder.glob("*.json"):
            # Another process may have deleted it in the meantime.
            with suppress(NotFound):
                jobs.append(self.get(path.stem))
        return sorted(jobs, key=lambda job: (job.started_at, job.id), reverse=True)

    def cancel(self, id: str) -> Job:
        """Ask a job to stop. The next rebuild uses what a cancelled one has built.

        Raises:
            NotFound: there is no job with this id.
            Conflict: the job has already ended.
            Unavailable: the request cannot be written.
        """
        job = self.get(id)
        if job.state != "running":
            raise Conflict(f"job {id} has already ended ({job.state}); only a running job can be cancelled", field="id")
        try:
            self._path(id, "cancel").touch()
        except OSError as error:
            message = f"{self._folder}: cannot cancel the job ({error.strerror}); check free space and permissions"
            raise Unavailable(message, field="id") from error
        return job

    def run(self, id: str, work: Work, should_continue: Callable[[], bool] = lambda: True) -> None:
        """Run a job that was started, and store its progress and its outcome.

        Args:
            id: of the job; the caller holds its lock.
            work: does the work.
            should_continue: checked after each step; the job fails when it returns False.
        """
        job = self._read(id)
        if job.kind != "extract":
            # A resumed upload starts from its first file.
            job = replace(job, done=0)
        before = job.done
        started = time.monotonic()

        def report_progress(finished: int, **changes: Any) -> None:
            nonlocal job
            done = job.done + finished
            rate = (done - before) / max(time.monotonic() - started, 1e-3)
            left = round(max(0, job.total - done) / rate, 1) if rate else None
            job = replace(job, done=done, total=max(job.total, done), rate=round(rate, 1), **changes)
            job = replace(job, seconds_left=left)
            self._write(job)
            if self._path(id, "cancel").exists():
                raise _Cancelled
            if not should_continue():
                raise Unavailable("the server that started the job has stopped; start the job again to continue it")

        outcome: dict[str, Any]
        try:
            outcome = {"state": "done", **work(report_progress)}
            # Work done by an interrupted run is not repeated, so less than the total may have been done.
            outcome["total"] = job.done
        except _Cancelled:
            outcome = {"state": "cancelled"}
        except QAError as error:
            outcome = {"state": "failed", "error": error.message}
        except Exception:
            # No caller is left to catch it, and clients must not see internals.
            _log.exception("job %s failed", id)
            outcome = {"state": "failed", "error": "internal error; see the server log"}
        shutil.rmtree(self._path(id, "files"), ignore_errors=True)
        self._write(replace(job, **outcome, seconds_left=None, page=None, pages=None, ended_at=_now()))

    def delete_ended(self) -> None:
        """Delete all files of jobs that have ended, except interrupted uploads, which the next server resumes.

        The rows of an interrupted extraction may quote removed documents, so they are deleted.
        """
        for job in self.all():
            if job.state != "running" and not (job.kind == "upload" and self._can_resume(job)):
                self._delete(job.id)

    def _delete_old(self) -> None:
        for job in [job for job in self.all() if job.state != "running"][_MAX_ENDED:]:
            self._delete(job.id)

    def _delete(self, id: str) -> None:
        shutil.rmtree(self._path(id, "files"), ignore_errors=True)
        for kind in ("json", "lock", "cancel", "again", "rows"):
            self._path(id, kind).unlink(missing_ok=True)

    def _read(self, id: str) -> Job:
        path = self._path(id)
        try:
            job = Job(**json.loads(path.read_text(encoding="utf-8")))
            # Raises ValueError if an attribute has the wrong type.
            JobOut.model_validate(job, from_attributes=True)
        except FileNotFoundError as error:
            raise _not_found(id) from error
        except (OSError, ValueError, TypeError) as error:
            _log.warning("%s cannot be read, and the job is skipped: %s", path, error)
            raise _not_found(id) from error
        return job

    def _write(self, job: Job) -> None:
        write_durably(self._path(job.id), json.dumps(asdict(job)).encode())

    def _path(self, id: str, kind: str = "json") -> Path:
        if not id.isalnum():
            raise _not_found(id)
        return self._folder / f"{id}.{kind}"


def _not_found(id: str) -> NotFound:
    return NotFound(f"job {id!r} not found", field="id")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
