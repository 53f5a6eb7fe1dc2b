"""How often one caller may call."""

from __future__ import annotations

import math
import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from qa.errors import RateLimited


class RateLimit:
    """A bound on the calls of each caller in any stretch of time of a given length; counted in this process."""

    def __init__(self, rate: str | None) -> None:
        """Set the bound.

        Args:
            rate: calls and a stretch of time, as in "100/minute"; None for no bound.
        """
        self._rate = parse(rate) if rate else None
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, caller: str) -> None:
        """Count a call.

        Raises:
            RateLimited: it is one too many; it is not counted.
        """
        if self._rate is None or self._limiter.hit(self._rate, caller):
            return
        wait = max(1, math.ceil(self._limiter.get_window_stats(self._rate, caller).reset_time - time.time()))
        raise RateLimited(
            f"at most {self._rate.amount} calls in {self._rate.multiples} {self._rate.GRANULARITY.name}(s)", wait
        )
