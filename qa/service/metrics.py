"""What whoever is on call wants to know, in Prometheus' format, and a line in the log for each question."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.errors import QAError
from qa.index.registry import Indexes
from qa.service.admission import Admission
from qa.service.logs import QUESTIONS
from qa.types import QueryResult
from qa.wire.base import PREFIX

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_TENTHS = tuple(n / 10 for n in range(1, 11))
# Calls of what is not there: each under its own name would let anybody grow the list.
_UNKNOWN = "unknown"

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_log = logging.getLogger(QUESTIONS)


class Metrics:
    """Counts since the process began, and the state of the indexes at the moment of asking."""

    def __init__(self, indexes: Indexes, questions: Admission, writes: Admission) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "Calls that were answered.", "method", "route", "status")
        self.request_seconds = self._histogram("request_seconds", "How long a call took.", _SECONDS, "route")
        self._questions = self._counter("questions", "Questions by outcome: answered, no_answer.", "outcome")
        self._stages = self._histogram("stage_seconds", "How long a stage of a question took.", _SECONDS, "stage")
        self._confidence = self._histogram("confidence", "Confidence of the best answer, given or not.", _TENTHS)
        self._registry.register(_State(indexes, questions, writes))

    def asked(self, results: Sequence[QueryResult]) -> None:
        """Count questions; the log tells of each without a word of what was asked or answered."""
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
        for stage, ms in results[0].timings_ms.items():
            self._stages.labels(stage).observe(ms / 1000)

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, labels, namespace="qa", registry=self._registry)

    def _histogram(self, name: str, told: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, told, labels, namespace="qa", registry=self._registry, buckets=buckets)


class _State(Collector):
    """Read when it is asked for: other processes change indexes too."""

    def __init__(self, indexes: Indexes, questions: Admission, writes: Admission) -> None:
        self._indexes, self._inside = indexes, {"questions": questions, "writes": writes}

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        inside = GaugeMetricFamily("qa_inside", "What is worked on or waits.", labels=["kind"])
        for kind, admission in self._inside.items():
            inside.add_metric([kind], admission.inside)
        yield inside
        readable = GaugeMetricFamily("qa_index_readable", "Whether an index can be used: 1 or 0.", labels=["index"])
        gauges = {
            name: GaugeMetricFamily(f"qa_index_{name}", told, labels=["index"])
            for name, told in (
                ("documents", "Documents in an index."),
                ("passages", "Passages of the generation that answers."),
                ("generation", "The generation that answers."),
                ("revision", "The number of the last write."),
            )
        }
        for index in self._indexes.names():
            try:
                state = self._indexes.get(index).state()
            except QAError:
                readable.add_metric([index], 0)
                continue
            readable.add_metric([index], 1)
            for name, gauge in gauges.items():
                gauge.add_metric([index], getattr(state, name))
        yield from (readable, *gauges.values())


class Observed:
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
