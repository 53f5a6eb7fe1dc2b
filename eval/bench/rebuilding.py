"""How long a question takes while its index is rebuilt, against the same at rest.

    python -m eval.bench.rebuilding [DATASET]

The documents are the contexts of a SQuAD file; the index is rebuilt again and again while each question is asked twice.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from eval.bench.querying import GOLDEN
from qa.assembly import build_engine
from qa.config import Settings
from qa.engine import Engine
from qa.evaluation.squad import load_squad
from qa.types import Document

QUESTIONS = 150


def main() -> None:
    """Print medians and 95th percentiles, at rest and meanwhile."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    dataset = load_squad(parser.parse_args().dataset).head(QUESTIONS)
    questions = [question.text for question in dataset.questions]
    with tempfile.TemporaryDirectory() as folder:
        engine = build_engine(Settings(index_dir=Path(folder)))
        engine.indexes.get_or_create("default")
        engine.add([Document(str(n), text) for n, text in enumerate(dataset.contexts)])
        engine.ask(questions[0])
        stop, rebuilt = threading.Event(), 0

        def rebuild() -> None:
            nonlocal rebuilt
            while not stop.is_set():
                engine.rebuild()
                rebuilt += 1

        # Before and after, so that a machine that grows slower or faster meanwhile does not decide.
        rest = _asked(engine, questions)
        with ThreadPoolExecutor(1) as pool:
            rebuilding = pool.submit(rebuild)
            meanwhile = _asked(engine, questions * 2)
            stop.set()
            rebuilding.result()
        rest += _asked(engine, questions)
        engine.close()
    for name, taken in (("at rest", rest), (f"meanwhile ({rebuilt} rebuilds)", meanwhile)):
        print(f"{name}: p50 {_at(taken, 50):.0f} ms, p95 {_at(taken, 95):.0f} ms")
    print(f"p95 {_at(meanwhile, 95) / _at(rest, 95):.2f} times that at rest")


def _asked(engine: Engine, questions: Sequence[str]) -> list[float]:
    return [engine.ask(question).timings_ms["total"] for question in questions]


def _at(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


if __name__ == "__main__":
    main()
