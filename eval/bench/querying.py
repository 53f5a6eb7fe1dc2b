"""How long a question takes from text to answers, and how fast documents are taken in, on the sample documents.

python -m eval.bench.querying
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from qa.assembly import build_engine
from qa.config import Settings
from qa.evaluation.squad import load_squad
from qa.types import Document

GOLDEN = Path(__file__).parent.parent / "golden" / "golden.json"
QUESTIONS = 60


def main() -> None:
    """Print medians and 95th percentiles by stage."""
    dataset = load_squad(GOLDEN).head(QUESTIONS)
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
        engine.ask(dataset.questions[0].text)
        timings = [engine.ask(question.text).timings_ms for question in dataset.questions]
        engine.close()
    for stage in timings[0]:
        values = sorted(timing[stage] for timing in timings)
        print(f"{stage:7} p50 {statistics.median(values):7.1f} ms   p95 {values[int(0.95 * len(values))]:7.1f} ms")


if __name__ == "__main__":
    main()
