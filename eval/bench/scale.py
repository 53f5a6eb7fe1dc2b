"""How long a search and a question take as an index grows to a million passages, and what is missed of the nearest.

    python -m eval.bench.scale [DATASET] [--passages N] [--questions N] [--out FOLDER]

Sentences of a SQuAD file's contexts are put together anew, two a passage. A passage's vector is the mean of theirs: to
embed a million would take hours; how near that is to the embedder's own is told. Catalogue, vectors and postings are
made of them as of any documents. Questions are the file's. Writes FOLDER/scale.csv and scale.svg.
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

from eval.bench.growing import RESULTS
from eval.bench.peers.protocol import pss_mb
from eval.bench.plots import lines_svg
from eval.bench.querying import GOLDEN
from eval.bench.recombined import recombined, sentences
from eval.bench.server import at
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
_ASKED = 50
_EMBEDDED = 200
_COMPARED_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """An index of one size: times in milliseconds, memory in megabytes, `recall` of the nearest ten, from 0 to 1."""

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
    """Print and write a row for each size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    dataset = load_squad(given.dataset)
    questions = [question.text for question in dataset.head(given.questions).questions]
    sizes = [size for size in (10**n for n in range(3, 10)) if size < given.passages]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, _alone() as other:
        engine = build_engine(Settings(index_dir=Path(folder)))
        made = _Recombined(sentences(dataset.contexts), engine.embedder)
        print(f"mean of two sentences' vectors and the embedder's: cosine {made.likeness():.3f}", flush=True)
        index = engine.indexes.get_or_create("default")
        vectors = engine.embedder.encode_questions(questions)
        for size in [*sizes, given.passages]:
            made.fill(index, size)
            derived = other.submit(_derived, Path(folder)).result()
            measured, found = other.submit(_searched, Path(folder), questions).result()
            # Sums in another order differ by a little.
            near = np.array(found) >= made.bounds(vectors)[:, None] - 1e-5
            rows.append(Row(size, recall=float(near.mean()), derived_s=derived, **measured))
            print(rows[-1], flush=True)
        engine.close()
    given.out.mkdir(parents=True, exist_ok=True)
    _write(rows, given.out)


class _Recombined:
    """Passages of two sentences, and their vectors."""

    def __init__(self, texts: Sequence[str], embedder: Embedder) -> None:
        self._texts, self._embedder = texts, embedder
        self._own = embedder.encode_passages(texts)
        self._chosen = recombined(len(texts))
        self._places = np.zeros((0, 2), np.int64)

    def likeness(self) -> float:
        """Return the mean cosine of vectors made here and those the embedder would give."""
        places = np.array(list(islice(recombined(len(self._texts)), _EMBEDDED)))
        embedded = self._embedder.encode_passages([self._text(pair) for pair in places])
        return float((self._vectors(places).astype(np.float32) * embedded).sum(1).mean())

    def fill(self, index: LocalIndex, size: int) -> None:
        """Write passages to an index until it has `size`."""
        while (have := len(self._places)) < size:
            new = np.array(list(islice(self._chosen, min(BLOCK, size - have))))
            texts = [self._text(pair) for pair in new]
            ids = map(str, range(have, have + len(new)))
            prepared = [
                Prepared(Document(id, text), [Passage(id, Span(0, len(text)), text)], vector[None])
                for id, text, vector in zip(ids, texts, self._vectors(new), strict=True)
            ]
            index.put(prepared, index.generation())
            self._places = np.concatenate([self._places, new])

    def bounds(self, questions: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the cosine of each question's tenth nearest passage, all compared."""
        best = np.full((len(questions), _NEAREST), -1, np.float32)
        for places in np.array_split(self._places, -(-len(self._places) // _COMPARED_AT_ONCE)):
            scores = questions @ self._vectors(places).astype(np.float32).T
            best = np.partition(np.concatenate([best, scores], axis=1), -_NEAREST, axis=1)[:, -_NEAREST:]
        made: NDArray[np.float32] = best.min(1)
        return made

    def _text(self, places: Sequence[int] | NDArray[np.int64]) -> str:
        return " ".join(self._texts[place] for place in places)

    def _vectors(self, places: NDArray[np.int64]) -> NDArray[np.float16]:
        sums = self._own[places].sum(1)
        made: NDArray[np.float16] = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float16)
        return made


def _derived(folder: Path) -> float:
    """Return how many seconds it takes until vectors and postings hold what the catalogue does."""
    index = build_engine(Settings(index_dir=folder)).indexes.get("default")
    began = time.perf_counter()
    index.catch_up()
    return time.perf_counter() - began


def _searched(folder: Path, questions: Sequence[str]) -> tuple[dict[str, float], list[list[float]]]:
    """Return what a process that has only opened the index measures, and the cosines of the nearest ten it finds."""
    engine = build_engine(Settings(index_dir=folder))
    index = engine.indexes.get("default")
    vectors = engine.embedder.encode_questions(questions)
    pairs = list(zip(questions, vectors, strict=True))
    times = {"search": _timed(lambda pair: index.search(pair[0], pair[1], _NEAREST), pairs)}
    with index.derived.pin() as (view, transaction):
        times["dense"] = _timed(lambda pair: view.vectors.search(pair[1], CANDIDATES), pairs)
        numbers = [view.vectors.search(vector, CANDIDATES)[:_NEAREST] for vector in vectors]
        found = [cosines(list(transaction.vectors(n).values()), v) for n, v in zip(numbers, vectors, strict=True)]
        kept = view.vectors.tail.nbytes + sum(path.stat().st_size for path in index.folder.glob("vectors-*"))
    times["question"] = _timed(engine.ask, questions[:_ASKED])
    measured = {
        f"{name}_{part}": ms for name, both in times.items() for part, ms in zip(("p50", "p95"), both, strict=True)
    }
    return measured | {"vectors_mb": kept / 2**20, "memory_mb": pss_mb()}, found


def _alone() -> ProcessPoolExecutor:
    """Return what runs each task in a process that has done nothing before."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1)


def _timed(do: Callable[[Any], object], given: Sequence[Any]) -> tuple[float, float]:
    """Return the median and the 95th percentile, in milliseconds, of doing it with each of what is given."""
    do(given[0])
    taken = []
    for one in given:
        began = time.perf_counter()
        do(one)
        taken.append(1000 * (time.perf_counter() - began))
    return at(taken, 50), at(taken, 95)


def _write(rows: Sequence[Row], folder: Path) -> None:
    with (folder / "scale.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([field.name for field in fields(Row)])
        table.writerows(
            [f"{value:.4g}" if isinstance(value, float) else value for value in asdict(r).values()] for r in rows
        )
    lines = {
        name: [(row.passages, getattr(row, field)) for row in rows]
        for name, field in (
            ("search p50", "search_p50"),
            ("search p95", "search_p95"),
            ("vectors p50", "dense_p50"),
            ("vectors p95", "dense_p95"),
        )
    }
    (folder / "scale.svg").write_text(lines_svg("milliseconds", "passages", lines), encoding="utf-8")


if __name__ == "__main__":
    main()
