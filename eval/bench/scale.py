"""Measure search time, question time and vector recall as an index grows to a million passages.

    python -m eval.bench.scale [DATASET] [--passages N] [--questions N] [--out FOLDER]

The passages are recombined sentences of a SQuAD file's contexts, two for each passage. Embedding a million passages
would take hours, so a passage's vector is the mean of its sentences' vectors. The benchmark prints how close that is
to the embedder's own vectors. Catalogue, vectors and postings are built as for any documents. The questions are those
of the file. Writes FOLDER/scale.csv and scale.svg.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.bench.peers.protocol import pss_mb
from eval.bench.plots import RESULTS, draw_scale
from eval.bench.querying import GOLDEN
from eval.bench.recombined import distinct_sentences, recombine
from eval.bench.server import percentile
from qa.config import Settings
from qa.evaluation.squad import load_squad
from qa.factory import build_engine
from qa.index.local import LocalIndex, Prepared
from qa.models.embedder import Embedder
from qa.search.fusion import CANDIDATES
from qa.search.hybrid import cosines
from qa.types import Document, Passage, Span

BLOCK = 1_000
_NEAREST = 10
_TIMED_QUESTIONS = 50
_EMBEDDED = 200
_COMPARED_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """The measurements at one size: milliseconds, megabytes, seconds, and the recall of the nearest ten from 0 to 1."""

    passages: int
    dense_p50: float
    dense_p95: float
    search_p50: float
    search_p95: float
    question_p50: float
    question_p95: float
    recall: float
    vectors_mb: float
    memory_mb: float
    derived_s: float


def main() -> None:
    """Print and write one row for each size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    dataset = load_squad(arguments.dataset)
    questions = [question.text for question in dataset.head(arguments.questions).questions]
    sizes = [size for size in (10**n for n in range(3, 10)) if size < arguments.passages]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, _fresh_process() as worker:
        engine = build_engine(Settings(index_dir=Path(folder)))
        passages = _RecombinedPassages(distinct_sentences(dataset.contexts), engine.embedder)
        print(
            f"mean of the two sentence vectors against the embedder's vector: cosine {passages.similarity():.3f}",
            flush=True,
        )
        index = engine.indexes.get_or_create("default")
        vectors = engine.embedder.encode_questions(questions)
        for size in [*sizes, arguments.passages]:
            passages.fill(index, size)
            derived = worker.submit(_time_catch_up, Path(folder)).result()
            measured, nearest_cosines = worker.submit(_measure_search, Path(folder), questions).result()
            # The tolerance covers the rounding of sums in another order.
            near = np.array(nearest_cosines) >= passages.tenth_best(vectors)[:, None] - 1e-5
            rows.append(Row(size, recall=float(near.mean()), derived_s=derived, **measured))
            print(rows[-1], flush=True)
        engine.close()
    arguments.out.mkdir(parents=True, exist_ok=True)
    _write(rows, arguments.out)


class _RecombinedPassages:
    """Passages of two sentences, and their vectors."""

    def __init__(self, texts: Sequence[str], embedder: Embedder) -> None:
        self._texts, self._embedder = texts, embedder
        self._sentence_vectors = embedder.encode_passages(texts)
        self._recombinations = recombine(len(texts))
        self._positions = np.zeros((0, 2), np.int64)

    def similarity(self) -> float:
        """Return the mean cosine of these vectors and the embedder's own."""
        positions = np.array(list(islice(recombine(len(self._texts)), _EMBEDDED)))
        embedded = self._embedder.encode_passages([self._text(pair) for pair in positions])
        return float((self._vectors(positions).astype(np.float32) * embedded).sum(1).mean())

    def fill(self, index: LocalIndex, size: int) -> None:
        """Add passages to an index until it has `size` of them."""
        while (count := len(self._positions)) < size:
            new = np.array(list(islice(self._recombinations, min(BLOCK, size - count))))
            texts = [self._text(pair) for pair in new]
            ids = map(str, range(count, count + len(new)))
            prepared = [
                Prepared(Document(id, text), [Passage(id, Span(0, len(text)), text)], vector[None])
                for id, text, vector in zip(ids, texts, self._vectors(new), strict=True)
            ]
            index.put(prepared, index.generation())
            self._positions = np.concatenate([self._positions, new])

    def tenth_best(self, questions: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the cosine of each question's tenth nearest passage, from an exact search."""
        best = np.full((len(questions), _NEAREST), -1, np.float32)
        for positions in np.array_split(self._positions, -(-len(self._positions) // _COMPARED_AT_ONCE)):
            scores = questions @ self._vectors(positions).astype(np.float32).T
            best = np.partition(np.concatenate([best, scores], axis=1), -_NEAREST, axis=1)[:, -_NEAREST:]
        tenth: NDArray[np.float32] = best.min(1)
        return tenth

    def _text(self, positions: Sequence[int] | NDArray[np.int64]) -> str:
        return " ".join(self._texts[position] for position in positions)

    def _vectors(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        sums = self._sentence_vectors[positions].sum(1)
        means: NDArray[np.float16] = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float16)
        return means


def _time_catch_up(folder: Path) -> float:
    """Return the seconds to bring vectors and postings up to date with the catalogue."""
    index = build_engine(Settings(index_dir=folder)).indexes.get("default")
    started = time.perf_counter()
    index.catch_up()
    return time.perf_counter() - started


def _measure_search(folder: Path, questions: Sequence[str]) -> tuple[dict[str, float], list[list[float]]]:
    """Measure in a process that has only opened the index; return the figures, and the cosines of the nearest ten."""
    engine = build_engine(Settings(index_dir=folder))
    index = engine.indexes.get("default")
    vectors = engine.embedder.encode_questions(questions)
    pairs = list(zip(questions, vectors, strict=True))
    times = {"search": _time_each(lambda pair: index.search(pair[0], pair[1], _NEAREST), pairs)}
    with index.derived.pin() as (view, transaction):
        times["dense"] = _time_each(lambda pair: view.vectors.search(pair[1], CANDIDATES), pairs)
        numbers = [view.vectors.search(vector, CANDIDATES)[:_NEAREST] for vector in vectors]
        nearest = [cosines(list(transaction.vectors(n).values()), v) for n, v in zip(numbers, vectors, strict=True)]
        vector_bytes = view.vectors.tail.nbytes + sum(path.stat().st_size for path in index.folder.glob("vectors-*"))
    times["question"] = _time_each(engine.ask, questions[:_TIMED_QUESTIONS])
    measured = {
        f"{name}_{part}": ms
        for name, percentiles in times.items()
        for part, ms in zip(("p50", "p95"), percentiles, strict=True)
    }
    return measured | {"vectors_mb": vector_bytes / 2**20, "memory_mb": pss_mb()}, nearest


def _fresh_process() -> ProcessPoolExecutor:
    """Return a pool that runs each task in a new process."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1)


def _time_each(call: Callable[[Any], object], arguments: Sequence[Any]) -> tuple[float, float]:
    """Call with each argument; return the median and the 95th percentile in milliseconds."""
    call(arguments[0])
    times = []
    for argument in arguments:
        started = time.perf_counter()
        call(argument)
        times.append(1000 * (time.perf_counter() - started))
    return percentile(times, 50), percentile(times, 95)


def _write(rows: Sequence[Row], folder: Path) -> None:
    with (folder / "scale.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([field.name for field in fields(Row)])
        table.writerows(
            [f"{value:.4g}" if isinstance(value, float) else value for value in asdict(r).values()] for r in rows
        )
    draw_scale(folder)


if __name__ == "__main__":
    main()
