"""The HTTP application: models loaded once at start, everything under /v1, OpenAPI at /docs."""

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
from qa.service.background import job_process_starter
from qa.service.body_limit import BodyLimit
from qa.service.callers import Callers
from qa.service.csrf import CrossSiteProtection
from qa.service.dependencies import identified
from qa.service.draining import Draining
from qa.service.headers import SecurityHeaders
from qa.service.idempotency import Idempotency
from qa.service.jobs import Jobs
from qa.service.keys import Keys
from qa.service.metrics import Metrics, MetricsMiddleware
from qa.service.openapi import with_examples
from qa.service.rate_limit import RateLimit
from qa.service.routes import documents, feedback, indexes, jobs, page, questions, state
from qa.service.service_db import ServiceDatabase
from qa.wire.base import PREFIX

# Adding is heavy: more at once would only hold threads that questions need.
_MAX_WRITES = 8
_SPARE_THREADS = 40


def create_app(settings: Settings, engine: Engine) -> FastAPI:
    """Make the application.

    Args:
        settings: keys and limits.
        engine: with its models loaded; it is closed when the application ends.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # The first inference prepares what later ones use.
        engine.read("Is it ready?", "It is ready.")
        # Whoever waits for his turn holds a thread; that must never be one that others need.
        current_default_thread_limiter().total_tokens = settings.max_questions + _MAX_WRITES + _SPARE_THREADS
        app.state.draining.watch()
        app.state.jobs.take_up(app.state.begin)
        yield
        app.state.extractor.close()
        engine.close()
        shared.close()

    # The reference's scripts come with the package: FastAPI's own page would load them from elsewhere.
    app = FastAPIOffline(
        redoc_url=None,
        title="spanlight",
        version=qa.__version__,
        summary="Answers that are exact spans of your documents, or an honest 'no answer'.",
        lifespan=lifespan,
    )
    keys, shared = Keys(settings.index_dir, settings.api_keys), ServiceDatabase(settings.index_dir)
    callers = Callers(keys, RateLimit(settings.rate_limit, shared))
    metrics = Metrics(engine)
    threads = settings.threads or available_threads()
    app.state.engine = engine
    app.state.admission = Admission(settings.max_questions, threads, metrics.inside("questions"))
    app.state.writes = Admission(_MAX_WRITES, moved=metrics.inside("writes"))
    app.state.extractor = Extractor()
    app.state.jobs = Jobs(settings.index_dir)
    app.state.begin = job_process_starter(settings)
    app.state.callers = callers
    app.state.metrics = metrics
    app.state.draining = Draining(settings.drain_seconds)
    # The last one is met first.
    app.add_middleware(Idempotency, state=shared, callers=callers)
    app.add_middleware(BodyLimit)
    app.add_middleware(CrossSiteProtection, keys=keys, insecure=settings.insecure)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    problems.install(app)
    for router in (questions.router, documents.router, indexes.router, jobs.router, feedback.router):
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(identified)], responses=problems.RESPONSES)
    app.include_router(state.router)
    app.include_router(page.router)
    with_examples(app)
    return app
