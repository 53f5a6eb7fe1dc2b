"""Graceful shutdown: on SIGTERM the server reports itself as not ready, and keeps serving for a while."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType


class Draining:
    """Whether the server is about to stop; load balancers stop sending requests once `/readyz` reports it.

    Attributes:
        active: SIGTERM or SIGINT was received.
    """

    def __init__(self, seconds: float) -> None:
        """Set for how many seconds the server keeps serving after SIGTERM."""
        self._seconds = seconds
        self.active = False

    def handle_signals(self) -> None:
        """Record SIGTERM and SIGINT, and delay the handler of SIGTERM; call this from the event loop's thread.

        A second SIGTERM runs the handler at once. With several workers, uvicorn's supervisor does not forward it.
        """
        if threading.current_thread() is threading.main_thread():
            self._handle(signal.SIGTERM, self._seconds)
            self._handle(signal.SIGINT, 0)

    def _handle(self, number: signal.Signals, seconds: float) -> None:
        loop, stop = asyncio.get_running_loop(), signal.getsignal(number)
        if not callable(stop):
            return

        def handle_signal(number: int, frame: FrameType | None) -> None:
            delayed = seconds > 0 and not self.active
            self.active = True
            if delayed:
                loop.call_soon_threadsafe(loop.call_later, seconds, stop, number, None)
            else:
                stop(number, frame)

        signal.signal(number, handle_signal)
