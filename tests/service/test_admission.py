from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from qa.errors import Abandoned, Overloaded
from qa.service import admission as admission_module
from qa.service.admission import Admission


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


def test_who_hung_up_before_his_turn_is_not_worked_for() -> None:
    moved: list[int] = []
    admission = Admission(4, turns=1, moved=moved.append)
    with pytest.raises(Abandoned), admission.of(gone=lambda: True):
        pytest.fail("nobody waits for this")
    with admission.of() as waited:
        assert waited >= 0
    assert (sum(moved), moved[:2]) == (0, [1, -1])
