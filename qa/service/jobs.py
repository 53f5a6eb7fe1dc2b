"""Long work asked for over HTTP: done in a thread, told in files, so that any process can tell how it stands.

A job's state is a file; its process holds a lock beside it for as long as it works. A job that says it runs, and whose
lock nobody holds, was left by a process that died, and is reported so.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from qa.errors import Conflict, NotFound, QAError, Unavailable
from qa.index.durable import exclusively_or_not, write_durably

State = Literal["running", "done", "failed", "cancelled"]
Work = Callable[[Callable[[int], None]], tuple[int, int]]

_log = logging.getLogger(__name__)
_KEPT = 100
# Seconds between two looks at a job that somebody follows.
_LOOK_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class Job:
    """How a job stands.

    Attributes:
        id: names it.
        kind: rebuild or rollback.
        index: the name of the one that is worked on.
        state: what has become of it.
        done, total: documents; writes meanwhile add to what is to be done.
        rate: documents a second so far.
        seconds_left: at that rate; None once it has ended.
        error: why it failed.
        generation: the one that answers now, if it is done.
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
    started_at: str
    ended_at: str | None


class _Cancelled(Exception):
    """Somebody asked for it."""


class Jobs:
    """The jobs of one folder of indexes, whichever process does them."""

    def __init__(self, folder: Path) -> None:
        # No index can be called so.
        self._folder = folder / ".jobs"

    def start(self, kind: str, index: str, total: int, work: Work) -> Job:
        """Begin a job.

        Args:
            kind: what it is called.
            index: the index that it is about.
            total: how many documents there are.
            work: does it; is given what to call with how many more documents are done, and returns the generation that
                answers then and the one before.

        Raises:
            Conflict: another job works on that index.
            Unavailable: its state cannot be written; nothing was begun.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for other in self.all():
            if other.index == index and other.state == "running":
                raise Conflict(f"job {other.id} ({other.kind}) works on index {index!r}", field="index")
        self._forget_old()
        job = Job(uuid.uuid4().hex, kind, index, "running", 0, total, 0.0, None, None, None, _now(), None)
        begun = threading.Event()
        # A daemon's thread: a server that stops does not wait for it, and what it built is used by the next job.
        threading.Thread(target=self._run, args=(job, work, begun), name=f"job-{job.id}", daemon=True).start()
        begun.wait()
        if not self._path(job.id).exists():
            raise Unavailable(f"{self._folder}: the job's state cannot be written", field="index")
        return self.get(job.id)

    def get(self, id: str) -> Job:
        """Return how a job stands.

        Raises:
            NotFound: there is none of that id.
        """
        try:
            job = Job(**json.loads(self._path(id).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise NotFound(f"no job {id!r}", field="id") from error
        if job.state == "running":
            with exclusively_or_not(self._path(id, "lock")) as free:
                if free:
                    # It may have ended between the two looks.
                    job = Job(**json.loads(self._path(id).read_text(encoding="utf-8")))
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
        """
        job = self.get(id)
        if job.state != "running":
            raise Conflict(f"job {id} has ended: {job.state}", field="id")
        self._path(id, "cancel").touch()
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

    def _run(self, job: Job, work: Work, begun: threading.Event) -> None:
        with exclusively_or_not(self._path(job.id, "lock")):
            try:
                self._write(job)
            except OSError:
                _log.exception("job %s cannot be written", job.id)
                return
            finally:
                # Whoever began it waits, and is told if it is not there then.
                begun.set()
            started = time.monotonic()

            def advance(more: int) -> None:
                nonlocal job
                done = job.done + more
                rate = done / max(time.monotonic() - started, 1e-3)
                left = max(0, job.total - done) / rate
                job = replace(
                    job, done=done, total=max(job.total, done), rate=round(rate, 1), seconds_left=round(left, 1)
                )
                self._write(job)
                if self._path(job.id, "cancel").exists():
                    raise _Cancelled

            state: State = "failed"
            generation, error = None, None
            try:
                generation, _ = work(advance)
                state = "done"
            except _Cancelled:
                state = "cancelled"
            except QAError as refused:
                error = refused.message
            except Exception:
                # Nobody waits for it who could be told otherwise.
                _log.exception("job %s failed", job.id)
                error = "an unexpected error, which is in the server's log"
            self._write(
                replace(job, state=state, error=error, generation=generation, seconds_left=None, ended_at=_now())
            )

    def _write(self, job: Job) -> None:
        write_durably(self._path(job.id), json.dumps(asdict(job)).encode())

    def _forget_old(self) -> None:
        for job in self.all()[_KEPT:]:
            if job.state != "running":
                for kind in ("json", "lock", "cancel"):
                    self._path(job.id, kind).unlink(missing_ok=True)

    def _path(self, id: str, kind: str = "json") -> Path:
        if not id.isalnum():
            raise NotFound(f"no job {id!r}", field="id")
        return self._folder / f"{id}.{kind}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
