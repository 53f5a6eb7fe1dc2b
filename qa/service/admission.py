"""A bound on what is worked on or waiting: beyond it a caller is told to come back, not kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from qa.errors import Overloaded


class Admission:
    """Counts what is in the house."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0
        self._guard = threading.Lock()

    @property
    def inside(self) -> int:
        """How much is worked on or waits."""
        return self._inside

    @contextmanager
    def of(self, count: int = 1) -> Iterator[None]:
        """Let so many in, for as long as the context lasts; a batch larger than the bound gets in alone.

        Raises:
            Overloaded: there is no room now.
        """
        with self._guard:
            if self._inside and self._inside + count > self._limit:
                raise Overloaded(f"{self._inside} requests are being worked on; at most {self._limit} at once")
            self._inside += count
        try:
            yield
        finally:
            with self._guard:
                self._inside -= count
