"""Measure the processor time to index a passage, and the memory, as an index grows.

    python -m eval.bench.growing [DATASET] [--passages N] [--out FOLDER]

The documents are recombined sentences of a SQuAD file's contexts, added in blocks of a thousand. A search after each
block brings vectors and postings up to date. The benchmark measures processor time, as other load on the machine hardly
changes it. Writes FOLDER/growing.csv and growing.svg.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from eval.bench.peers.protocol import pss_mb
from eval.bench.plots import RESULTS, draw_growing
from eval.bench.querying import GOLDEN
from eval.bench.recombined import distinct_sentences, recombine
from qa.config import Settings
from qa.evaluation.squad import load_squad
from qa.factory import build_engine
from qa.types import Document

BLOCK = 1000


def main() -> None:
    """Print the time at a few sizes, and write the times at all sizes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--passages", type=int, default=60_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    texts = _texts(load_squad(arguments.dataset).contexts)
    rows: list[tuple[int, float, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        engine = build_engine(Settings(index_dir=Path(folder)))
        index = engine.indexes.get_or_create("default")
        # The first question pays for the one-time setup of inference and search.
        engine.ask(next(texts)[:80])
        before = pss_mb()
        while not rows or rows[-1][0] < arguments.passages:
            documents = [Document(str(len(rows) * BLOCK + n), next(texts)) for n in range(BLOCK)]
            started = time.process_time()
            engine.add(documents)
            added = time.process_time()
            engine.search(documents[0].text[:80])
            caught_up = time.process_time()
            passages = index.counts()[1]
            thousands = (passages - (rows[-1][0] if rows else 0)) / 1000
            rows.append((passages, (added - started) / thousands, (caught_up - added) / thousands, pss_mb() - before))
        engine.close()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with (arguments.out / "growing.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["passages", "add_ms_a_passage", "catch_up_ms_a_passage", "memory_mb"])
        table.writerows((n, f"{add:.4f}", f"{catch:.4f}", f"{memory:.0f}") for n, add, catch, memory in rows)
    draw_growing(arguments.out)
    for size in sorted({1_000, min(10_000, arguments.passages), arguments.passages}):
        near = [a + c for n, a, c, _ in rows if 0.75 * size <= n <= 1.25 * size]
        print(f"{size:,} passages: {statistics.fmean(near):.3f} ms a passage (median {statistics.median(near):.3f})")
    print(f"memory while adding: {max(memory for *_, memory in rows):.0f} MB above the start")


def _texts(contexts: Sequence[str]) -> Iterator[str]:
    sentences = distinct_sentences(contexts)
    yield from (" ".join(sentences[position] for position in positions) for positions in recombine(len(sentences)))


if __name__ == "__main__":
    main()
