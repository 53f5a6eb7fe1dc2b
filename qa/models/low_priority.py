"""An embedder for long work beside a service that answers: it runs when nothing else wants the processor."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from qa.models.embedder import Embedder, Vectors

_LOWEST = 19


class LowPriorityEmbedder:
    """Embeds passages in a thread that gives way. Whoever calls does not: he may hold locks that others wait for."""

    def __init__(self, build: Callable[[], Embedder]) -> None:
        """Load an embedder.

        Args:
            build: loads it; the threads that it begins give way, too.
        """
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="patient", initializer=_give_way)
        self._embedder = self._aside.submit(build).result()
        self.identity = self._embedder.identity
        self.dimension = self._embedder.dimension

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension), in time."""
        return self._aside.submit(self._embedder.encode_passages, texts).result()

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        return self._embedder.encode_questions(texts)

    def token_starts(self, text: str) -> Sequence[int]:
        """Return the ascending code points where the text's tokens start."""
        return self._embedder.token_starts(text)


def _give_way() -> None:
    """Let this thread, and those that it begins, run when no other wants to."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)
    # Some containers forbid it.
    with suppress(OSError):
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))
