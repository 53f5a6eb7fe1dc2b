"""RetryQueue for those who have to come back: when each is due, and whose it is. Not for several threads at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

# RetryQueue are given out somewhat slower than questions are answered: newcomers get in between, and no queue grows.
_SLACK = 1.25
# Seconds from one answer to the next: as long as none is known, and where they are faster than is worth counting.
_LEAST_PACE = 0.05
# Seconds: a place that nobody has come back for is given up, and none is promised that is further away.
_KEPT, _FARTHEST = 10.0, 30.0


@dataclass(frozen=True, slots=True)
class QueuedCaller:
    """Who asks, and what.

    Attributes:
        caller: who.
        mark: the same if the same is asked by the same caller again.
        gone: tells whether nobody waits for the answer any more.
    """

    caller: str
    mark: str
    gone: Callable[[], bool]


class RetryQueue:
    """A queue of which only the times are kept: whoever is in it comes back when his is due."""

    def __init__(self, most: int, turns: int) -> None:
        """Begin with none.

        Args:
            most: that one caller may have.
            turns: how many are answered at once.
        """
        self._most = most
        self._turns = turns
        self._pace = 0.0
        self._last = 0.0
        # By mark, in the order in which they are due: when, and whose.
        self._due: dict[str, tuple[float, str]] = {}

    def answered(self, seconds: float) -> None:
        """Learn how long an answer took."""
        lately = seconds / self._turns
        self._pace += (lately - self._pace) * (0.1 if self._pace else 1.0)

    def is_due(self, asker: QueuedCaller, now: float) -> bool:
        """Tell whether he has a place, and it is its time."""
        due, _ = self._due.get(asker.mark, (math.inf, ""))
        return due <= now < due + _KEPT

    def give_up(self, asker: QueuedCaller) -> None:
        """Take his place back, if he has one: he is in."""
        self._due.pop(asker.mark, None)

    def seconds_to_wait(self, asker: QueuedCaller, count: int, now: float) -> int:
        """Give who has none a place behind all others, and tell in how many seconds it is due.

        Where too many are before him, or too many of them are his own, he is told when to try again, without a place.

        Args:
            asker: who is sent away.
            count: how many questions he asks.
            now: in seconds.
        """
        self._due = {mark: place for mark, place in self._due.items() if now < place[0] + _KEPT}
        if asker.mark not in self._due:
            begins = max(now, self._last)
            his = sum(caller == asker.caller for _, caller in self._due.values())
            if begins >= now + _FARTHEST or his >= self._most:
                return math.ceil(min(_FARTHEST, begins - now + 1))
            self._last = begins + count * max(_LEAST_PACE, self._pace) * _SLACK
            self._due[asker.mark] = min(self._last, now + _FARTHEST), asker.caller
        return max(1, math.ceil(self._due[asker.mark][0] - now))
