"""A server of its own, for as long as something is measured, with the contexts of a SQuAD file as documents."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qa.client import Client
from qa.wire.documents import DocumentIn

_TOGETHER = 100
# A server takes a second or two to begin.
_RETRIES = 8


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


def at(values: Sequence[float], percent: int) -> float:
    """Return a percentile."""
    return statistics.quantiles(values, n=100)[percent - 1]
