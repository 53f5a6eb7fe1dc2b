"""A system under measurement is a process that is told what to do, a line of JSON each, and tells how long it took."""

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
    """Documents in, the best answer to a question out."""

    def add(self, texts: list[str]) -> None:
        """Take in documents; when this returns, they are found."""

    def ask(self, question: str) -> str:
        """Return the best answer; empty for none."""


def serve(system: System) -> None:
    """Do what standard input says until it ends."""
    # Libraries print what they like; only replies go out.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    with contextlib.redirect_stdout(sys.stderr):
        for line in sys.stdin:
            request = json.loads(line)
            began = time.perf_counter()
            reply = _done(system, request)
            print(json.dumps({"seconds": time.perf_counter() - began, **reply}), file=out, flush=True)


def _done(system: System, request: dict[str, Any]) -> dict[str, Any]:
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
    """Return how much memory a process takes, shared pages by share, in megabytes."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
