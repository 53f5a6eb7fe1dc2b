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

from qa.client import Client
from qa.config import Settings
from qa.engine import RERANKED_AS_QUESTIONS, Engine
from qa.errors import ClientDisconnected, Overloaded
from qa.service import admission as admission_module
from qa.service.admission import Admission
from qa.service.callers import Callers
from qa.service.dependencies import asker
from qa.service.keys import ANYONE, Key, Keys
from qa.service.rate_limit import RateLimit
from qa.service.retry_queue import QueuedCaller, RetryQueue
from qa.types import QueryResult, SearchResult
from tests.conftest import serving


class Hour:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Hour:
    hour = Hour()
    monkeypatch.setattr(admission_module, "time", hour)
    return hour


def test_a_batch_over_the_bound_gets_in_alone() -> None:
    admission = Admission(2)
    with admission.of(5), pytest.raises(Overloaded, match="at most 2"), admission.of(1):
        pass
    with admission.of(2):
        pass


def test_a_burst_fills_the_house_and_a_flood_does_not(clock: Hour) -> None:
    admission = Admission(10, turns=10)
    # With as many turns as places nobody waits, and all places are for everybody.
    with ExitStack() as inside:
        for _ in range(10):
            inside.enter_context(admission.of())
    admission, go_on = Admission(10, turns=1), threading.Event()
    entered = threading.Semaphore(0)

    def asked() -> str:
        try:
            with admission.of():
                entered.release()
                assert go_on.wait(30)
                return "answered"
        except Overloaded:
            return "sent away"

    with ThreadPoolExecutor(32) as pool:
        burst = [pool.submit(asked) for _ in range(11)]
        assert entered.acquire(timeout=30)
        # Ten are inside, one works; the eleventh has no place.
        while [one.done() for one in burst].count(True) < 1:
            pass
        go_on.set()
        assert sorted(one.result() for one in burst) == ["answered"] * 10 + ["sent away"]
        # The allowance is used up: two are let in now, whatever the limit says.
        go_on.clear()
        flood = [pool.submit(asked) for _ in range(6)]
        while [one.done() for one in flood].count(True) < 4:
            pass
        go_on.set()
        assert sorted(one.result() for one in flood) == ["answered"] * 2 + ["sent away"] * 4
        # Half of it comes back in half the time.
        clock.now += 30
        go_on.clear()
        later = [pool.submit(asked) for _ in range(10)]
        while [one.done() for one in later].count(True) < 4:
            pass
        go_on.set()
        assert sorted(one.result() for one in later) == ["answered"] * 6 + ["sent away"] * 4


@pytest.mark.parametrize(("turns", "steady"), [(1, 2), (2, 3), (4, 6), (16, 20)])
def test_of_a_flood_half_as_many_wait_as_are_worked_on(turns: int, steady: int, clock: Hour) -> None:
    limit, go_on = 20, threading.Event()
    admission = Admission(limit, turns=turns)

    def asked() -> str:
        try:
            with admission.of():
                assert go_on.wait(30)
                return "answered"
        except Overloaded:
            return "sent away"

    with ThreadPoolExecutor(2 * limit) as pool:
        for let_in in (limit, steady):
            # The first time the allowance is there, the second time it is used up.
            go_on.clear()
            asking = [pool.submit(asked) for _ in range(limit + 1)]
            while [one.done() for one in asking].count(True) < limit + 1 - let_in:
                pass
            go_on.set()
            ends = [one.result() for one in asking]
            assert (ends.count("answered"), ends.count("sent away")) == (let_in, limit + 1 - let_in)


def _asker(mark: str) -> QueuedCaller:
    return QueuedCaller("anyone", mark, lambda: False)


@contextmanager
def occupied(admission: Admission, moved: list[int], count: int) -> Iterator[None]:
    """Keep so many inside."""
    go_on, before = threading.Event(), sum(moved)

    def stay() -> None:
        with admission.of():
            assert go_on.wait(30)

    with ThreadPoolExecutor(count) as pool:
        staying = [pool.submit(stay) for _ in range(count)]
        while sum(moved) < before + count:
            time.sleep(0.001)
        try:
            yield
        finally:
            go_on.set()
        for one in staying:
            one.result()


@pytest.fixture
def flooded(clock: Hour) -> tuple[Admission, list[int]]:
    """A house of four with one turn, where an answer has taken two seconds, and whose allowance is used up."""
    moved: list[int] = []
    admission = Admission(4, turns=1, moved=moved.append)
    with occupied(admission, moved, 4):
        clock.now += 2
    return admission, moved


def _sent_away(admission: Admission, mark: str) -> int:
    with pytest.raises(Overloaded) as told, admission.of(asker=_asker(mark)):
        pytest.fail("there is no room")
    return told.value.retry_after_s


def _asked(admission: Admission, mark: str, count: int = 1) -> None:
    with admission.of(count, _asker(mark)):
        pass


def test_places_are_due_one_behind_the_other() -> None:
    places = RetryQueue(20, turns=1)
    places.answered(2.0)
    # An answer takes two seconds; places come somewhat slower.
    assert [places.seconds_to_wait(_asker(mark), 1, 100.0) for mark in ("first", "second", "third")] == [3, 5, 8]
    assert [places.seconds_to_wait(_asker(mark), 1, 101.0) for mark in ("first", "third", "new")] == [2, 7, 9]
    assert [places.is_due(_asker("first"), now) for now in (102.4, 102.5, 112.4, 112.5)] == [False, True, True, False]
    places.give_up(_asker("second"))
    assert not places.is_due(_asker("second"), 106.0)


def test_no_place_is_further_away_than_anybody_would_wait() -> None:
    places = RetryQueue(20, turns=1)
    places.answered(2.0)
    # A batch that takes longer than that still has a place, if nobody is before it.
    assert places.seconds_to_wait(_asker("batch"), 64, 100.0) == 30
    assert places.is_due(_asker("batch"), 130.0)
    assert places.seconds_to_wait(_asker("next"), 1, 100.0) == 30
    assert not places.is_due(_asker("next"), 130.0)


def test_a_caller_has_so_many_places_and_leaves_the_others_to_others() -> None:
    places = RetryQueue(3, turns=1)
    told = [places.seconds_to_wait(_asker(f"question {n}"), 1, 100.0) for n in range(50)]
    # Of how long an answer takes nothing is known yet.
    assert max(told) <= 2
    assert [places.is_due(_asker(f"question {n}"), 102.0) for n in range(4)] == [True, True, True, False]
    assert places.seconds_to_wait(QueuedCaller("another", "question", lambda: False), 1, 100.0) == 1
    assert places.is_due(QueuedCaller("another", "question", lambda: False), 101.0)


def test_a_batch_that_was_promised_a_place_gets_in(clock: Hour) -> None:
    moved: list[int] = []
    admission = Admission(4, turns=1, moved=moved.append)
    with ThreadPoolExecutor(1) as pool, occupied(admission, moved, 2):
        with pytest.raises(Overloaded) as told, admission.of(3, _asker("batch")):
            pytest.fail("there is no room")
        clock.now += told.value.retry_after_s
        back = pool.submit(_asked, admission, "batch", 3)
        while sum(moved) < 5:
            assert not back.done() or back.result() is None


def test_who_comes_back_in_time_is_let_in_before_newcomers(flooded: tuple[Admission, list[int]], clock: Hour) -> None:
    admission, moved = flooded
    with ThreadPoolExecutor(1) as pool:
        with occupied(admission, moved, 2):
            clock.now += _sent_away(admission, "his")
            _sent_away(admission, "a newcomer's")
            back = pool.submit(_asked, admission, "his")
            while sum(moved) < 3:
                assert not back.done() or back.result() is None
            # The place was for one.
            _sent_away(admission, "his")
        assert back.result(30) is None


def test_a_place_that_nobody_comes_back_for_is_given_up(flooded: tuple[Admission, list[int]], clock: Hour) -> None:
    admission, moved = flooded
    with occupied(admission, moved, 2):
        clock.now += _sent_away(admission, "his") + 10
        _sent_away(admission, "his")


def test_who_hung_up_before_his_turn_is_not_worked_for() -> None:
    moved: list[int] = []
    admission = Admission(4, turns=1, moved=moved.append)
    with pytest.raises(ClientDisconnected), admission.of(asker=QueuedCaller("he", "his", lambda: True)):
        pytest.fail("nobody waits for this")
    with admission.of() as waited:
        assert waited >= 0
    assert (sum(moved), moved[:2]) == (0, [1, -1])


def test_a_question_whose_asker_hung_up_is_not_read(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on, asked = threading.Semaphore(0), threading.Event(), []
    original = Engine.ask

    def slow(self: Engine, question: str, **options: Any) -> QueryResult:
        asked.append(question)
        began.release()
        assert go_on.wait(30)
        return original(self, question, **options)

    monkeypatch.setattr(Engine, "ask", slow)
    settings = Settings(index_dir=engine.indexes.folder, threads=1)
    with serving(engine, settings) as url, ThreadPoolExecutor(1) as pool, Client(url) as client:
        running = pool.submit(client.query, "Who stays?")
        assert began.acquire(timeout=30)
        body = b'{"question": "Who leaves?"}'
        head = b"POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n"
        head += b"Content-Type: application/json\r\n\r\n"
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(head % len(body) + body)
            while _inside(client) < 2:
                time.sleep(0.01)
        go_on.set()
        assert running.result().question == "Who stays?"
        while _inside(client):
            time.sleep(0.01)
        assert asked == ["Who stays?"]
        assert 'route="/v1/query",status="499"} 1' in client._http.get("/metrics").text


def test_the_same_question_of_the_same_caller_finds_its_place(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    original = Engine.ask

    def slow(self: Engine, question: str, **options: Any) -> QueryResult:
        assert go_on.wait(30)
        return original(self, question, **options)

    monkeypatch.setattr(Engine, "ask", slow)
    settings = Settings(index_dir=engine.indexes.folder, threads=1, max_questions=4)
    with serving(engine, settings) as url, ThreadPoolExecutor(8) as pool, Client(url, retries=0) as client:

        def fill(count: int) -> None:
            go_on.clear()
            asking.extend(pool.submit(client.query, f"Who is number {len(asking) + n}?") for n in range(count))
            while _inside(client) < count:
                time.sleep(0.01)

        asking: list[Future[Any]] = []
        fill(4)
        go_on.set()
        while _inside(client):
            time.sleep(0.01)
        # The allowance is used up now: two may be inside.
        fill(2)
        with pytest.raises(Overloaded) as told:
            client.query("Who comes back?")
        time.sleep(told.value.retry_after_s)
        for other in (
            lambda: client.query("Who is new?"),
            lambda: client.query("Who comes back?", top_k=1),
            lambda: client.search("Who comes back?"),
        ):
            with pytest.raises(Overloaded):
                other()
        asking.append(pool.submit(client.query, "Who comes back?"))
        while _inside(client) < 3:
            assert not asking[-1].done()
            time.sleep(0.01)
        go_on.set()
        assert asking[-1].result().question == "Who comes back?"


def test_a_search_that_is_reranked_counts_as_the_work_it_is(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[float] = []
    original = Engine.search

    def noted(self: Engine, question: str, **options: Any) -> SearchResult:
        inside.append(_inside(client))
        return original(self, question, **options)

    monkeypatch.setattr(Engine, "search", noted)
    with serving(engine, Settings(index_dir=engine.indexes.folder)) as url, Client(url) as client:
        client.search("Who?")
        client.search("Who?", rerank=True)
    assert inside == [1, RERANKED_AS_QUESTIONS]


def test_a_mark_is_one_callers_and_one_questions() -> None:
    one, other = (Key(sha, "read", None, "", sha) for sha in "12")

    def mark(caller: Key, host: str, path: str, body: bytes) -> str:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        state = SimpleNamespace(callers=Callers(cast(Keys, None), cast(RateLimit, None)))
        scope = {"type": "http", "client": (host, 1), "path": path, "headers": [], "app": SimpleNamespace(state=state)}
        return asyncio.run(asker(Request({**scope, "server": ("here", 80)}, receive), caller)).mark

    asked = mark(ANYONE, "1.1.1.1", "/v1/query", b"x")
    assert asked == mark(ANYONE, "1.1.1.1", "/v1/query", b"x")
    others = {
        mark(ANYONE, "1.1.1.2", "/v1/query", b"x"),
        mark(ANYONE, "1.1.1.1", "/v1/read", b"x"),
        mark(ANYONE, "1.1.1.1", "/v1/query", b"y"),
        mark(one, "1.1.1.1", "/v1/query", b"x"),
        mark(other, "1.1.1.1", "/v1/query", b"x"),
    }
    assert len({asked, *others}) == 6
    # Who has a key may come from anywhere.
    assert mark(one, "1.1.1.1", "/v1/query", b"x") == mark(one, "1.1.1.2", "/v1/query", b"x")


def _inside(client: Client) -> float:
    lines = client._http.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith('qa_inside{kind="questions"'))
