"""Long work asked for over HTTP, told in files, so that any process can tell how it stands.

A job's state is a file; whoever does it holds a lock beside it meanwhile. A job that says it runs, and whose lock
nobody holds, was left by a process that died, and is reported so.

indexes/.jobs/ID.json     how it stands         ID.lock    held by whoever does it
              ID.cancel   somebody asked for it ID.files/  what it was given, by numbers
              ID.again    it was taken up again
"""

from __future__ import annotations

import json
import logging
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from qa.errors import Conflict, NotFound, Overloaded, QAError, Unavailable
from qa.index.durable import exclusively, exclusively_or_not, is_held, write_durably

State = Literal["running", "done", "failed", "cancelled"]
Begin = Callable[[str, int], None]
"""Lets somebody carry a job out, by its id; he inherits the file descriptor of its lock."""


class Advance(Protocol):
    """Is told how much more is done, and attributes that the job has from then on."""

    def __call__(self, more: int, **told: Any) -> None:
        """Take note."""


Work = Callable[[Advance], Mapping[str, Any]]
"""Does it, and returns attributes that the job has in the end."""

_log = logging.getLogger(__name__)
_KEPT = 100
_MOST_UPLOADS = 2
# Seconds between two looks at a job that somebody follows.
_LOOK_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class Job:
    """How a job stands.

    Attributes:
        id: names it.
        kind: rebuild, rollback or upload.
        index: the name of the one that is worked on.
        state: what has become of it.
        done, total: documents, or files of an upload; writes meanwhile add to what is to be done, and what was done
            before is taken off in the end.
        rate: of them in a second so far.
        seconds_left: at that rate; None once it has ended.
        error: why it failed.
        generation: the one that answers now, once a rebuild or a rollback is done.
        files: of an upload, what became of each so far.
        started_at, ended_at: in UTC.
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


class _Cancelled(Exception):
    """Somebody asked for it."""


class Jobs:
    """The jobs of one folder of indexes, whichever process does them."""

    def __init__(self, folder: Path) -> None:
        # No index can be called so.
        self._folder = folder / ".jobs"

    def start(
        self, kind: str, index: str, total: int, begin: Begin, files: Sequence[tuple[str, BinaryIO]] | None = None
    ) -> Job:
        """Begin a job.

        Args:
            kind: what it is called.
            index: the index that it is about.
            total: how much is to be done.
            begin: lets somebody carry it out.
            files: what it is given, with their names.

        Raises:
            Conflict: another job works on that index, and this one is no upload.
            Overloaded: it is one, and there are too many.
            Unavailable: its state cannot be written; nothing was begun.
        """
        job = Job(uuid.uuid4().hex, kind, index, "running", 0, total, 0.0, None, None, None, None, _now(), None)
        if files is not None:
            job = replace(job, files=[{"file": name, "documents": [], "error": None} for name, _ in files])
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with exclusively(self._folder / "lock"):
                self._check_room(job)
                self._forget_old()
                self._begin(job, begin, files or ())
        except OSError as error:
            raise Unavailable(f"{self._folder}: the job cannot be begun ({error.strerror})", field="index") from error
        return job

    def _check_room(self, job: Job) -> None:
        running = [other for other in self.all() if other.state == "running"]
        if job.kind == "upload":
            # Each has a process of its own, and stands in nobody's way but by that.
            if sum(other.kind == "upload" for other in running) >= _MOST_UPLOADS:
                raise Overloaded(f"{_MOST_UPLOADS} uploads are being taken in; at most so many at once")
            return
        for other in running:
            if other.index == job.index and other.kind != "upload":
                raise Conflict(f"job {other.id} ({other.kind}) works on index {job.index!r}", field="index")

    def _begin(self, job: Job, begin: Begin, files: Sequence[tuple[str, BinaryIO]]) -> None:
        try:
            with exclusively(self._path(job.id, "lock")) as lock:
                for place, (_, file) in enumerate(files):
                    self.given(job.id, place).parent.mkdir(exist_ok=True)
                    with self.given(job.id, place).open("wb") as kept:
                        shutil.copyfileobj(file, kept)
                self._write(job)
                begin(job.id, lock)
        except OSError:
            with suppress(OSError):
                self._forget(job.id)
            raise

    def take_up(self, begin: Begin) -> None:
        """Begin again, once, the uploads whose processes died: they were accepted."""
        for job in self.all():
            if not self._is_left_behind(job):
                continue
            with suppress(OSError), exclusively_or_not(self._path(job.id, "lock")) as lock:
                # Another worker may have been faster.
                if lock is not None and self._is_left_behind(job):
                    self._path(job.id, "again").touch()
                    begin(job.id, lock)

    def _is_left_behind(self, job: Job) -> bool:
        """Tell whether a job is an accepted upload whose process died, and which was not taken up again yet."""
        files, again = self._path(job.id, "files"), self._path(job.id, "again")
        return job.state == "failed" and files.is_dir() and not again.exists()

    def given(self, id: str, place: int) -> Path:
        """Return where a file is that a job was given."""
        return self._path(id, "files") / str(place)

    def get(self, id: str) -> Job:
        """Return how a job stands.

        Raises:
            NotFound: there is none of that id.
        """
        job = self._read(id)
        if job.state == "running" and not is_held(self._path(id, "lock")):
            # It may have ended between the two looks.
            job = self._read(id)
            if job.state == "running":
                return replace(job, state="failed", seconds_left=None, error="the process that did it ended")
        return job

    def all(self) -> list[Job]:
        """Return every job that is remembered, the newest first."""
        found = []
        for path in self._folder.glob("*.json"):
            # Another process may have forgotten it meanwhile.
            with suppress(NotFound):
                found.append(self.get(path.stem))
        return sorted(found, key=lambda job: (job.started_at, job.id), reverse=True)

    def cancel(self, id: str) -> Job:
        """Ask a job to stop; what it has built is kept for the next one.

        Raises:
            NotFound: there is none of that id.
            Conflict: it has ended.
            Unavailable: that cannot be written.
        """
        job = self.get(id)
        if job.state != "running":
            raise Conflict(f"job {id} has ended: {job.state}", field="id")
        try:
            self._path(id, "cancel").touch()
        except OSError as error:
            raise Unavailable(f"{self._folder}: {error.strerror}", field="id") from error
        return job

    def follow(self, id: str) -> Iterator[Job]:
        """Yield how a job stands whenever that has changed, until it has ended.

        Raises:
            NotFound: there is none of that id.
        """
        last = None
        while True:
            job = self.get(id)
            if job != last:
                yield job
            if job.state != "running":
                return
            last = job
            time.sleep(_LOOK_EVERY)

    def carry_out(self, id: str, work: Work, wanted: Callable[[], bool] = lambda: True) -> None:
        """Do a job that was begun, and tell how it stands.

        Args:
            id: the job's; the caller holds its lock.
            work: does it.
            wanted: whether there is still somebody for whom it is done.
        """
        # One that is taken up again begins anew.
        job = replace(self._read(id), done=0)
        started = time.monotonic()

        def advance(more: int, **told: Any) -> None:
            nonlocal job
            done = job.done + more
            rate = done / max(time.monotonic() - started, 1e-3)
            left = max(0, job.total - done) / rate
            job = replace(job, done=done, total=max(job.total, done), rate=round(rate, 1), **told)
            job = replace(job, seconds_left=round(left, 1))
            self._write(job)
            if self._path(id, "cancel").exists():
                raise _Cancelled
            if not wanted():
                raise Unavailable("the server that began it has stopped")

        made: dict[str, Any]
        try:
            made = {"state": "done", **work(advance)}
            # What one that was broken off had done was not to be done again.
            made["total"] = job.done
        except _Cancelled:
            made = {"state": "cancelled"}
        except QAError as refused:
            made = {"state": "failed", "error": refused.message}
        except Exception:
            # Nobody waits for it who could be told otherwise.
            _log.exception("job %s failed", id)
            made = {"state": "failed", "error": "an unexpected error, which is in the server's log"}
        shutil.rmtree(self._path(id, "files"), ignore_errors=True)
        self._write(replace(job, **made, seconds_left=None, ended_at=_now()))

    def _read(self, id: str) -> Job:
        try:
            return Job(**json.loads(self._path(id).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise NotFound(f"no job {id!r}", field="id") from error

    def _write(self, job: Job) -> None:
        write_durably(self._path(job.id), json.dumps(asdict(job)).encode())

    def _forget_old(self) -> None:
        for job in [job for job in self.all() if job.state != "running"][_KEPT:]:
            self._forget(job.id)

    def forget_ended(self) -> None:
        """Let nothing stay of jobs that have ended, but of accepted uploads that the next server takes up again."""
        for job in self.all():
            if job.state != "running" and not self._is_left_behind(job):
                self._forget(job.id)

    def _forget(self, id: str) -> None:
        shutil.rmtree(self._path(id, "files"), ignore_errors=True)
        for kind in ("json", "lock", "cancel", "again"):
            self._path(id, kind).unlink(missing_ok=True)

    def _path(self, id: str, kind: str = "json") -> Path:
        if not id.isalnum():
            raise NotFound(f"no job {id!r}", field="id")
        return self._folder / f"{id}.{kind}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
