"""Low priority for long jobs that run beside a server: they use only idle processor time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from qa.models.embedder import Embedder, Vectors

_LOWEST_PRIORITY = 19


class LowPriorityEmbedder:
    """Embeds passages in a low-priority thread.

    The calling thread keeps its priority, because it may hold locks that other threads wait for.
    """

    def __init__(self, build: Callable[[], Embedder]) -> None:
        """Load an embedder in the low-priority thread.

        Args:
            build: loads the embedder. Threads that it starts inherit the low priority.
        """
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="low-priority", initializer=lower_priority)
        self._embedder = self._pool.submit(build).result()
        self.identity = self._embedder.identity
        self.dimension = self._embedder.dimension

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension), computed at low priority."""
        return self._pool.submit(self._embedder.encode_passages, texts).result()

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        return self._embedder.encode_questions(texts)

    def token_starts(self, text: str) -> Sequence[int]:
        """Return the code point offset at which each token of the text starts, ascending."""
        return self._embedder.token_starts(text)


def lower_priority() -> None:
    """Give this thread, and the threads that it starts, the lowest scheduling priority."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
    # Some containers forbid this call.
    with suppress(OSError):
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))
