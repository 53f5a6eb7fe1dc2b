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

from qa.answering.asking import Answerer
from qa.answering.extraction import Extraction, extract_batches
from qa.config import Settings, as_environment, load_settings
from qa.documents.extract.extractor import Extractor
from qa.documents.extract.tables.columns import Columns
from qa.errors import Conflict
from qa.factory import build_low_priority_engine, build_low_priority_indexer
from qa.indexing.indexer import Indexer
from qa.indexing.ingestion import Ingestion, UploadSource
from qa.models.low_priority import lower_priority
from qa.rows import NamedQuestion
from qa.service.job_types import Job, ReportProgress, StartJob
from qa.service.jobs import Jobs
from qa.service.logs import log_config
from qa.wire.convert import file_out
from qa.wire.extraction import row_out

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
        threading.Thread(target=reap, args=[process], name=f"job-{id}", daemon=True).start()

    def reap(process: subprocess.Popen[bytes]) -> None:
        # A signal killed the process if its exit status is negative.
        if process.wait() < 0:
            Jobs(settings.index_dir).resume_interrupted(start_job, ["extract"])

    return start_job


def main() -> None:
    """Run the job whose id is the first argument, for the server whose process id is the second."""
    logging.config.dictConfig(log_config())
    id, server = sys.argv[1], int(sys.argv[2])
    settings = load_settings()
    jobs = Jobs(settings.index_dir)
    job = jobs.get(id)

    def work(report_progress: ReportProgress) -> Mapping[str, Any]:
        if job.kind == "extract":
            with build_low_priority_engine(settings) as engine:
                extract(engine.answerer, jobs, job, report_progress)
            return {}
        indexer = build_low_priority_indexer(settings)
        if job.kind == "upload":
            return _upload(indexer, jobs, job, report_progress, ocr=settings.ocr == "auto")
        change = indexer.rebuild if job.kind == "rebuild" else indexer.rollback
        return {"generation": change(index=job.index, progress=report_progress)[0]}

    # The next rebuild continues one that was interrupted. Other jobs finish even after the server has stopped.
    jobs.run(id, work, lambda: job.kind in ("upload", "extract") or os.getppid() == server)


def extract(answerer: Answerer, jobs: Jobs, job: Job, report_progress: ReportProgress) -> None:
    """Write the rows of an extraction, after the last one that is on disk.

    Raises:
        Conflict: the index was deleted, and another one has its name.
    """
    content, result = dict(job.extraction or {}), jobs.result(job.id)
    revision, mark = content.pop("revision"), content.pop("mark")
    with answerer.indexes.get(job.index).catalog.read() as transaction:
        if transaction.mark_of(revision) != mark:
            raise Conflict(f"index {job.index!r} was replaced since the job began; start another job", field="index")
    questions = [NamedQuestion(**question) for question in content.pop("questions")]
    extraction = Extraction(questions, job.index, **content)
    count, after = result.recover()
    report_progress(count - job.done)
    with closing(extract_batches(answerer, extraction, revision, after, initializer=lower_priority)) as batches:
        for rows in batches:
            result.append([row_out(row) for row in rows])
            report_progress(len(rows))


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
