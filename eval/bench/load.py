"""What a server does with twice the questions that it can answer.

    python -m eval.bench.load [DATASET] [--seconds S]

Questions of a SQuAD file are asked of `qa serve` on its contexts: by one client, one after the other; by a few at once,
which tells how many can be answered in a second; then at twice that rate, whatever comes back.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from eval.bench.peers.protocol import pss_mb
from eval.bench.querying import GOLDEN
from qa.client import Client
from qa.errors import QAError
from qa.evaluation.squad import load_squad
from qa.wire.documents import DocumentIn

_PORT = 8137
_URL = f"http://127.0.0.1:{_PORT}"
_ALONE = 200
_TOGETHER = 100
_CLIENTS_AT_CAPACITY = 4
_MOST_CLIENTS = 64
_ANSWERED = "answered"


def main() -> None:
    """Print latencies alone and under load, what was refused, and the server's memory before and after."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--seconds", type=float, default=120)
    given = parser.parse_args()
    dataset = load_squad(given.dataset)
    questions = [question.text for question in dataset.questions]
    documents = [DocumentIn(id=str(n), text=text) for n, text in enumerate(dataset.contexts)]
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("qa")), "serve", "--port", str(_PORT)]
        environment = {**os.environ, "QA_INDEX_DIR": folder}
        server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            with Client(_URL, retries=8) as client:
                client.ready()
                for first in range(0, len(documents), _TOGETHER):
                    client.add(documents[first : first + _TOGETHER])
            _measure(server.pid, questions, given.seconds)
        finally:
            server.terminate()
            server.wait()


def _measure(pid: int, questions: Sequence[str], seconds: float) -> None:
    alone = [_ask_one(_client(), question)[0] for question in questions[:_ALONE]]
    print(f"alone: p50 {_at(alone, 0.5):.0f} ms, p95 {_at(alone, 0.95):.0f} ms")
    began = time.monotonic()
    with ThreadPoolExecutor(_CLIENTS_AT_CAPACITY) as pool:
        done = list(pool.map(lambda question: _ask_one(_client(), question)[1], questions[:_ALONE]))
    capacity = done.count(_ANSWERED) / (time.monotonic() - began)
    print(f"{_CLIENTS_AT_CAPACITY} at once: {capacity:.1f} a second")
    before = pss_mb(pid)
    replies = _asked_at(2 * capacity, questions, seconds)
    taken, ends = [ms for ms, end in replies if end == _ANSWERED], Counter(end for _, end in replies)
    print(f"{2 * capacity:.1f} asked a second for {seconds:.0f} s: {dict(ends)}")
    ratio = _at(taken, 0.95) / _at(alone, 0.95)
    print(f"of what was answered: p50 {_at(taken, 0.5):.0f} ms, p95 {_at(taken, 0.95):.0f} ms, {ratio:.1f} times alone")
    print(f"memory of the server: {before:.0f} MB before, {pss_mb(pid):.0f} MB after")


def _asked_at(rate: float, questions: Sequence[str], seconds: float) -> list[tuple[float, str]]:
    """Ask at a fixed rate, whatever comes back."""
    begun, asked = time.monotonic(), []
    with ThreadPoolExecutor(_MOST_CLIENTS) as pool:
        for number, question in enumerate(itertools.cycle(questions)):
            due = begun + number / rate
            if due > begun + seconds:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            asked.append(pool.submit(lambda question: _ask_one(_client(), question), question))
        return [future.result() for future in asked]


_local = threading.local()


def _client() -> Client:
    """Return this thread's client."""
    if not hasattr(_local, "client"):
        _local.client = Client(_URL, retries=0)
    client: Client = _local.client
    return client


def _ask_one(client: Client, question: str) -> tuple[float, str]:
    """Return how many milliseconds a reply took, and what it was."""
    began, end = time.perf_counter(), _ANSWERED
    try:
        client.query(question)
    except QAError as error:
        end = type(error).__name__
    return 1000 * (time.perf_counter() - began), end


def _at(values: Sequence[float], share: float) -> float:
    return statistics.quantiles(values, n=100)[round(share * 100) - 1]


if __name__ == "__main__":
    main()
