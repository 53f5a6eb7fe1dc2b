"""What a server does with twice the questions that it can answer.

    python -m eval.bench.load [DATASET] [--among FOLDER...] [--seconds S]

Questions of a SQuAD file are asked of `qa serve` on its contexts, among the passages of BEIR folders: one by one; as
many at once as there are processors, which tells how many can be answered in a second; then at twice that rate,
whatever comes back.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from eval.bench.passages import among
from eval.bench.peers.protocol import pss_mb
from eval.bench.querying import GOLDEN
from eval.bench.served import ANSWERED, ask_one, at, served
from qa.evaluation.squad import load_squad
from qa.models.inference import available_threads

_QUESTIONS = 200
_MOST_CLIENTS = 64


def main() -> None:
    """Print latencies alone and under load, what was refused, and the server's memory before and after."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--among", type=Path, nargs="+", default=[], help="folders with a corpus.jsonl")
    parser.add_argument("--seconds", type=float, default=120)
    given = parser.parse_args()
    dataset = load_squad(given.dataset)
    questions = [question.text for question in dataset.head(_QUESTIONS).questions]
    documents = among(dataset.contexts, given.among)
    with served(documents) as (url, pid):
        print(f"{len(documents)} documents taken in: {pss_mb(pid):.0f} MB", flush=True)
        _measure(url, pid, questions, given.seconds)


def _measure(url: str, pid: int, questions: Sequence[str], seconds: float) -> None:
    alone = [ask_one(url, question)[0] for question in questions]
    print(f"alone: p50 {at(alone, 50):.0f} ms, p95 {at(alone, 95):.0f} ms")
    began, clients = time.monotonic(), available_threads()
    with ThreadPoolExecutor(clients) as pool:
        done = list(pool.map(lambda question: ask_one(url, question)[1], questions))
    capacity = done.count(ANSWERED) / (time.monotonic() - began)
    print(f"{clients} at once: {capacity:.1f} a second")
    before = pss_mb(pid)
    replies = _asked_at(url, 2 * capacity, questions, seconds)
    taken, ends = [ms for ms, end in replies if end == ANSWERED], Counter(end for _, end in replies)
    print(f"{2 * capacity:.1f} asked a second for {seconds:.0f} s: {dict(ends)}")
    ratio = at(taken, 95) / at(alone, 95)
    print(f"of what was answered: p50 {at(taken, 50):.0f} ms, p95 {at(taken, 95):.0f} ms, {ratio:.1f} times alone")
    print(f"memory of the server: {before:.0f} MB before, {pss_mb(pid):.0f} MB after")


def _asked_at(url: str, rate: float, questions: Sequence[str], seconds: float) -> list[tuple[float, str]]:
    """Ask at a fixed rate, whatever comes back."""
    begun, asked = time.monotonic(), []
    with ThreadPoolExecutor(_MOST_CLIENTS) as pool:
        for number, question in enumerate(itertools.cycle(questions)):
            due = begun + number / rate
            if due > begun + seconds:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            asked.append(pool.submit(ask_one, url, question))
        return [future.result() for future in asked]


if __name__ == "__main__":
    main()
