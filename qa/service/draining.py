"""Graceful shutdown: on SIGTERM the server reports itself as not ready, and keeps serving for a while."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType


class Draining:
    """Whether the server is about to stop; load balancers stop sending requests once `/readyz` reports it.

    Attributes:
        active: SIGTERM was received.
    """

    def __init__(self, seconds: float) -> None:
        """Set for how many seconds the server keeps serving after SIGTERM."""
        self._seconds = seconds
        self.active = False

    def delay_sigterm(self) -> None:
        """Delay the handler of SIGTERM that is installed now; call this from the event loop's thread.

        A second SIGTERM runs the handler at once. With several workers, uvicorn's supervisor does not forward it.
        """
        if not self._seconds or threading.current_thread() is not threading.main_thread():
            return
        loop, stop = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
        if not callable(stop):
            return

        def handle_sigterm(number: int, frame: FrameType | None) -> None:
            if self.active:
                stop(number, frame)
            else:
                self.active = True
                loop.call_soon_threadsafe(loop.call_later, self._seconds, stop, number, None)

        signal.signal(signal.SIGTERM, handle_sigterm)
