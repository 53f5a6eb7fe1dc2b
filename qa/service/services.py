"""The objects that the routes share, created once for each application."""

from __future__ import annotations

from dataclasses import dataclass

from qa.documents.extract.extractor import Extractor
from qa.engine import Engine
from qa.service.admission import Admission
from qa.service.callers import Callers
from qa.service.draining import Draining
from qa.service.job_events import JobEvents
from qa.service.job_types import StartJob
from qa.service.jobs import Jobs
from qa.service.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes need; stored as `app.state.services`.

    Attributes:
        engine: answers questions and stores documents.
        questions: admission control for questions.
        writes: admission control for writes.
        pages: admission control for pictures of pages.
        extractor: extracts text from uploaded files and renders pages, in child processes.
        jobs: rebuilds, rollbacks and large uploads.
        job_events: clients that follow jobs.
        start_job: starts the process of a job.
        callers: authenticates callers and counts their calls.
        metrics: counts requests and questions.
        draining: whether the server is about to stop.
    """

    engine: Engine
    questions: Admission
    writes: Admission
    pages: Admission
    extractor: Extractor
    jobs: Jobs
    job_events: JobEvents
    start_job: StartJob
    callers: Callers
    metrics: Metrics
    draining: Draining
