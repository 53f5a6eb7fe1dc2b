"""A bound on what is worked on or waiting: beyond it a caller is told when to come back, not kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qa.errors import ClientDisconnected, Overloaded
from qa.service.retry_queue import QueuedCaller, RetryQueue

# Seconds in which as many more may come as there is room for beyond the steady number.
_REFILL = 60.0


class Admission:
    """Counts what is in the house, gives turns, and places to those who have to come back.

    A burst may fill the house. What keeps coming faster than it is answered may not: all of it would wait long. So what
    goes beyond a steady number is let in from an allowance that only time fills up again. Who is sent away is told when
    his place is due, and if he comes back then he is let in before those who ask for the first time.
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
        self._places = RetryQueue(limit, limit if turns is None else turns)
        self._guard = threading.Lock()

    @contextmanager
    def of(self, count: int = 1, asker: QueuedCaller | None = None) -> Iterator[float]:
        """Let so many in, for as long as the context lasts, and wait for a turn; a batch takes one, and gets in alone.

        Args:
            count: of questions.
            asker: gets a place if there is no room now, and is asked when it is his turn whether he still waits.

        Yields:
            For how many seconds they waited.

        Raises:
            Overloaded: there is no room now.
            ClientDisconnected: nobody waits for it.
        """
        self._enter(count, asker)
        came = time.monotonic()
        try:
            with self._turns:
                if asker and asker.gone():
                    raise ClientDisconnected("whoever asked has hung up")
                began = time.monotonic()
                yield began - came
                with self._guard:
                    self._places.answered((time.monotonic() - began) / count)
        finally:
            self._move(-count)

    def _enter(self, count: int, asker: QueuedCaller | None) -> None:
        with self._guard:
            now = time.monotonic()
            most = float(self._limit - self._steady)
            self._allowance = min(most, self._allowance + most * (now - self._seen) / _REFILL)
            self._seen = now
            is_due = asker is not None and self._places.is_due(asker, now)
            beyond = 0 if is_due else min(count, max(0, self._inside + count - self._steady))
            # A batch that was promised a place might wait for ever for as much room as it takes.
            if self._inside and self._inside + (1 if is_due else count) > self._limit:
                told = f"{self._inside} requests are being worked on; at most {self._limit} at once"
            elif self._inside and beyond > self._allowance:
                told = f"{self._inside} requests are being worked on, and more keep coming than are answered"
            else:
                told = ""
            if told:
                raise Overloaded(told, self._places.seconds_to_wait(asker, count, now) if asker else 1)
            # A batch that got in alone may be larger than all that is allowed.
            self._allowance = max(0.0, self._allowance - beyond)
            if asker:
                self._places.give_up(asker)
            self._inside += count
        self._moved(count)

    def _move(self, by: int) -> None:
        with self._guard:
            self._inside += by
        self._moved(by)
