"""Reservations for rejected callers: when each may retry. Not thread-safe."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

# Reservations are spaced wider than answers, so that new callers fit in between and no backlog builds up.
_SPACING = 1.25
# Seconds between answers, used until one was measured and as a lower bound.
_MIN_INTERVAL = 0.05
# Seconds for which a due reservation is kept, and the longest wait that one may promise.
_GRACE, _MAX_WAIT = 10.0, 30.0


@dataclass(frozen=True, slots=True)
class QueuedCaller:
    """A caller that waits for a slot.

    Attributes:
        caller: identifies the caller.
        fingerprint: equal for the same request by the same caller.
        disconnected: returns whether the client has closed its connection.
    """

    caller: str
    fingerprint: str
    disconnected: Callable[[], bool]


class RetryQueue:
    """A queue that stores only times: each rejected caller retries when its reservation is due."""

    def __init__(self, max_per_caller: int, slots: int) -> None:
        """Create an empty queue.

        Args:
            max_per_caller: maximum number of reservations of one caller.
            slots: how many requests run at once.
        """
        self._max_per_caller = max_per_caller
        self._slots = slots
        self._interval = 0.0
        self._last_due = 0.0
        # By fingerprint, in the order in which they are due: the due time and the caller.
        self._reservations: dict[str, tuple[float, str]] = {}

    def record_duration(self, seconds: float) -> None:
        """Update the moving average of the time between answers with the duration of one."""
        interval = seconds / self._slots
        self._interval += (interval - self._interval) * (0.1 if self._interval else 1.0)

    def is_due(self, queued_caller: QueuedCaller, now: float) -> bool:
        """Return whether the caller has a reservation that is due and has not expired."""
        due, _ = self._reservations.get(queued_caller.fingerprint, (math.inf, ""))
        return due <= now < due + _GRACE

    def release(self, queued_caller: QueuedCaller) -> None:
        """Remove the caller's reservation, if it has one: its request was admitted."""
        self._reservations.pop(queued_caller.fingerprint, None)

    def reserve(self, queued_caller: QueuedCaller, count: int, now: float) -> int:
        """Make a reservation behind all others, unless the caller has one, and return the seconds until it is due.

        If the queue is too long, or the caller has too many reservations, no reservation is made. The return value then
        says when to try again.

        Args:
            queued_caller: the rejected caller.
            count: number of questions in its request.
            now: the time in seconds.
        """
        self._reservations = {
            fingerprint: reservation
            for fingerprint, reservation in self._reservations.items()
            if now < reservation[0] + _GRACE
        }
        if queued_caller.fingerprint not in self._reservations:
            start = max(now, self._last_due)
            same_caller = sum(caller == queued_caller.caller for _, caller in self._reservations.values())
            if start >= now + _MAX_WAIT or same_caller >= self._max_per_caller:
                return math.ceil(min(_MAX_WAIT, start - now + 1))
            self._last_due = start + count * max(_MIN_INTERVAL, self._interval) * _SPACING
            self._reservations[queued_caller.fingerprint] = min(self._last_due, now + _MAX_WAIT), queued_caller.caller
        return max(1, math.ceil(self._reservations[queued_caller.fingerprint][0] - now))
