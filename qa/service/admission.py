"""A bound on what is worked on or waiting: beyond it a caller is told when to come back, not kept."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from qa.errors import Abandoned, Overloaded

# Seconds in which as many more may come as there is room for beyond the steady number.
_REFILL = 60.0
# Places are given out somewhat slower than questions are answered: newcomers get in between, and no queue grows.
_SLACK = 1.25
# Seconds: a place that nobody has come back for is given up, and no place is promised that is further away.
_KEPT, _FARTHEST = 10.0, 30.0


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks.

    Attributes:
        mark: the same if the same question comes from the same caller again.
        gone: tells whether nobody waits for the answer any more.
    """

    mark: str
    gone: Callable[[], bool]


class Admission:
    """Counts what is in the house, gives turns, and places to those who have to come back.

    A burst may fill the house. What keeps coming faster than it is answered may not: all of it would wait long. So what
    goes beyond a steady number is let in from an allowance that only time fills up again. Who is sent away is told when
    his place is due, and is let in if he comes back then, before those who ask for the first time.
    """

    def __init__(self, limit: int, turns: int | None = None, moved: Callable[[int], None] = lambda _: None) -> None:
        """Set the bounds.

        Args:
            limit: how much may be inside, worked on or waiting.
            turns: how many are worked on at once; half as many again, and one at least, are let in beyond these at any
                time. None: all that are inside.
            moved: is told by how much the number inside has changed.
        """
        self._limit = limit
        # Each that waits makes the next one wait: with as many waiting as worked on, the slowest of a flood took over
        # three times as long as alone, so it is half as many.
        self._steady = limit if turns is None else min(limit, turns + max(1, turns // 2))
        self._turns = threading.Semaphore(limit if turns is None else turns)
        self._at_once = limit if turns is None else turns
        self._moved = moved
        self._inside = 0
        self._allowance = float(limit - self._steady)
        self._seen = time.monotonic()
        # Seconds from one answer to the next while all turns are taken, as lately.
        self._pace = 0.0
        self._places: dict[str, float] = {}
        self._last_place = 0.0
        self._guard = threading.Lock()

    @contextmanager
    def of(self, count: int = 1, asker: Asker | None = None) -> Iterator[float]:
        """Let so many in, for as long as the context lasts, and wait for a turn; a batch takes one, and gets in alone.

        Args:
            count: of questions.
            asker: who has a place if there is no room now, and is asked when it is his turn whether he still waits.

        Yields:
            For how many seconds they waited.

        Raises:
            Overloaded: there is no room now.
            Abandoned: nobody waits for it.
        """
        self._enter(count, asker)
        came = time.monotonic()
        try:
            with self._turns:
                if asker and asker.gone():
                    raise Abandoned("whoever asked has hung up")
                began = time.monotonic()
                yield began - came
                self._paced((time.monotonic() - began) / count)
        finally:
            self._move(-count)

    def _enter(self, count: int, asker: Asker | None) -> None:
        with self._guard:
            now = time.monotonic()
            most = float(self._limit - self._steady)
            self._allowance = min(most, self._allowance + most * (now - self._seen) / _REFILL)
            self._seen = now
            if self._inside and self._inside + count > self._limit:
                told = f"{self._inside} requests are being worked on; at most {self._limit} at once"
                raise Overloaded(told, self._seconds_to_wait(count, asker, now))
            if not self._is_due(asker, now):
                beyond = min(count, max(0, self._inside + count - self._steady))
                if self._inside and beyond > self._allowance:
                    told = f"{self._inside} requests are being worked on, and more keep coming than are answered"
                    raise Overloaded(told, self._seconds_to_wait(count, asker, now))
                # A batch that got in alone may be larger than all that is allowed.
                self._allowance = max(0.0, self._allowance - beyond)
            if asker:
                self._places.pop(asker.mark, None)
            self._inside += count
        self._moved(count)

    def _is_due(self, asker: Asker | None, now: float) -> bool:
        return asker is not None and self._places.get(asker.mark, math.inf) <= now

    def _seconds_to_wait(self, count: int, asker: Asker | None, now: float) -> int:
        """Give who has none a place behind all others, and tell in how many seconds it is due."""
        self._places = {mark: due for mark, due in self._places.items() if now < due + _KEPT}
        due = self._places.get(asker.mark) if asker else None
        if due is None:
            due = max(now, self._last_place) + count * self._pace * _SLACK
            if due > now + _FARTHEST:
                return math.ceil(_FARTHEST)
            self._last_place = due
            if asker:
                self._places[asker.mark] = due
        return max(1, math.ceil(due - now))

    def _paced(self, seconds: float) -> None:
        with self._guard:
            lately = seconds / self._at_once
            self._pace += (lately - self._pace) * (0.1 if self._pace else 1.0)

    def _move(self, by: int) -> None:
        with self._guard:
            self._inside += by
        self._moved(by)
