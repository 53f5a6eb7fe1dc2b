"""Wall-clock times of the stages of a request."""

from __future__ import annotations

import time


class Stopwatch:
    """Measures the stages of a request, from its creation onwards."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Add the time since the previous lap to that of a stage."""
        now = time.perf_counter()
        self._laps[stage] = round(self._laps.get(stage, 0.0) + (now - self._last) * 1000, 3)
        self._last = now

    def timings_ms(self) -> dict[str, float]:
        """Return milliseconds by stage, and since the start as `total`."""
        return {**self._laps, "total": round((time.perf_counter() - self._started) * 1000, 3)}
