"""Jobs are done in a process of their own, whose embedding gives way to whatever else wants the processor."""

from __future__ import annotations

import logging.config
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from qa.assembly import build_patient_library
from qa.config import Settings, as_environment, load_settings
from qa.library import Library
from qa.service.jobs import Advance, Begin, Job, Jobs
from qa.service.logs import log_config
from qa.service.uploads import take_in


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
    """Carry out the job whose id is the first argument."""
    logging.config.dictConfig(log_config())
    parent, id = os.getppid(), sys.argv[1]
    settings = load_settings()
    jobs = Jobs(settings.index_dir)
    job = jobs.get(id)

    def work(advance: Advance) -> Mapping[str, Any]:
        return _KINDS[job.kind](build_patient_library(settings), jobs, job, advance)

    # What was sent is taken in, whatever becomes of the server; a rebuild goes on where it was with the next one.
    jobs.carry_out(id, work, lambda: job.kind == "upload" or os.getppid() == parent)


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
