"""Jobs are done in a process of their own, whose embedding gives way to whatever else wants the processor."""

from __future__ import annotations

import logging.config
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from qa.assembly import build_library
from qa.config import Settings, as_environment, load_settings
from qa.library import Library
from qa.models.embedder import Embedder, Vectors
from qa.service.jobs import Advance, Begin, Job, Jobs
from qa.service.logs import log_config
from qa.service.uploads import take_in

_LOWEST = 19


def in_own_process(settings: Settings) -> Begin:
    """Return what begins jobs in processes that have these settings."""

    def begin(id: str, lock: int) -> None:
        command = [sys.executable, "-m", "qa.service.background", id]
        environment = {**os.environ, **as_environment(settings)}
        process = subprocess.Popen(command, env=environment, pass_fds=[lock])  # noqa: S603
        # Somebody must take note of its end.
        threading.Thread(target=process.wait, name=f"job-{id}", daemon=True).start()

    return begin


def main() -> None:
    """Carry out the job whose id is the first argument, until it is done or the process that began it has ended."""
    logging.config.dictConfig(log_config())
    parent, id = os.getppid(), sys.argv[1]
    settings = load_settings()
    jobs = Jobs(settings.index_dir)

    def work(advance: Advance) -> Mapping[str, Any]:
        job = jobs.get(id)
        with ThreadPoolExecutor(1, initializer=give_way) as aside:
            library = aside.submit(build_library, settings).result()
            patient = Library(library.indexes, _Patient(library.embedder, aside))
            return _KINDS[job.kind](patient, jobs, job, advance)

    jobs.carry_out(id, work, lambda: os.getppid() == parent)


def give_way() -> None:
    """Let this thread, and those that it begins, run when no other wants to."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)
    # Some containers forbid it.
    with suppress(OSError):
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))


class _Patient:
    """An embedder that embeds passages in a thread that gives way; locks are held by another one, which does not."""

    def __init__(self, embedder: Embedder, aside: ThreadPoolExecutor) -> None:
        self._embedder = embedder
        self._aside = aside
        self.dimension = embedder.dimension
        self.identity = embedder.identity
        self.encode_questions = embedder.encode_questions
        self.token_starts = embedder.token_starts

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._aside.submit(self._embedder.encode_passages, texts).result()


def _rebuild(library: Library, _: Jobs, job: Job, advance: Advance) -> Mapping[str, Any]:
    return {"generation": library.rebuild(index=job.index, advance=advance)[0]}


def _rollback(library: Library, _: Jobs, job: Job, advance: Advance) -> Mapping[str, Any]:
    return {"generation": library.rollback(index=job.index, advance=advance)[0]}


def _upload(library: Library, jobs: Jobs, job: Job, advance: Advance) -> Mapping[str, Any]:
    made = []
    for place, entry in enumerate(job.files or ()):
        data = jobs.given(job.id, place).read_bytes()
        made.append(take_in(data, entry["file"], library, job.index).model_dump())
        advance(1)
    return {"files": made}


_KINDS: Mapping[str, Callable[[Library, Jobs, Job, Advance], Mapping[str, Any]]] = {
    "rebuild": _rebuild,
    "rollback": _rollback,
    "upload": _upload,
}

if __name__ == "__main__":
    main()
