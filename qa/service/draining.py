"""A server that is told to stop says so first, for as long as a load balancer takes to notice, and serves meanwhile."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType


class Draining:
    """Whether the server is about to stop."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.begun = False

    def watch(self) -> None:
        """Put off what SIGTERM does now. To be called where the event loop runs.

        A second one does it at once; whoever started several workers does not pass it on to them.
        """
        if not self._seconds or threading.current_thread() is not threading.main_thread():
            return
        loop, stop = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
        if not callable(stop):
            return

        def told(number: int, frame: FrameType | None) -> None:
            if self.begun:
                stop(number, frame)
            else:
                self.begun = True
                loop.call_soon_threadsafe(loop.call_later, self._seconds, stop, number, None)

        signal.signal(signal.SIGTERM, told)
