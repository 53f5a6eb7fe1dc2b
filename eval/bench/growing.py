"""What taking in a passage costs as an index grows, and what memory that takes.

    python -m eval.bench.growing [DATASET] [--passages N] [--out FOLDER]

Sentences of a SQuAD file's contexts are put together anew, a thousand documents at a time; each time a question is
asked, so that vectors and postings catch up. Processor time is told, which other work on the machine hardly changes.
Writes FOLDER/growing.csv and growing.svg.
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
from eval.bench.plots import lines_svg
from eval.bench.querying import GOLDEN
from eval.bench.recombined import recombined, sentences
from qa.config import Settings
from qa.evaluation.squad import load_squad
from qa.factory import build_engine
from qa.types import Document

RESULTS = Path(__file__).parents[1] / "results"
BLOCK = 1000


def main() -> None:
    """Print the cost at a few sizes, and write all of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--passages", type=int, default=60_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    texts = _texts(load_squad(given.dataset).contexts)
    rows: list[tuple[int, float, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        engine = build_engine(Settings(index_dir=Path(folder)))
        index = engine.indexes.get_or_create("default")
        # What inference and search set up once is not the index's.
        engine.ask(next(texts)[:80])
        before = pss_mb()
        while not rows or rows[-1][0] < given.passages:
            documents = [Document(str(len(rows) * BLOCK + n), next(texts)) for n in range(BLOCK)]
            began = time.process_time()
            engine.add(documents)
            added = time.process_time()
            engine.search(documents[0].text[:80])
            caught_up = time.process_time()
            passages = index.counts()[1]
            each = (passages - (rows[-1][0] if rows else 0)) / 1000
            rows.append((passages, (added - began) / each, (caught_up - added) / each, pss_mb() - before))
        engine.close()
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.out / "growing.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["passages", "add_ms_a_passage", "catch_up_ms_a_passage", "memory_mb"])
        table.writerows((n, f"{add:.4f}", f"{catch:.4f}", f"{memory:.0f}") for n, add, catch, memory in rows)
    smooth = [(rows[i][0], _mean([a + c for _, a, c, _ in rows[max(0, i - 4) : i + 5]])) for i in range(len(rows))]
    plot = lines_svg("ms of processor time for a passage", "passages", {"add and catch up": smooth})
    (given.out / "growing.svg").write_text(plot, encoding="utf-8")
    for size in sorted({1_000, min(10_000, given.passages), given.passages}):
        near = [a + c for n, a, c, _ in rows if 0.75 * size <= n <= 1.25 * size]
        print(f"{size:,} passages: {_mean(near):.3f} ms a passage (median {statistics.median(near):.3f})")
    print(f"memory while adding: {max(memory for *_, memory in rows):.0f} MB more than before")


def _texts(contexts: Sequence[str]) -> Iterator[str]:
    found = sentences(contexts)
    yield from (" ".join(found[place] for place in places) for places in recombined(len(found)))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


if __name__ == "__main__":
    main()
