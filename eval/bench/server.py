"""Run a separate server for a benchmark, with the contexts of a SQuAD file as documents, and time its replies."""

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
from qa.types import Document

_BATCH = 100
# A server takes a second or two to start.
_RETRIES = 8
ANSWERED = "answered"
_local = threading.local()


@contextmanager
def run_server(contexts: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Run `qa serve` on documents; yield its URL and process id."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = [str(Path(sys.executable).with_name("qa")), "serve", "--port", str(port)]
        environment = {**os.environ, "QA_INDEX_DIR": folder}
        server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}"
        try:
            documents = [Document(str(n), text) for n, text in enumerate(contexts)]
            with Client(url, retries=_RETRIES) as client:
                client.ready()
                for first in range(0, len(documents), _BATCH):
                    client.add(documents[first : first + _BATCH])
            yield url, server.pid
        finally:
            server.terminate()
            server.wait()


def ask_one(url: str, question: str, retries: int = 0) -> tuple[float, str]:
    """Ask with this thread's client; return the latency in milliseconds, and `ANSWERED` or the name of the error."""
    if getattr(_local, "url", None) != url:
        _local.url, _local.client = url, Client(url, retries=retries)
    started, result = time.perf_counter(), ANSWERED
    try:
        _local.client.ask(question)
    except QAError as error:
        result = type(error).__name__
    return 1000 * (time.perf_counter() - started), result


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile, from 1 to 99."""
    return statistics.quantiles(values, n=100)[percent - 1]
