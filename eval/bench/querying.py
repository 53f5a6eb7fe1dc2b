"""Measure the time of a question from text to answers, and the speed of indexing.

    python -m eval.bench.querying [DATASET]

The documents are the contexts of a SQuAD file, by default the golden set. Each question runs three times in turn: with
early stopping, with all retrieved passages read, and as a reranked search.
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
    """Print medians and 95th percentiles by stage, the saving of early stopping, and the cost of reranking."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    dataset = load_squad(parser.parse_args().dataset).head(QUESTIONS)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        engine = build_engine(Settings(index_dir=Path(folder)))
        print(f"models loaded in {time.perf_counter() - started:.2f} s")
        engine.indexes.get_or_create("default")
        started = time.perf_counter()
        added = [engine.add([Document(str(i), text)])[0] for i, text in enumerate(dataset.contexts)]
        elapsed = time.perf_counter() - started
        count = sum(a.passages for a in added)
        print(f"{len(added)} documents, {count} passages added in {elapsed:.2f} s: {count / elapsed:.0f} passages/s")
        exhaustive = Engine(engine.documents, engine.reader, replace(engine.calibration, stop_margin=math.inf))
        engine.ask(dataset.questions[0].text)
        timed = [
            (
                engine.ask(question.text).timings_ms,
                exhaustive.ask(question.text).timings_ms,
                engine.search(question.text, rerank=True).timings_ms,
            )
            for question in dataset.questions
        ]
        engine.close()
    default, exhaustively_read, reranked = zip(*timed, strict=True)
    for stage in default[0]:
        print(f"{stage:10} {_percentiles([timings[stage] for timings in default])}")
    print(f"reranked   {_percentiles([timings['total'] for timings in reranked])}")
    print(f"a question, relative to reading all passages: {_ratio(default, exhaustively_read)}")
    print(f"a reranked search, relative to a question: {_ratio(reranked, default)}")


def _percentiles(milliseconds: Sequence[float]) -> str:
    values = sorted(milliseconds)
    return f"p50 {statistics.median(values):7.1f} ms   p95 {values[int(0.95 * len(values))]:7.1f} ms"


def _ratio(timings: Sequence[Mapping[str, float]], baseline: Sequence[Mapping[str, float]]) -> str:
    ratios = sorted(ours["total"] / theirs["total"] for ours, theirs in zip(timings, baseline, strict=True))
    low, high = ratios[len(ratios) // 10], ratios[-1 - len(ratios) // 10]
    centre = f"median {statistics.median(ratios):.2f}, mean {statistics.mean(ratios):.2f}"
    return f"{centre} (a tenth below {low:.2f}, a tenth above {high:.2f})"


if __name__ == "__main__":
    main()
