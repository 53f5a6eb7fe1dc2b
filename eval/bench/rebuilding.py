"""Measure the latency of a question while its index is rebuilt, against the latency at rest.

    python -m eval.bench.rebuilding [DATASET]

The documents are the contexts of a SQuAD file. A client asks one question after the other, each twice, while the server
rebuilds the index repeatedly, as a job over HTTP.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from eval.bench.querying import GOLDEN
from eval.bench.server import percentile, run_server
from qa.client import Client
from qa.evaluation.squad import load_squad

QUESTIONS = 150


def main() -> None:
    """Print medians and 95th percentiles at rest and during rebuilds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    dataset = load_squad(parser.parse_args().dataset)
    questions = [question.text for question in dataset.head(QUESTIONS).questions]
    with run_server(dataset.contexts) as (url, _), Client(url) as client:
        _time_questions(client, questions[:10])
        stop = threading.Event()
        # Measured before and after, so that drift in the speed of the machine cancels out.
        rest = _time_questions(client, questions)
        with ThreadPoolExecutor(1) as pool:
            rebuilding = pool.submit(_rebuild, url, stop)
            during = _time_questions(client, questions * 2)
            stop.set()
            done = rebuilding.result()
        rest += _time_questions(client, questions)
    for name, times in (("at rest", rest), (f"during rebuilds ({done} documents rebuilt)", during)):
        print(f"{name}: p50 {percentile(times, 50):.0f} ms, p95 {percentile(times, 95):.0f} ms")
    print(f"p95 {percentile(during, 95) / percentile(rest, 95):.2f} times that at rest")


def _rebuild(url: str, stop: threading.Event) -> int:
    """Rebuild until `stop` is set; return the number of documents rebuilt."""
    done = 0
    with Client(url) as client:
        while not stop.is_set():
            job = client.rebuild("default")
            while job.state == "running" and not stop.is_set():
                time.sleep(0.2)
                job = client.job(job.id)
            done += job.done
        if job.state == "running":
            client.cancel(job.id)
    return done


def _time_questions(client: Client, questions: Sequence[str]) -> list[float]:
    times = []
    for question in questions:
        started = time.perf_counter()
        client.ask(question)
        times.append(1000 * (time.perf_counter() - started))
    return times


if __name__ == "__main__":
    main()
