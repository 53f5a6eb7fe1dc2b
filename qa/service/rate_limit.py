"""How often one caller may call, of all workers together."""

from __future__ import annotations

import math
import time

from qa.errors import RateLimited
from qa.service.service_db import ServiceDatabase

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class RateLimit:
    """A bound on the calls of each caller in any stretch of time of a given length."""

    def __init__(self, rate: str | None, state: ServiceDatabase) -> None:
        """Set the bound.

        Args:
            rate: calls and a stretch of time, as in "100/minute", of the form that the settings admit; None for no
                bound.
            state: where calls are counted.
        """
        amount, _, self._unit = rate.partition("/") if rate else ("0", "", "second")
        self._amount = int(amount)
        self._state = state

    def count(self, caller: str) -> None:
        """Count a call.

        Raises:
            RateLimited: it is one too many; it is not counted.
            Unavailable: calls cannot be counted now.
        """
        seconds = _SECONDS[self._unit]
        if not self._amount or self._state.count_call(caller, self._amount, seconds):
            return
        first = self._state.first_call(caller, seconds)
        wait = max(1, math.ceil(first + seconds - time.time()))
        raise RateLimited(f"at most {self._amount} calls in 1 {self._unit}", wait)
