from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from fastapi import Request

from qa.answering.searching import RERANKED_AS_QUESTIONS
from qa.client import Client
from qa.config import Settings
from qa.engine import Engine
from qa.errors import ClientDisconnected, Overloaded
from qa.results import QueryResult, SearchResult
from qa.service import admission as admission_module
from qa.service.admission import Admission
from qa.service.callers import Callers
from qa.service.dependencies import queued_caller
from qa.service.keys import ANONYMOUS, Key, Keys
from qa.service.rate_limit import RateLimit
from qa.service.retry_queue import QueuedCaller, RetryQueue
from qa.service.services import Services
from tests.conftest import serving


class FakeClock:
    """A clock whose time only the test changes."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    fake = FakeClock()
    monkeypatch.setattr(admission_module, "time", fake)
    return fake


def test_admits_a_batch_over_the_limit_when_idle() -> None:
    admission = Admission(2)
    with admission.admit(5), pytest.raises(Overloaded, match="maximum is 2"), admission.admit(1):
        pass
    with admission.admit(2):
        pass


def test_admits_a_burst_up_to_the_limit_and_throttles_a_flood(clock: FakeClock) -> None:
    admission = Admission(10, slots=10)
    # With a slot for each request none waits, and the whole limit is available at any time.
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(admission.admit())
    admission, proceed = Admission(10, slots=1), threading.Event()
    entered = threading.Semaphore(0)

    def request() -> str:
        try:
            with admission.admit():
                entered.release()
                assert proceed.wait(30)
                return "answered"
        except Overloaded:
            return "rejected"

    with ThreadPoolExecutor(32) as pool:
        burst = [pool.submit(request) for _ in range(11)]
        assert entered.acquire(timeout=30)
        # Ten are admitted, and one of them runs; the eleventh is rejected.
        while [future.done() for future in burst].count(True) < 1:
            pass
        proceed.set()
        assert sorted(future.result() for future in burst) == ["answered"] * 10 + ["rejected"]
        # The allowance is used up: only two are admitted now, below the limit.
        proceed.clear()
        flood = [pool.submit(request) for _ in range(6)]
        while [future.done() for future in flood].count(True) < 4:
            pass
        proceed.set()
        assert sorted(future.result() for future in flood) == ["answered"] * 2 + ["rejected"] * 4
        # Half of the allowance refills in half the time.
        clock.now += 30
        proceed.clear()
        later = [pool.submit(request) for _ in range(10)]
        while [future.done() for future in later].count(True) < 4:
            pass
        proceed.set()
        assert sorted(future.result() for future in later) == ["answered"] * 6 + ["rejected"] * 4


@pytest.mark.parametrize(("slots", "steady"), [(1, 2), (2, 3), (4, 6), (16, 20)])
def test_queues_half_as_many_requests_of_a_flood_as_there_are_slots(slots: int, steady: int, clock: FakeClock) -> None:
    limit, proceed = 20, threading.Event()
    admission = Admission(limit, slots=slots)

    def request() -> str:
        try:
            with admission.admit():
                assert proceed.wait(30)
                return "answered"
        except Overloaded:
            return "rejected"

    with ThreadPoolExecutor(2 * limit) as pool:
        for admitted in (limit, steady):
            # The allowance is full the first time, and used up the second time.
            proceed.clear()
            requests = [pool.submit(request) for _ in range(limit + 1)]
            while [future.done() for future in requests].count(True) < limit + 1 - admitted:
                pass
            proceed.set()
            outcomes = [future.result() for future in requests]
            assert (outcomes.count("answered"), outcomes.count("rejected")) == (admitted, limit + 1 - admitted)


def _caller(fingerprint: str) -> QueuedCaller:
    return QueuedCaller("anyone", fingerprint, lambda: False)


@contextmanager
def occupied(admission: Admission, changes: list[int], count: int) -> Iterator[None]:
    """Keep this number of requests admitted."""
    proceed, before = threading.Event(), sum(changes)

    def occupy() -> None:
        with admission.admit():
            assert proceed.wait(30)

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(occupy) for _ in range(count)]
        while sum(changes) < before + count:
            time.sleep(0.001)
        try:
            yield
        finally:
            proceed.set()
        for future in futures:
            future.result()


@pytest.fixture
def flooded(clock: FakeClock) -> tuple[Admission, list[int]]:
    """Admission with limit 4 and one slot, where an answer took two seconds and the allowance is used up."""
    changes: list[int] = []
    admission = Admission(4, slots=1, on_change=changes.append)
    with occupied(admission, changes, 4):
        clock.now += 2
    return admission, changes


def _rejected(admission: Admission, fingerprint: str) -> int:
    """Send a request that is rejected, and return the seconds after which to retry."""
    caller = _caller(fingerprint)
    with pytest.raises(Overloaded, match="too many requests") as rejected, admission.admit(queued_caller=caller):
        pytest.fail("admitted")
    return rejected.value.retry_after_s


def _request(admission: Admission, fingerprint: str, count: int = 1) -> None:
    with admission.admit(count, _caller(fingerprint)):
        pass


def test_reservations_are_due_one_after_the_other() -> None:
    queue = RetryQueue(20, slots=1)
    queue.record_duration(2.0)
    # An answer takes two seconds; reservations are spaced somewhat wider.
    assert [queue.reserve(_caller(name), 1, 100.0) for name in ("first", "second", "third")] == [3, 5, 8]
    assert [queue.reserve(_caller(name), 1, 101.0) for name in ("first", "third", "new")] == [2, 7, 9]
    assert [queue.is_due(_caller("first"), now) for now in (102.4, 102.5, 112.4, 112.5)] == [False, True, True, False]
    queue.release(_caller("second"))
    assert not queue.is_due(_caller("second"), 106.0)


def test_makes_no_reservation_beyond_the_longest_wait() -> None:
    queue = RetryQueue(20, slots=1)
    queue.record_duration(2.0)
    # A batch that takes longer than the longest wait still gets a reservation if none is before it.
    assert queue.reserve(_caller("batch"), 64, 100.0) == 30
    assert queue.is_due(_caller("batch"), 130.0)
    assert queue.reserve(_caller("next"), 1, 100.0) == 30
    assert not queue.is_due(_caller("next"), 130.0)


def test_limits_the_reservations_of_one_caller() -> None:
    queue = RetryQueue(3, slots=1)
    waits = [queue.reserve(_caller(f"question {n}"), 1, 100.0) for n in range(50)]
    # No duration was recorded yet.
    assert max(waits) <= 2
    assert [queue.is_due(_caller(f"question {n}"), 102.0) for n in range(4)] == [True, True, True, False]
    assert queue.reserve(QueuedCaller("another", "question", lambda: False), 1, 100.0) == 1
    assert queue.is_due(QueuedCaller("another", "question", lambda: False), 101.0)


def test_admits_a_batch_with_a_due_reservation(clock: FakeClock) -> None:
    changes: list[int] = []
    admission = Admission(4, slots=1, on_change=changes.append)
    with ThreadPoolExecutor(1) as pool, occupied(admission, changes, 2):
        with pytest.raises(Overloaded, match="maximum is 4") as rejected, admission.admit(3, _caller("batch")):
            pytest.fail("admitted")
        clock.now += rejected.value.retry_after_s
        retry = pool.submit(_request, admission, "batch", 3)
        while sum(changes) < 5:
            assert not retry.done() or retry.result() is None


def test_admits_a_retry_in_time_before_new_callers(flooded: tuple[Admission, list[int]], clock: FakeClock) -> None:
    admission, changes = flooded
    with ThreadPoolExecutor(1) as pool:
        with occupied(admission, changes, 2):
            clock.now += _rejected(admission, "returning")
            _rejected(admission, "new")
            retry = pool.submit(_request, admission, "returning")
            while sum(changes) < 3:
                assert not retry.done() or retry.result() is None
            # The reservation was for one request.
            _rejected(admission, "returning")
        assert retry.result(30) is None


def test_drops_a_reservation_that_was_not_used_in_time(flooded: tuple[Admission, list[int]], clock: FakeClock) -> None:
    admission, changes = flooded
    with occupied(admission, changes, 2):
        clock.now += _rejected(admission, "late") + 10
        _rejected(admission, "late")


def test_does_not_run_a_request_whose_client_disconnected() -> None:
    changes: list[int] = []
    admission = Admission(4, slots=1, on_change=changes.append)
    caller = QueuedCaller("anyone", "disconnected", lambda: True)
    with pytest.raises(ClientDisconnected, match="while its request was queued"), admission.admit(queued_caller=caller):
        pytest.fail("admitted")
    with admission.admit() as waited:
        assert waited >= 0
    assert (sum(changes), changes[:2]) == (0, [1, -1])


def test_does_not_read_a_question_whose_client_disconnected(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    started, proceed, questions = threading.Semaphore(0), threading.Event(), []
    original = Engine.ask

    def slow(self: Engine, question: str, **options: Any) -> QueryResult:
        questions.append(question)
        started.release()
        assert proceed.wait(30)
        return original(self, question, **options)

    monkeypatch.setattr(Engine, "ask", slow)
    settings = Settings(index_dir=engine.indexes.folder, threads=1)
    with serving(engine, settings) as url, ThreadPoolExecutor(1) as pool, Client(url) as client:
        running = pool.submit(client.ask, "Who stays?")
        assert started.acquire(timeout=30)
        body = b'{"question": "Who leaves?"}'
        head = b"POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n"
        head += b"Content-Type: application/json\r\n\r\n"
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(head % len(body) + body)
            while _in_progress(client) < 2:
                time.sleep(0.01)
        proceed.set()
        assert running.result().question == "Who stays?"
        while _in_progress(client):
            time.sleep(0.01)
        assert questions == ["Who stays?"]
        assert 'route="/v1/query",status="499"} 1' in client._http.get("/metrics").text


def test_admits_the_same_request_of_the_same_caller_when_its_reservation_is_due(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    proceed = threading.Event()
    original = Engine.ask

    def slow(self: Engine, question: str, **options: Any) -> QueryResult:
        assert proceed.wait(30)
        return original(self, question, **options)

    monkeypatch.setattr(Engine, "ask", slow)
    settings = Settings(index_dir=engine.indexes.folder, threads=1, max_questions=4)
    with serving(engine, settings) as url, ThreadPoolExecutor(8) as pool, Client(url, retries=0) as client:

        def fill(count: int) -> None:
            proceed.clear()
            requests.extend(pool.submit(client.ask, f"Who is number {len(requests) + n}?") for n in range(count))
            while _in_progress(client) < count:
                time.sleep(0.01)

        requests: list[Future[Any]] = []
        fill(4)
        proceed.set()
        while _in_progress(client):
            time.sleep(0.01)
        # The allowance is used up now: two may be admitted.
        fill(2)
        with pytest.raises(Overloaded, match="too many requests") as rejected:
            client.ask("Who comes back?")
        time.sleep(rejected.value.retry_after_s)
        for send_other in (
            lambda: client.ask("Who is new?"),
            lambda: client.ask("Who comes back?", top_k=1),
            lambda: client.search("Who comes back?"),
        ):
            with pytest.raises(Overloaded, match="too many requests"):
                send_other()
        requests.append(pool.submit(client.ask, "Who comes back?"))
        while _in_progress(client) < 3:
            assert not requests[-1].done()
            time.sleep(0.01)
        proceed.set()
        assert requests[-1].result().question == "Who comes back?"


def test_counts_a_reranked_search_as_several_questions(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    in_progress: list[float] = []
    original = Engine.search

    def record(self: Engine, question: str, **options: Any) -> SearchResult:
        in_progress.append(_in_progress(client))
        return original(self, question, **options)

    monkeypatch.setattr(Engine, "search", record)
    with serving(engine, Settings(index_dir=engine.indexes.folder)) as url, Client(url) as client:
        client.search("Who?")
        client.search("Who?", rerank=True)
    assert in_progress == [1, RERANKED_AS_QUESTIONS]


def test_a_fingerprint_identifies_a_caller_and_its_request() -> None:
    key_1, key_2 = (Key(sha, "read", None, "", sha) for sha in "12")
    callers = Callers(cast(Keys, None), cast(RateLimit, None))
    services = cast(Services, SimpleNamespace(callers=callers))

    def fingerprint(key: Key, host: str, path: str, body: bytes) -> str:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        scope = {"type": "http", "client": (host, 1), "server": ("here", 80), "path": path, "headers": []}
        return asyncio.run(queued_caller(Request(scope, receive), services, key)).fingerprint

    first = fingerprint(ANONYMOUS, "1.1.1.1", "/v1/query", b"x")
    assert first == fingerprint(ANONYMOUS, "1.1.1.1", "/v1/query", b"x")
    others = {
        fingerprint(ANONYMOUS, "1.1.1.2", "/v1/query", b"x"),
        fingerprint(ANONYMOUS, "1.1.1.1", "/v1/read", b"x"),
        fingerprint(ANONYMOUS, "1.1.1.1", "/v1/query", b"y"),
        fingerprint(key_1, "1.1.1.1", "/v1/query", b"x"),
        fingerprint(key_2, "1.1.1.1", "/v1/query", b"x"),
    }
    assert len({first, *others}) == 6
    # A caller with a key may use several addresses.
    assert fingerprint(key_1, "1.1.1.1", "/v1/query", b"x") == fingerprint(key_1, "1.1.1.2", "/v1/query", b"x")


def _in_progress(client: Client) -> float:
    lines = client._http.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith('qa_inside{kind="questions"'))
