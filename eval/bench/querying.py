"""How long a question takes from text to answers, and how fast documents are taken in.

    python -m eval.bench.querying [DATASET]

The documents are the contexts of a SQuAD file, by default the sample documents. Each question is asked three times in
turn: as it is, with every passage read that was found for it, and for passages that the reader puts in order.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from qa.config import Settings
from qa.engine import Engine
from qa.evaluation.squad import load_squad
from qa.factory import build_engine
from qa.types import Document

GOLDEN = Path(__file__).parent.parent / "golden" / "golden.json"
QUESTIONS = 60


def main() -> None:
    """Print medians and 95th percentiles by stage, what stopping saves, and what reranking takes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    dataset = load_squad(parser.parse_args().dataset).head(QUESTIONS)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        engine = build_engine(Settings(index_dir=Path(folder)))
        print(f"models loaded in {time.perf_counter() - began:.2f} s")
        engine.indexes.get_or_create("default")
        began = time.perf_counter()
        added = [engine.add([Document(str(i), text)])[0] for i, text in enumerate(dataset.contexts)]
        took = time.perf_counter() - began
        count = sum(a.passages for a in added)
        print(f"{len(added)} documents, {count} passages added in {took:.2f} s: {count / took:.0f} passages/s")
        thorough = Engine(
            engine.indexes, engine.embedder, engine.reader, replace(engine.calibration, stop_margin=math.inf)
        )
        engine.ask(dataset.questions[0].text)
        timed = [
            (
                engine.ask(question.text).timings_ms,
                thorough.ask(question.text).timings_ms,
                engine.search(question.text, rerank=True).timings_ms,
            )
            for question in dataset.questions
        ]
        engine.close()
    asked, whole, reranked = zip(*timed, strict=True)
    for stage in asked[0]:
        print(f"{stage:10} {_told([made[stage] for made in asked])}")
    print(f"reranked   {_told([made['total'] for made in reranked])}")
    print(f"a question, of the time with all passages read: {_ratio(asked, whole)}")
    print(f"passages reranked, of the time of a question: {_ratio(reranked, asked)}")


def _told(milliseconds: Sequence[float]) -> str:
    values = sorted(milliseconds)
    return f"p50 {statistics.median(values):7.1f} ms   p95 {values[int(0.95 * len(values))]:7.1f} ms"


def _ratio(some: Sequence[Mapping[str, float]], others: Sequence[Mapping[str, float]]) -> str:
    ratios = sorted(one["total"] / other["total"] for one, other in zip(some, others, strict=True))
    low, high = ratios[len(ratios) // 10], ratios[-1 - len(ratios) // 10]
    told = f"median {statistics.median(ratios):.2f}, mean {statistics.mean(ratios):.2f}"
    return f"{told} (a tenth below {low:.2f}, a tenth above {high:.2f})"


if __name__ == "__main__":
    main()
