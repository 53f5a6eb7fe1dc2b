"""Metrics in Prometheus' format, and a log line for each question.

With several workers, each writes its counts to files in a shared folder, and any worker can return the sum.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.engine import Engine
from qa.errors import QAError
from qa.index.registry import Indexes
from qa.results import HighlightResult, QueryResult
from qa.rows import ExtractedRow
from qa.service.logs import QUESTIONS
from qa.wire.base import PREFIX

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable that names the shared folder of the workers; prometheus_client reads it on import."""

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_TENTHS = tuple(n / 10 for n in range(1, 11))
# One label for all unknown paths: with a label for each, any client could make the metrics grow.
_UNKNOWN = "unknown"

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_log = logging.getLogger(QUESTIONS)


class Metrics:
    """Counts since the process started, and the current state of the indexes."""

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        self._indexes = engine.indexes
        self.requests = self._counter("requests", "Answered requests.", "method", "route", "status")
        self.request_seconds = self._histogram("request_seconds", "Duration of a request.", _SECONDS, "route")
        self._questions = self._counter(
            "questions", "Questions by status: answered, unsure, not_found, nothing_to_search.", "status"
        )
        self._highlighted = self._counter("highlighted_texts", "Texts by status: found, not_found.", "status")
        self._cells = self._counter("cells", "Cells of extractions by status, as for questions.", "status")
        self._stages = self._histogram("stage_seconds", "Duration of a stage of a question.", _SECONDS, "stage")
        self._confidence = self._histogram("confidence", "Confidence of the best answer or best guess.", _TENTHS)
        self._in_progress = Gauge(
            "inside",
            "Requests that run or wait.",
            ["kind"],
            namespace="qa",
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def in_progress(self, kind: str) -> Callable[[int], None]:
        """Return a function that changes the number of requests of a kind that run or wait."""
        return self._in_progress.labels(kind).inc

    def record_questions(self, results: Sequence[QueryResult], waited: float) -> None:
        """Count the questions of a request and log a line for each, which never contains text.

        Args:
            results: of the questions; those of a batch share their stages.
            waited: how long the request waited for a slot, in seconds.
        """
        for result in results:
            best = result.answers[0] if result.answers else result.best_guess
            self._questions.labels(result.status).inc()
            if best:
                self._confidence.observe(best.confidence)
            event = {
                "event": "question",
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "query_id": result.query_id,
                "index": result.index or None,
                "revision": result.revision,
                "status": result.status,
                "has_answer": result.has_answer,
                "confidence": best and round(best.confidence, 3),
                "ms": result.timings_ms["total"],
            }
            _log.info(json.dumps(event))
        self.record_stages(results[0].timings_ms, waited)

    def record_highlights(
        self, results: Sequence[HighlightResult], timings_ms: Mapping[str, float], waited: float
    ) -> None:
        """Count the texts of a request and log a line, which never contains text.

        Args:
            results: of the texts.
            timings_ms: milliseconds by stage, and as `total`.
            waited: how long the request waited for a slot, in seconds.
        """
        for result in results:
            self._highlighted.labels(result.status).inc()
        event = {
            "event": "highlight",
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "texts": len(results),
            "found": sum(result.status == "found" for result in results),
            "ms": timings_ms["total"],
        }
        _log.info(json.dumps(event))
        self.record_stages(timings_ms, waited)

    def record_rows(self, rows: Sequence[ExtractedRow], timings_ms: Mapping[str, float], waited: float) -> None:
        """Count the cells of a page of an extraction and log a line, which never contains text.

        Args:
            rows: of the page.
            timings_ms: milliseconds by stage, and as `total`.
            waited: how long the request waited for a slot, in seconds.
        """
        statuses = [cell.status for row in rows for cell in row.cells.values()]
        for status in statuses:
            self._cells.labels(status).inc()
        event = {
            "event": "extract",
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "rows": len(rows),
            "cells": len(statuses),
            "answered": statuses.count("answered"),
            "ms": timings_ms["total"],
        }
        _log.info(json.dumps(event))
        self.record_stages(timings_ms, waited)

    def record_stages(self, timings_ms: Mapping[str, float], waited: float) -> None:
        """Record how long each stage of a request took, and how long it waited for a slot, in seconds."""
        self._stages.labels("wait").observe(waited)
        for stage, ms in timings_ms.items():
            self._stages.labels(stage).observe(ms / 1000)

    def exposition(self, may_see_index: Callable[[str], bool] = lambda _: True) -> bytes:
        """Return all metrics in Prometheus' text format, summed over all workers.

        The time this takes does not depend on the number of documents.

        Args:
            may_see_index: whether the caller may see an index, by its name; the others are left out.
        """
        folder = os.environ.get(MULTIPROCESS_DIR)
        registry = self._registry
        if folder:
            registry = CollectorRegistry()
            # A worker that was killed no longer has requests in progress.
            for pid in {int(path.stem.rpartition("_")[2]) for path in Path(folder).glob("gauge_live*.db")}:
                if not Path(f"/proc/{pid}").exists():
                    multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(_IndexState(self._indexes, may_see_index))

    def _counter(self, name: str, help: str, *labels: str) -> Counter:
        return Counter(name, help, labels, namespace="qa", registry=self._registry)

    def _histogram(self, name: str, help: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, help, labels, namespace="qa", registry=self._registry, buckets=buckets)


class _IndexState(Collector):
    """Reads the state of the indexes for each request, because other processes change them too."""

    def __init__(self, indexes: Indexes, may_see_index: Callable[[str], bool]) -> None:
        self._indexes = indexes
        self._may_see_index = may_see_index

    def collect(self) -> Iterator[GaugeMetricFamily]:
        readable = GaugeMetricFamily("qa_index_readable", "Whether an index can be read: 1 or 0.", labels=["index"])
        gauges = {
            name: GaugeMetricFamily(f"qa_index_{name}", help, labels=["index"])
            for name, help in (
                ("documents", "Documents in an index."),
                ("passages", "Passages of the live generation."),
                ("generation", "Number of the live generation."),
                ("revision", "Number of the last write."),
                ("lag", "Writes since the last query of the worker that returned these metrics."),
            )
        }
        for name in filter(self._may_see_index, self._indexes.names()):
            try:
                index = self._indexes.get(name)
                values = {**asdict(index.state()), "lag": index.lag()}
            except QAError:
                readable.add_metric([name], 0)
                continue
            readable.add_metric([name], 1)
            for gauge_name, gauge in gauges.items():
                gauge.add_metric([name], values[gauge_name])
        yield from (readable, *gauges.values())


class MetricsMiddleware:
    """ASGI middleware: counts and times each request under the path of its route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and record its status and duration."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def record_status_and_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, record_status_and_send)
        finally:
            route = _route_path(scope)
            self._metrics.requests.labels(_method(scope), route, str(status)).inc()
            self._metrics.request_seconds.labels(route).observe(time.perf_counter() - started)


def _route_path(scope: Scope) -> str:
    """Return the path pattern of the route that handled the request, with its prefix."""
    path = getattr(scope.get("route"), "path", None)
    if path is None:
        return _UNKNOWN
    # A route does not know the prefix with which its router was included.
    return f"{PREFIX}{path}" if scope["path"].startswith(f"{PREFIX}/") and not path.startswith(PREFIX) else str(path)


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else _UNKNOWN
