"""Jobs are done in a process of their own, whose embedding gives way to whatever else wants the processor."""

from __future__ import annotations

import logging.config
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from qa.config import Settings, as_environment, load_settings
from qa.documents.extract.extractor import Extractor
from qa.factory import build_low_priority_indexer
from qa.indexing.indexer import Indexer
from qa.service.jobs import Advance, Begin, Job, Jobs
from qa.service.logs import log_config
from qa.service.uploads import take_in


def job_process_starter(settings: Settings) -> Begin:
    """Return what begins jobs in processes that have these settings."""

    def begin(id: str, lock: int) -> None:
        # Not with modules of the folder that the server was started in.
        command = [sys.executable, "-P", "-m", "qa.service.background", id, str(os.getpid())]
        environment = {**os.environ, **as_environment(settings)}
        # What stops the server, on a terminal, does not reach it.
        process = subprocess.Popen(  # noqa: S603
            command, env=environment, pass_fds=[lock], start_new_session=True
        )
        # Somebody must take note of its end.
        threading.Thread(target=process.wait, name=f"job-{id}", daemon=True).start()

    return begin


def main() -> None:
    """Carry out the job whose id is the first argument, for the server whose process is the second."""
    logging.config.dictConfig(log_config())
    id, server = sys.argv[1], int(sys.argv[2])
    settings = load_settings()
    jobs = Jobs(settings.index_dir)
    job = jobs.get(id)

    def work(advance: Advance) -> Mapping[str, Any]:
        return _KINDS[job.kind](build_low_priority_indexer(settings), jobs, job, advance)

    # What was sent is taken in, whatever becomes of the server; a rebuild goes on where it was with the next one.
    jobs.carry_out(id, work, lambda: job.kind == "upload" or os.getppid() == server)


def _rebuild(library: Indexer, _: Jobs, job: Job, advance: Advance) -> Mapping[str, Any]:
    return {"generation": library.rebuild(index=job.index, advance=advance)[0]}


def _rollback(library: Indexer, _: Jobs, job: Job, advance: Advance) -> Mapping[str, Any]:
    return {"generation": library.rollback(index=job.index, advance=advance)[0]}


def _upload(library: Indexer, jobs: Jobs, job: Job, advance: Advance) -> Mapping[str, Any]:
    files = list(job.files or ())
    with closing(Extractor()) as extractor:
        for place, entry in enumerate(files):
            data = jobs.given(job.id, place).read_bytes()
            files[place] = take_in(data, entry["file"], extractor.extract, library, job.index).model_dump()
            advance(1, files=files)
    return {}


_KINDS: Mapping[str, Callable[[Indexer, Jobs, Job, Advance], Mapping[str, Any]]] = {
    "rebuild": _rebuild,
    "rollback": _rollback,
    "upload": _upload,
}

if __name__ == "__main__":
    main()
