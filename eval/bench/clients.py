"""Measure a server's throughput and latency by the number of concurrent clients.

    python -m eval.bench.clients [DATASET] [--questions N] [--out FOLDER]

`qa serve` indexes the contexts of a SQuAD file. Each client asks its questions one after the other, and retries after
the time the server names when it is busy. Writes FOLDER/clients.csv and clients.svg.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from eval.bench.plots import RESULTS, draw_clients
from eval.bench.querying import GOLDEN
from eval.bench.server import ANSWERED, ask_one, percentile, run_server
from qa.evaluation.squad import load_squad

CLIENTS = (1, 2, 4, 8, 16, 32)
_RETRIES = 20


def main() -> None:
    """Print and write one row for each number of clients."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    dataset = load_squad(arguments.dataset)
    questions = [question.text for question in dataset.head(arguments.questions).questions]
    with run_server(dataset.contexts) as (url, _):
        for question in questions[: CLIENTS[-1]]:
            ask_one(url, question)
        rows = [_measure(url, questions, clients) for clients in CLIENTS]
    arguments.out.mkdir(parents=True, exist_ok=True)
    with (arguments.out / "clients.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["clients", "answered_a_second", "p50_ms", "p95_ms", "not_answered"])
        table.writerows((n, f"{rate:.3g}", f"{p50:.4g}", f"{p95:.4g}", failed) for n, rate, p50, p95, failed in rows)
    draw_clients(arguments.out)


def _measure(url: str, questions: Sequence[str], clients: int) -> tuple[int, float, float, float, int]:
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        replies = list(pool.map(partial(ask_one, url, retries=_RETRIES), questions))
    seconds = time.perf_counter() - started
    times = [ms for ms, result in replies if result == ANSWERED]
    failed = len(replies) - len(times)
    row = clients, len(times) / seconds, percentile(times, 50), percentile(times, 95), failed
    print(
        f"{clients} clients: {row[1]:.1f} a second, p50 {row[2]:.0f} ms, p95 {row[3]:.0f} ms, {failed} not answered",
        flush=True,
    )
    return row


if __name__ == "__main__":
    main()
