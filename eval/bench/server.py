"""A server of its own, for as long as something is measured, with the contexts of a SQuAD file as documents."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qa.client import Client
from qa.errors import QAError
from qa.wire.documents import DocumentIn

_TOGETHER = 100
# A server takes a second or two to begin.
_RETRIES = 8
ANSWERED = "answered"
_local = threading.local()


@contextmanager
def served(contexts: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Run `qa serve` on documents; yields its address and its process' number."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = [str(Path(sys.executable).with_name("qa")), "serve", "--port", str(port)]
        environment = {**os.environ, "QA_INDEX_DIR": folder}
        server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}"
        try:
            documents = [DocumentIn(id=str(n), text=text) for n, text in enumerate(contexts)]
            with Client(url, retries=_RETRIES) as client:
                client.ready()
                for first in range(0, len(documents), _TOGETHER):
                    client.add(documents[first : first + _TOGETHER])
            yield url, server.pid
        finally:
            server.terminate()
            server.wait()


def ask_one(url: str, question: str, retries: int = 0) -> tuple[float, str]:
    """Ask by this thread's client; return how many milliseconds a reply took, and `ANSWERED` or which error it was."""
    if getattr(_local, "url", None) != url:
        _local.url, _local.client = url, Client(url, retries=retries)
    began, end = time.perf_counter(), ANSWERED
    try:
        _local.client.query(question)
    except QAError as error:
        end = type(error).__name__
    return 1000 * (time.perf_counter() - began), end


def at(values: Sequence[float], percent: int) -> float:
    """Return a percentile."""
    return statistics.quantiles(values, n=100)[percent - 1]
