"""The HTTP application: calls under /v1, OpenAPI reference at /docs, web page at /."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

import qa
from qa.config import Settings
from qa.documents.extract.extractor import Extractor
from qa.engine import Engine
from qa.models.inference import available_threads
from qa.service import problems
from qa.service.admission import Admission
from qa.service.authentication import Authentication
from qa.service.background import job_process_starter
from qa.service.body_limit import BodyBudget, BodyLimit
from qa.service.callers import Callers
from qa.service.csrf import CrossSiteProtection
from qa.service.dependencies import authenticate
from qa.service.draining import Draining
from qa.service.headers import SecurityHeaders
from qa.service.idempotency import Idempotency
from qa.service.job_events import JobEvents
from qa.service.jobs import Jobs
from qa.service.keys import Keys
from qa.service.metrics import Metrics, MetricsMiddleware
from qa.service.openapi import add_examples
from qa.service.rate_limit import RateLimit
from qa.service.routes import documents, extraction, feedback, files, indexes, jobs, page, questions, state
from qa.service.service_db import ServiceDatabase
from qa.service.services import Services
from qa.wire.base import PREFIX

# Writes are slow: more at once would only hold threads that questions need.
_MAX_WRITES = 8
# Each holds its file in memory.
_MAX_PAGES = 16
_SPARE_THREADS = 40


def create_app(settings: Settings, engine: Engine) -> FastAPI:
    """Create the application.

    Args:
        settings: keys and limits.
        engine: with its models loaded; the application closes it on shutdown.
    """
    keys, database = Keys(settings.index_dir, settings.api_keys), ServiceDatabase(settings.index_dir)
    metrics = Metrics(engine)
    jobs_of_folder, draining = Jobs(settings.index_dir), Draining(settings.drain_seconds)
    threads = settings.threads or available_threads()
    services = Services(
        engine=engine,
        questions=Admission(settings.max_questions, threads, metrics.in_progress("questions")),
        writes=Admission(_MAX_WRITES, on_change=metrics.in_progress("writes")),
        pages=Admission(_MAX_PAGES, threads, metrics.in_progress("pages")),
        extractor=Extractor(ocr=settings.ocr == "auto"),
        jobs=jobs_of_folder,
        job_events=JobEvents(jobs_of_folder, draining),
        start_job=job_process_starter(settings),
        callers=Callers(keys, RateLimit(settings.rate_limit, database)),
        metrics=metrics,
        draining=draining,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # The first inference allocates what later ones reuse.
        engine.read("Is it ready?", "It is ready.")
        # A queued request holds a thread; all other calls need threads beside these.
        queued = settings.max_questions + _MAX_WRITES + _MAX_PAGES
        current_default_thread_limiter().total_tokens = queued + _SPARE_THREADS
        draining.handle_signals()
        services.jobs.resume_interrupted(services.start_job)
        yield
        services.extractor.close()
        engine.close()
        database.close()

    # Serves the scripts of the reference from the package; FastAPI's own page loads them from a CDN.
    app = FastAPIOffline(
        redoc_url=None,
        title="spanlight",
        version=qa.__version__,
        summary="Answers that are exact spans of your documents, or an honest 'no answer'.",
        lifespan=lifespan,
    )
    app.state.services = services
    # The middleware that is added last sees a request first.
    app.add_middleware(Idempotency, database=database)
    app.add_middleware(BodyLimit, budget=BodyBudget(settings.max_body_mb * 1_000_000), seconds=settings.body_seconds)
    app.add_middleware(Authentication, callers=services.callers)
    app.add_middleware(CrossSiteProtection, keys=keys, insecure=settings.insecure)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    problems.install(app)
    for router in (
        questions.router,
        extraction.router,
        documents.router,
        files.router,
        indexes.router,
        jobs.router,
        feedback.router,
    ):
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(authenticate)], responses=problems.RESPONSES)
    app.include_router(state.router)
    app.include_router(page.router)
    add_examples(app)
    return app
