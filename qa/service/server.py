"""Run the service as one process, or as several workers that share a port and everything on disk."""

from __future__ import annotations

import logging
import os
import resource
import sys
import tempfile
from contextlib import suppress
from functools import partial
from ipaddress import ip_network

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
from qa.service.connections import ConnectionLimits, LimitedConnection
from qa.service.csrf import check_exposure
from qa.service.keys import Keys
from qa.service.logs import log_config
from qa.service.metrics import MULTIPROCESS_DIR

# Seconds for running requests to finish on shutdown. Without a limit, a client that follows a job could delay it.
_SHUTDOWN_TIMEOUT = 30


def serve(settings: Settings) -> None:
    """Serve until a signal stops the server, then finish the running requests.

    Raises:
        InvalidInput: other machines could reach the server, and no key is required.
        ModelError: the models cannot be loaded. With one worker, these errors are raised before the port is opened.
        Conflict: the default index was built with other models.
        Unavailable: the default index cannot be opened, or the server failed to start.
    """
    check_exposure(settings.host, Keys(settings.index_dir, settings.api_keys), insecure=settings.insecure)
    try:
        _run(settings)
    except SystemExit as error:
        # uvicorn exits if the port is in use.
        raise Unavailable(
            f"{settings.host}:{settings.port}: the server failed to start; see its log, and check address and port"
        ) from error


def _run(settings: Settings) -> None:
    if settings.workers == 1:
        server = uvicorn.Server(_config(settings, _build_app(settings)))
        # uvicorn raises it again after the running requests have finished.
        with suppress(KeyboardInterrupt):
            server.run()
        if not server.started:
            raise Unavailable("the server failed to start; see its log")
        return
    with tempfile.TemporaryDirectory(prefix="spanlight-") as folder:
        os.environ |= {MULTIPROCESS_DIR: folder, **as_environment(_worker_settings(settings))}
        config = _config(settings, f"{__name__}:{create_worker_app.__name__}")
        workers = Multiprocess(config, [config.bind_socket()])
        workers.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in workers.processes):
        raise Unavailable("a worker failed to start; see its log")


def create_worker_app() -> FastAPI:
    """Create the application of one worker, whose settings are in the environment."""
    try:
        return _build_app(load_settings())
    except QAError as error:
        # With this exit status uvicorn stops all workers, instead of restarting this one.
        logging.getLogger(__name__).error(error.message)
        sys.exit(STARTUP_FAILURE)


def _build_app(settings: Settings) -> FastAPI:
    use_mmap_for_large_blocks()
    engine = build_engine(settings)
    engine.indexes.get_or_create(DEFAULT_INDEX).catch_up()
    return create_app(settings, engine)


def _worker_settings(settings: Settings) -> Settings:
    """Return the settings of one worker, with its share of the threads and of the questions at once."""
    threads = settings.threads or available_threads()
    share = {
        "threads": max(1, threads // settings.workers),
        "max_questions": max(1, settings.max_questions // settings.workers),
    }
    return settings.model_copy(update=share)


def _config(settings: Settings, app: FastAPI | str) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=settings.workers,
        host=settings.host,
        port=settings.port,
        log_level="info",
        log_config=log_config(),
        http=partial(LimitedConnection, limits=_connection_limits(settings)),  # type: ignore[arg-type]  # a factory
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        # An upgraded connection would escape the limits.
        ws="none",
        # asyncio accepts this many connections at once, before any can be closed.
        backlog=min(2048, _max_descriptors() // 4),
        timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT,
    )


def _connection_limits(settings: Settings) -> ConnectionLimits:
    """Return the limits, with half of the descriptors that the process may open left for files."""
    total = min(settings.max_connections, _max_descriptors() // 2)
    if total < settings.max_connections:
        logging.getLogger(__name__).warning(
            "the process may open %d descriptors, so at most %d connections are accepted; raise `ulimit -n`",
            _max_descriptors(),
            total,
        )
    return ConnectionLimits(
        total,
        min(total, settings.max_connections_per_address),
        settings.header_seconds,
        frozenset(ip_network(proxy) for proxy in settings.trusted_proxies),
    )


def _max_descriptors() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**20 if soft == resource.RLIM_INFINITY else soft
