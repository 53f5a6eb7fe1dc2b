"""Admission control: bound the requests that run or wait; rejected clients learn when to retry."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qa.errors import ClientDisconnected, Overloaded
from qa.service.retry_queue import QueuedCaller, RetryQueue

# Seconds in which an empty allowance refills completely.
_REFILL_SECONDS = 60.0


class Admission:
    """Admits requests, runs them in a limited number of slots and gives reservations to rejected callers.

    A burst may fill the queue. A flood, which keeps arriving faster than it is answered, may not: all of its requests
    would wait long. Requests beyond a steady number therefore use up an allowance that refills with time, as in a token
    bucket. A rejected client learns when to retry. If it retries then, it is admitted before new callers.
    """

    def __init__(self, limit: int, slots: int | None = None, on_change: Callable[[int], None] = lambda _: None) -> None:
        """Set the bounds.

        Args:
            limit: maximum number of requests that run or wait.
            slots: maximum number of requests that run at once. Half as many more, at least one, may always wait; the
                rest of `limit` is the allowance. None: every admitted request runs at once.
            on_change: called with the change whenever the number of admitted requests changes.
        """
        # Each request that waits delays the next one. When as many waited as ran, the slowest requests of a flood took
        # over three times as long as without load; with half as many they do not.
        self._steady = limit if slots is None else min(limit, slots + max(1, slots // 2))
        self._limit = limit
        self._slots = threading.Semaphore(limit if slots is None else slots)
        self._on_change = on_change
        self._admitted = 0
        self._allowance = float(limit - self._steady)
        self._refilled_at = time.monotonic()
        self._retry_queue = RetryQueue(limit, limit if slots is None else slots)
        self._lock = threading.Lock()

    @contextmanager
    def admit(self, count: int = 1, queued_caller: QueuedCaller | None = None) -> Iterator[float]:
        """Admit a request and wait for a slot, which the request holds until the context ends.

        A batch takes one slot. A batch larger than the limit is admitted when no other request is.

        Args:
            count: number of questions in the request.
            queued_caller: gets a reservation if the request is rejected. Its connection is checked once a slot is free.

        Yields:
            How long the request waited, in seconds.

        Raises:
            Overloaded: too many requests run or wait.
            ClientDisconnected: the client disconnected while its request waited.
        """
        self._enter(count, queued_caller)
        entered = time.monotonic()
        try:
            with self._slots:
                if queued_caller and queued_caller.disconnected():
                    raise ClientDisconnected("the client disconnected while its request was queued")
                started = time.monotonic()
                yield started - entered
                with self._lock:
                    self._retry_queue.record_duration((time.monotonic() - started) / count)
        finally:
            self._change_admitted(-count)

    def _enter(self, count: int, queued_caller: QueuedCaller | None) -> None:
        with self._lock:
            now = time.monotonic()
            capacity = float(self._limit - self._steady)
            refill = capacity * (now - self._refilled_at) / _REFILL_SECONDS
            self._allowance = min(capacity, self._allowance + refill)
            self._refilled_at = now
            is_due = queued_caller is not None and self._retry_queue.is_due(queued_caller, now)
            excess = 0 if is_due else min(count, max(0, self._admitted + count - self._steady))
            reason = ""
            # A batch with a due reservation counts as one: it might never find room for all its questions.
            if self._admitted and self._admitted + (1 if is_due else count) > self._limit:
                reason = f"{self._admitted} are running or waiting, the maximum is {self._limit}"
            elif self._admitted and excess > self._allowance:
                reason = f"{self._admitted} are running or waiting, and more arrive than can be answered"
            if reason:
                retry_after = self._retry_queue.reserve(queued_caller, count, now) if queued_caller else 1
                raise Overloaded(f"too many requests: {reason}; retry in {retry_after} s", retry_after)
            # A batch that is admitted alone may exceed the whole allowance.
            self._allowance = max(0.0, self._allowance - excess)
            if queued_caller:
                self._retry_queue.release(queued_caller)
            self._admitted += count
        self._on_change(count)

    def _change_admitted(self, change: int) -> None:
        with self._lock:
            self._admitted += change
        self._on_change(change)
