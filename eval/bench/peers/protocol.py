"""Run a system as a process: requests and replies with timings are lines of JSON on standard input and output."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol


class System(Protocol):
    """A question answering system to compare."""

    def add(self, texts: list[str]) -> None:
        """Index documents; they can be found when this returns."""

    def ask(self, question: str) -> str:
        """Return the best answer; "" for none."""


def serve(system: System) -> None:
    """Handle requests from standard input until it ends."""
    # Libraries may print; only replies may reach standard output.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    with contextlib.redirect_stdout(sys.stderr):
        for line in sys.stdin:
            request = json.loads(line)
            started = time.perf_counter()
            reply = _handle(system, request)
            print(json.dumps({"seconds": time.perf_counter() - started, **reply}), file=out, flush=True)


def _handle(system: System, request: dict[str, Any]) -> dict[str, Any]:
    if "add" in request:
        system.add(request["add"])
        return {}
    if "ask" in request:
        return {"answer": system.ask(request["ask"])}
    if "ask_many" in request:
        with ThreadPoolExecutor(request["clients"]) as clients:
            return {"answers": list(clients.map(system.ask, request["ask_many"]))}
    return {"pss_mb": pss_mb()}


def pss_mb(process: int | str = "self") -> float:
    """Return the proportional set size of a process in megabytes."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
