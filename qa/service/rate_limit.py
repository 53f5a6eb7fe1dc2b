"""Rate limit of each caller, shared by all workers."""

from __future__ import annotations

import math
import time

from qa.errors import RateLimited
from qa.service.service_db import ServiceDatabase

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class RateLimit:
    """A maximum number of calls by each caller in any window of a given length (a sliding window)."""

    def __init__(self, rate: str | None, database: ServiceDatabase) -> None:
        """Set the limit.

        Args:
            rate: number of calls and unit of time, such as "100/minute", as validated by the settings; None sets no
                limit.
            database: where calls are counted.
        """
        amount, _, self._unit = rate.partition("/") if rate else ("0", "", "second")
        self._amount = int(amount)
        self._database = database

    @property
    def active(self) -> bool:
        """Whether there is a limit."""
        return self._amount > 0

    def count(self, caller: str) -> None:
        """Count a call.

        Raises:
            RateLimited: the caller has reached the limit; the call is not counted.
            Unavailable: the database cannot be used.
        """
        seconds = _SECONDS[self._unit]
        if not self.active or self._database.count_call(caller, self._amount, seconds):
            return
        first = self._database.first_call(caller, seconds)
        wait = max(1, math.ceil(first + seconds - time.time()))
        raise RateLimited(
            f"rate limit exceeded: at most {self._amount} calls in 1 {self._unit}; retry in {wait} s", wait
        )
