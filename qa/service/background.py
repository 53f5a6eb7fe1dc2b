"""Jobs run in separate processes, at a lower priority than the questions that the server answers."""

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
from qa.indexing.ingestion import Ingestion, UploadSource
from qa.service.jobs import Job, Jobs, ReportProgress, StartJob
from qa.service.logs import log_config
from qa.wire.convert import file_out


def job_process_starter(settings: Settings) -> StartJob:
    """Return a function that starts a process with these settings for a job."""

    def start_job(id: str, lock: int) -> None:
        # -P: do not import modules from the folder that the server was started in.
        command = [sys.executable, "-P", "-m", "qa.service.background", id, str(os.getpid())]
        environment = {**os.environ, **as_environment(settings)}
        # A new session, so that Ctrl-C in the server's terminal does not reach the job.
        process = subprocess.Popen(  # noqa: S603
            command, env=environment, pass_fds=[lock], start_new_session=True
        )
        # Reaps the process when it ends.
        threading.Thread(target=process.wait, name=f"job-{id}", daemon=True).start()

    return start_job


def main() -> None:
    """Run the job whose id is the first argument, for the server whose process id is the second."""
    logging.config.dictConfig(log_config())
    id, server = sys.argv[1], int(sys.argv[2])
    settings = load_settings()
    jobs = Jobs(settings.index_dir)
    job = jobs.get(id)

    def work(report_progress: ReportProgress) -> Mapping[str, Any]:
        return _WORK_BY_KIND[job.kind](build_low_priority_indexer(settings), jobs, job, report_progress)

    # Uploads finish even after the server has stopped. The next rebuild continues one that was interrupted.
    jobs.run(id, work, lambda: job.kind == "upload" or os.getppid() == server)


def _rebuild(indexer: Indexer, _: Jobs, job: Job, report_progress: ReportProgress) -> Mapping[str, Any]:
    return {"generation": indexer.rebuild(index=job.index, progress=report_progress)[0]}


def _rollback(indexer: Indexer, _: Jobs, job: Job, report_progress: ReportProgress) -> Mapping[str, Any]:
    return {"generation": indexer.rollback(index=job.index, progress=report_progress)[0]}


def _upload(indexer: Indexer, jobs: Jobs, job: Job, report_progress: ReportProgress) -> Mapping[str, Any]:
    pending = list(job.files or ())
    sources = [UploadSource(file["file"], jobs.upload_path(job.id, n).read_bytes) for n, file in enumerate(pending)]
    with closing(Extractor()) as extractor:
        ingestion = Ingestion(indexer, extractor.extract, job.index)

        def report_files(finished: int) -> None:
            done = [file_out(file).model_dump() for file in ingestion.report.files]
            report_progress(finished, files=[*done, *pending[len(done) :]])

        ingestion.add(sources, report_files)
    return {}


_WORK_BY_KIND: Mapping[str, Callable[[Indexer, Jobs, Job, ReportProgress], Mapping[str, Any]]] = {
    "rebuild": _rebuild,
    "rollback": _rollback,
    "upload": _upload,
}

if __name__ == "__main__":
    main()
