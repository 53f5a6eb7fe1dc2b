"""What whoever is on call wants to know, in Prometheus' format, and a line in the log for each question.

Where there are several workers, each keeps its counts in files of a folder that they share.
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
from qa.service.logs import QUESTIONS
from qa.types import QueryResult
from qa.wire.base import PREFIX

SHARED_COUNTS = "PROMETHEUS_MULTIPROC_DIR"
"""A variable that Prometheus' client looks at when it is imported: the folder that workers share."""

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_TENTHS = tuple(n / 10 for n in range(1, 11))
# Calls of what is not there: each under its own name would let anybody grow the list.
_UNKNOWN = "unknown"

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_log = logging.getLogger(QUESTIONS)


class Metrics:
    """Counts since the process began, and the state of the indexes at the moment of asking."""

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        self._state = _State(engine.indexes)
        self.requests = self._counter("requests", "Calls that were answered.", "method", "route", "status")
        self.request_seconds = self._histogram("request_seconds", "How long a call took.", _SECONDS, "route")
        self._questions = self._counter("questions", "Questions by outcome: answered, no_answer.", "outcome")
        self._stages = self._histogram("stage_seconds", "How long a stage of a question took.", _SECONDS, "stage")
        self._confidence = self._histogram("confidence", "Confidence of the best answer, given or not.", _TENTHS)
        told = "What is worked on or waits."
        self._inside = Gauge(
            "inside", told, ["kind"], namespace="qa", registry=self._registry, multiprocess_mode="livesum"
        )

    def inside(self, kind: str) -> Callable[[int], None]:
        """Return what is to be told by how much the number of things of a kind has changed that are inside."""
        return self._inside.labels(kind).inc

    def asked(self, results: Sequence[QueryResult], waited: float) -> None:
        """Count questions that waited so many seconds; the log tells of each without a word of what was asked."""
        for result in results:
            best = result.answers[0] if result.answers else result.best_guess
            self._questions.labels("answered" if result.has_answer else "no_answer").inc()
            if best:
                self._confidence.observe(best.confidence)
            told = {
                "event": "question",
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "query_id": result.query_id,
                "index": result.index or None,
                "revision": result.revision,
                "has_answer": result.has_answer,
                "confidence": best and round(best.confidence, 3),
                "ms": result.timings_ms["total"],
            }
            _log.info(json.dumps(told))
        # Questions of a batch share their stages.
        self.timed(results[0].timings_ms, waited)

    def timed(self, timings_ms: Mapping[str, float], waited: float) -> None:
        """Count how long each stage of a request took, after so many seconds of waiting."""
        self._stages.labels("wait").observe(waited)
        for stage, ms in timings_ms.items():
            self._stages.labels(stage).observe(ms / 1000)

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format, of all workers together."""
        shared = os.environ.get(SHARED_COUNTS)
        registry = self._registry
        if shared:
            registry = CollectorRegistry()
            # One that was killed is not busy any more.
            for pid in {int(path.stem.rpartition("_")[2]) for path in Path(shared).glob("gauge_live*.db")}:
                if not Path(f"/proc/{pid}").exists():
                    multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(self._state)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, labels, namespace="qa", registry=self._registry)

    def _histogram(self, name: str, told: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, told, labels, namespace="qa", registry=self._registry, buckets=buckets)


class _State(Collector):
    """Read when it is asked for: other processes change indexes too."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    def collect(self) -> Iterator[GaugeMetricFamily]:
        readable = GaugeMetricFamily("qa_index_readable", "Whether an index can be used: 1 or 0.", labels=["index"])
        gauges = {
            name: GaugeMetricFamily(f"qa_index_{name}", told, labels=["index"])
            for name, told in (
                ("documents", "Documents in an index."),
                ("passages", "Passages of the generation that answers."),
                ("generation", "The generation that answers."),
                ("revision", "The number of the last write."),
                ("lag", "Writes since the last query of the worker that was asked."),
            )
        }
        for index in self._indexes.names():
            try:
                opened = self._indexes.get(index)
                told = {**asdict(opened.state()), "lag": opened.lag()}
            except QAError:
                readable.add_metric([index], 0)
                continue
            readable.add_metric([index], 1)
            for name, gauge in gauges.items():
                gauge.add_metric([index], told[name])
        yield from (readable, *gauges.values())


class MetricsMiddleware:
    """ASGI middleware: every call is counted and timed under its route's name."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, and count how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = _route(scope)
            self._metrics.requests.labels(_method(scope), route, str(status)).inc()
            self._metrics.request_seconds.labels(route).observe(time.perf_counter() - began)


def _route(scope: Scope) -> str:
    """Return the pattern of the route that the router found, by its whole path."""
    path = getattr(scope.get("route"), "path", None)
    if path is None:
        return _UNKNOWN
    # A route does not know of the prefix that its router was included with.
    return f"{PREFIX}{path}" if scope["path"].startswith(f"{PREFIX}/") and not path.startswith(PREFIX) else str(path)


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else _UNKNOWN
