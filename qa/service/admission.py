"""A bound on what is worked on or waiting: beyond it a caller is told to come back, not kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qa.errors import Abandoned, Overloaded

# Seconds in which as many more may come as there is room for beyond the steady number.
_REFILL = 60.0


class Admission:
    """Counts what is in the house, and gives turns.

    A burst may fill the house. What keeps coming faster than it is answered may not: all of it would wait long. So what
    goes beyond a steady number is let in from an allowance that only time fills up again.
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
        self._moved = moved
        self._inside = 0
        self._allowance = float(limit - self._steady)
        self._seen = time.monotonic()
        self._guard = threading.Lock()

    @contextmanager
    def of(self, count: int = 1, gone: Callable[[], bool] = lambda: False) -> Iterator[float]:
        """Let so many in, for as long as the context lasts, and wait for a turn; a batch takes one, and gets in alone.

        Args:
            count: of questions.
            gone: tells, when it is their turn, whether nobody waits for the answer any more.

        Yields:
            For how many seconds they waited.

        Raises:
            Overloaded: there is no room now.
            Abandoned: nobody waits for it.
        """
        self._enter(count)
        began = time.monotonic()
        try:
            with self._turns:
                if gone():
                    raise Abandoned("whoever asked has hung up")
                yield time.monotonic() - began
        finally:
            self._move(-count)

    def _enter(self, count: int) -> None:
        with self._guard:
            now = time.monotonic()
            most = float(self._limit - self._steady)
            self._allowance = min(most, self._allowance + most * (now - self._seen) / _REFILL)
            self._seen = now
            beyond = min(count, max(0, self._inside + count - self._steady))
            if self._inside and self._inside + count > self._limit:
                raise Overloaded(f"{self._inside} requests are being worked on; at most {self._limit} at once")
            if self._inside and beyond > self._allowance:
                raise Overloaded(f"{self._inside} requests are being worked on, and more keep coming than are answered")
            # A batch that got in alone may be larger than all that is allowed.
            self._allowance = max(0.0, self._allowance - beyond)
            self._inside += count
        self._moved(count)

    def _move(self, by: int) -> None:
        with self._guard:
            self._inside += by
        self._moved(by)
