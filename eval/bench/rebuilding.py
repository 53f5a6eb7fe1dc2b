"""How long a question takes while its index is rebuilt, against the same at rest.

    python -m eval.bench.rebuilding [DATASET]

The documents are the contexts of a SQuAD file. A server rebuilds their index again and again, as a job over HTTP, while
each question is asked twice, one after the other.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from eval.bench.querying import GOLDEN
from eval.bench.served import at, served
from qa.client import Client
from qa.evaluation.squad import load_squad

QUESTIONS = 150


def main() -> None:
    """Print medians and 95th percentiles, at rest and meanwhile."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    dataset = load_squad(parser.parse_args().dataset)
    questions = [question.text for question in dataset.head(QUESTIONS).questions]
    with served(dataset.contexts) as (url, _), Client(url) as client:
        _asked(client, questions[:10])
        stop = threading.Event()
        # Before and after, so that a machine that grows slower or faster meanwhile does not decide.
        rest = _asked(client, questions)
        with ThreadPoolExecutor(1) as pool:
            rebuilding = pool.submit(_rebuild, url, stop)
            meanwhile = _asked(client, questions * 2)
            stop.set()
            done = rebuilding.result()
        rest += _asked(client, questions)
    for name, taken in (("at rest", rest), (f"meanwhile ({done} documents rebuilt)", meanwhile)):
        print(f"{name}: p50 {at(taken, 50):.0f} ms, p95 {at(taken, 95):.0f} ms")
    print(f"p95 {at(meanwhile, 95) / at(rest, 95):.2f} times that at rest")


def _rebuild(url: str, stop: threading.Event) -> int:
    """Rebuild until told to stop; return how many documents were done."""
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


def _asked(client: Client, questions: Sequence[str]) -> list[float]:
    taken = []
    for question in questions:
        began = time.perf_counter()
        client.query(question)
        taken.append(1000 * (time.perf_counter() - began))
    return taken


if __name__ == "__main__":
    main()
