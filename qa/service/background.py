"""Jobs run in separate processes, at a lower priority than the questions that the server answers."""

from __future__ import annotations

import logging.config
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from typing import Any

from qa.config import Settings, as_environment, load_settings
from qa.documents.extract.extractor import Extractor
from qa.documents.extract.tables.columns import Columns
from qa.factory import build_low_priority_indexer
from qa.indexing.indexer import Indexer
from qa.indexing.ingestion import Ingestion, UploadSource
from qa.service.job_types import Job, ReportProgress, StartJob
from qa.service.jobs import Jobs
from qa.service.logs import log_config
from qa.wire.convert import file_out

# Seconds between two reports about the pages of a file.
_PAGE_INTERVAL_S = 0.5


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
        indexer = build_low_priority_indexer(settings)
        if job.kind == "upload":
            return _upload(indexer, jobs, job, report_progress, ocr=settings.ocr == "auto")
        change = indexer.rebuild if job.kind == "rebuild" else indexer.rollback
        return {"generation": change(index=job.index, progress=report_progress)[0]}

    # Uploads finish even after the server has stopped. The next rebuild continues one that was interrupted.
    jobs.run(id, work, lambda: job.kind == "upload" or os.getppid() == server)


def _upload(indexer: Indexer, jobs: Jobs, job: Job, report_progress: ReportProgress, *, ocr: bool) -> Mapping[str, Any]:
    pending, columns = list(job.files or ()), Columns(**(job.columns or {}))
    sources = [
        UploadSource(file["file"], jobs.upload_path(job.id, n).read_bytes, columns) for n, file in enumerate(pending)
    ]
    reported_at = 0.0

    def report_page(page: int, pages: int) -> None:
        nonlocal reported_at
        # Each report is written to disk. Pages without OCR are read far faster than clients follow.
        if time.monotonic() - reported_at > _PAGE_INTERVAL_S:
            report_progress(0, page=page, pages=pages)
            reported_at = time.monotonic()

    with closing(Extractor(ocr=ocr)) as extractor:
        ingestion = Ingestion(indexer, partial(extractor.extract, progress=report_page), job.index)

        def report_files(finished: int) -> None:
            done = [file_out(file).model_dump() for file in ingestion.report.files]
            report_progress(finished, files=[*done, *pending[len(done) :]], page=None, pages=None)

        ingestion.add(sources, report_files)
    return {}


if __name__ == "__main__":
    main()
