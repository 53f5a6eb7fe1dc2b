"""Measure a server under twice the load that it can answer.

    python -m eval.bench.load [DATASET] [--among FOLDER...] [--seconds S]

`qa serve` indexes the contexts of a SQuAD file, among the passages of BEIR folders. The benchmark asks the file's
questions in three phases: one by one; concurrently, one for each processor, to measure the capacity; then at twice
that rate without waiting for replies.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from eval.bench.passages import add_passages
from eval.bench.peers.protocol import pss_mb
from eval.bench.querying import GOLDEN
from eval.bench.server import ANSWERED, ask_one, percentile, run_server
from qa.evaluation.squad import load_squad
from qa.models.inference import available_threads

_QUESTIONS = 200
_MAX_CLIENTS = 64


def main() -> None:
    """Print latencies alone and under load, the rejected requests, and the server's memory before and after."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--among", type=Path, nargs="+", default=[], help="folders with a corpus.jsonl")
    parser.add_argument("--seconds", type=float, default=120)
    arguments = parser.parse_args()
    dataset = load_squad(arguments.dataset)
    questions = [question.text for question in dataset.head(_QUESTIONS).questions]
    documents = add_passages(dataset.contexts, arguments.among)
    with run_server(documents) as (url, pid):
        print(f"{len(documents)} documents indexed: {pss_mb(pid):.0f} MB", flush=True)
        _measure(url, pid, questions, arguments.seconds)


def _measure(url: str, pid: int, questions: Sequence[str], seconds: float) -> None:
    alone = [ask_one(url, question)[0] for question in questions]
    print(f"alone: p50 {percentile(alone, 50):.0f} ms, p95 {percentile(alone, 95):.0f} ms")
    started, clients = time.monotonic(), available_threads()
    with ThreadPoolExecutor(clients) as pool:
        results = list(pool.map(lambda question: ask_one(url, question)[1], questions))
    capacity = results.count(ANSWERED) / (time.monotonic() - started)
    print(f"{clients} at once: {capacity:.1f} a second")
    before = pss_mb(pid)
    replies = _ask_at_rate(url, 2 * capacity, questions, seconds)
    times, results_under_load = [ms for ms, result in replies if result == ANSWERED], Counter(r for _, r in replies)
    print(f"{2 * capacity:.1f} asked a second for {seconds:.0f} s: {dict(results_under_load)}")
    ratio = percentile(times, 95) / percentile(alone, 95)
    print(f"answered: p50 {percentile(times, 50):.0f} ms, p95 {percentile(times, 95):.0f} ms, {ratio:.1f} times alone")
    print(f"memory of the server: {before:.0f} MB before, {pss_mb(pid):.0f} MB after")


def _ask_at_rate(url: str, rate: float, questions: Sequence[str], seconds: float) -> list[tuple[float, str]]:
    """Ask at a fixed rate without waiting for replies."""
    started, pending = time.monotonic(), []
    with ThreadPoolExecutor(_MAX_CLIENTS) as pool:
        for number, question in enumerate(itertools.cycle(questions)):
            due = started + number / rate
            if due > started + seconds:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            pending.append(pool.submit(ask_one, url, question))
        return [future.result() for future in pending]


if __name__ == "__main__":
    main()
