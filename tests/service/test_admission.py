from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from qa.client import Client
from qa.config import Settings
from qa.engine import Engine
from qa.errors import Abandoned, Overloaded
from qa.service import admission as admission_module
from qa.service.admission import Admission
from qa.types import QueryResult
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


def test_who_hung_up_before_his_turn_is_not_worked_for() -> None:
    moved: list[int] = []
    admission = Admission(4, turns=1, moved=moved.append)
    with pytest.raises(Abandoned), admission.of(gone=lambda: True):
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


def _inside(client: Client) -> float:
    lines = client._http.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith('qa_inside{kind="questions"'))
