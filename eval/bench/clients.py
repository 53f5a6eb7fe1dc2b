"""How many questions a server answers in a second, and how long each takes, by how many clients ask at once.

    python -m eval.bench.clients [DATASET] [--questions N] [--out FOLDER]

Each client asks `qa serve`, on the contexts of a SQuAD file, one question of it after the other; when it is told to
come back later, it does. Writes FOLDER/clients.csv and clients.svg.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from eval.bench.growing import RESULTS
from eval.bench.plots import lines_svg
from eval.bench.querying import GOLDEN
from eval.bench.served import ANSWERED, ask_one, at, served
from qa.evaluation.squad import load_squad

CLIENTS = (1, 2, 4, 8, 16, 32)
_RETRIES = 20


def main() -> None:
    """Print and write a row for each number of clients."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    dataset = load_squad(given.dataset)
    questions = [question.text for question in dataset.head(given.questions).questions]
    with served(dataset.contexts) as (url, _):
        for question in questions[: CLIENTS[-1]]:
            ask_one(url, question)
        rows = [_measured(url, questions, clients) for clients in CLIENTS]
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.out / "clients.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["clients", "answered_a_second", "p50_ms", "p95_ms", "not_answered"])
        table.writerows((n, f"{rate:.3g}", f"{p50:.4g}", f"{p95:.4g}", lost) for n, rate, p50, p95, lost in rows)
    plot = lines_svg("answered a second", "clients", {"questions": [(row[0], row[1]) for row in rows]})
    (given.out / "clients.svg").write_text(plot, encoding="utf-8")


def _measured(url: str, questions: Sequence[str], clients: int) -> tuple[int, float, float, float, int]:
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        replies = list(pool.map(partial(ask_one, url, retries=_RETRIES), questions))
    took = time.perf_counter() - began
    times = [ms for ms, end in replies if end == ANSWERED]
    row = clients, len(times) / took, at(times, 50), at(times, 95), len(replies) - len(times)
    print(
        f"{clients} clients: {row[1]:.1f} a second, p50 {row[2]:.0f} ms, p95 {row[3]:.0f} ms, {row[4]} not answered",
        flush=True,
    )
    return row


if __name__ == "__main__":
    main()
