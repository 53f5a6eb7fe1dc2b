"""The HTTP application: models loaded once at start, everything under /v1, OpenAPI at /docs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

import qa
from qa.config import Settings
from qa.engine import Engine
from qa.index.registry import DEFAULT_INDEX
from qa.service import problems
from qa.service.admission import Admission
from qa.service.body_limit import BodyLimit
from qa.service.dependencies import require_key
from qa.service.routes import documents, page, questions, state


def create_app(settings: Settings, build: Callable[[Settings], Engine]) -> FastAPI:
    """Make the application.

    Args:
        settings: where things are, and limits.
        build: makes the engine when the application starts.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = build(settings)
        engine.indexes.get_or_create(DEFAULT_INDEX).catch_up()
        # The first inference of each length prepares what later ones use.
        engine.read("Is it ready?", "It is ready.")
        app.state.engine = engine
        yield
        engine.close()

    app = FastAPI(
        title="spanlight",
        version=qa.__version__,
        summary="Answers that are exact spans of your documents, or an honest 'no answer'.",
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.admission = Admission(settings.max_questions)
    app.add_middleware(BodyLimit)
    problems.install(app)
    for router in (questions.router, documents.router):
        app.include_router(router, prefix="/v1", dependencies=[Depends(require_key)], responses=problems.RESPONSES)
    app.include_router(state.router)
    app.include_router(page.router)
    return app
