"""The service as a process, or as several that share a port and all that is on disk."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from contextlib import suppress

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from qa.config import Settings, as_environment, load_settings
from qa.errors import QAError, Unavailable
from qa.factory import build_engine
from qa.index.registry import DEFAULT_INDEX
from qa.malloc import use_mmap_for_large_blocks
from qa.models.inference import available_threads
from qa.service.app import create_app
from qa.service.csrf import check_exposure
from qa.service.keys import Keys
from qa.service.logs import log_config
from qa.service.metrics import SHARED_COUNTS

# Seconds for what was taken on when the server is told to stop; whoever follows a job would keep it for longer.
_FINISHING = 30


def serve(settings: Settings) -> None:
    """Serve until told to stop; what was taken on is finished.

    Raises:
        InvalidInput: anybody could reach it, and no key is needed.
        ModelError, Conflict, Unavailable: models or the default index cannot be used. One worker alone tells it before
            a port is opened.
    """
    check_exposure(settings.host, Keys(settings.index_dir, settings.api_keys), insecure=settings.insecure)
    try:
        _run(settings)
    except SystemExit as error:
        # So uvicorn ends a process that finds its port taken.
        raise Unavailable(f"{settings.host}:{settings.port}: the server could not begin; its log says more") from error


def _run(settings: Settings) -> None:
    if settings.workers == 1:
        server = uvicorn.Server(_config(settings, _made(settings)))
        # Raised again once everything is finished.
        with suppress(KeyboardInterrupt):
            server.run()
        if not server.started:
            raise Unavailable("the server could not begin; its log says more")
        return
    with tempfile.TemporaryDirectory(prefix="spanlight-") as counts:
        os.environ |= {SHARED_COUNTS: counts, **as_environment(_of_one(settings))}
        config = _config(settings, f"{__name__}:{application.__name__}")
        workers = Multiprocess(config, [config.bind_socket()])
        workers.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in workers.processes):
        raise Unavailable("a worker could not begin; its log says more")


def application() -> FastAPI:
    """Make the application of one worker, whose settings are in the environment."""
    try:
        return _made(load_settings())
    except QAError as error:
        # Whoever started the workers stops then, instead of starting another one.
        logging.getLogger(__name__).error(error.message)
        sys.exit(STARTUP_FAILURE)


def _made(settings: Settings) -> FastAPI:
    use_mmap_for_large_blocks()
    engine = build_engine(settings)
    engine.indexes.get_or_create(DEFAULT_INDEX).catch_up()
    return create_app(settings, engine)


def _of_one(settings: Settings) -> Settings:
    """Return the settings of one worker: its share of threads and of questions at once."""
    threads = settings.threads or available_threads()
    share = {
        "threads": max(1, threads // settings.workers),
        "max_questions": max(1, settings.max_questions // settings.workers),
    }
    return settings.model_copy(update=share)


def _config(settings: Settings, application: FastAPI | str) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        factory=isinstance(application, str),
        workers=settings.workers,
        host=settings.host,
        port=settings.port,
        log_level="info",
        log_config=log_config(),
        timeout_graceful_shutdown=_FINISHING,
    )
