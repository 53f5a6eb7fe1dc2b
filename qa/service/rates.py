"""How often one caller may call, of all workers together."""

from __future__ import annotations

import math
import time

from limits import parse
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter

from qa.errors import QAError, RateLimited
from qa.service.shared import ServiceState


class RateLimit:
    """A bound on the calls of each caller in any stretch of time of a given length."""

    def __init__(self, rate: str | None, state: ServiceState) -> None:
        """Set the bound.

        Args:
            rate: calls and a stretch of time, as in "100/minute"; None for no bound.
            state: where calls are counted.
        """
        self._rate = parse(rate) if rate else None
        self._limiter = MovingWindowRateLimiter(_Counted(state))

    def count(self, caller: str) -> None:
        """Count a call.

        Raises:
            RateLimited: it is one too many; it is not counted.
            Unavailable: calls cannot be counted now.
        """
        if self._rate is None or self._limiter.hit(self._rate, caller):
            return
        wait = max(1, math.ceil(self._limiter.get_window_stats(self._rate, caller).reset_time - time.time()))
        raise RateLimited(
            f"at most {self._rate.amount} calls in {self._rate.multiples} {self._rate.GRANULARITY.name}(s)", wait
        )


class _Counted(Storage, MovingWindowSupport):
    """The limiter's counts, in the state that workers share; a moving window takes the first two alone."""

    base_exceptions = QAError

    def __init__(self, state: ServiceState) -> None:
        super().__init__()
        self._state = state

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return self._state.count_call(key, limit, expiry, amount)

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        return self._state.calls(key, expiry)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError

    get = get_expiry = check = reset = clear = incr  # type: ignore[assignment]
