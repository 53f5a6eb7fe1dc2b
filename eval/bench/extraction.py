"""Measure cells a second: an extraction beside asking each document by a filter.

    python -m eval.bench.extraction [--documents N] [--questions N] [FILE ...]

The documents are the given files, by default those of the golden set, repeated under other ids up to `--documents`. The
two ways take turns, so that both meet the same load of the machine. Their cells must be equal.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qa.config import Settings
from qa.engine import Engine
from qa.factory import build_engine
from qa.results import QueryResult
from qa.rows import Cell
from qa.types import Document

GOLDEN = Path(__file__).parent.parent / "golden" / "documents"
QUESTIONS = (
    "How long is the notice period?",
    "What is the yearly fee?",
    "Who are the parties?",
    "When does it end?",
    "Where did it happen?",
    "How many people are involved?",
)


def main() -> None:
    """Print cells a second of both ways in each turn, and their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--questions", type=int, default=4, choices=range(1, len(QUESTIONS) + 1))
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    files = arguments.files or sorted(GOLDEN.glob("*.txt"))
    questions = QUESTIONS[: arguments.questions]
    with tempfile.TemporaryDirectory() as folder, build_engine(Settings(index_dir=Path(folder))) as engine:
        engine.indexes.get_or_create("default")
        passages = _add_copies(engine, files, arguments.documents)
        print(f"{arguments.documents} documents, {passages} passages, {len(questions)} questions")
        ratios = [_take_turn(engine, questions) for _ in range(arguments.turns)]
    print(f"an extraction is {statistics.median(ratios):.2f} times as fast (median of {len(ratios)} turns)")


def _add_copies(engine: Engine, files: Sequence[Path], count: int) -> int:
    """Add documents, and return the number of their passages."""
    engine.add_files(files)
    originals = [engine.documents.get(info.id)[0] for info in engine.documents.all()]
    engine.remove([document.id for document in originals])
    copies = [_copy(originals[number % len(originals)], number) for number in range(count)]
    return sum(added.passages for added in engine.add(copies))


def _copy(document: Document, number: int) -> Document:
    return replace(document, id=f"{number:05}", uri=None, file=None)


def _take_turn(engine: Engine, questions: Sequence[str]) -> float:
    """Return how many times as fast an extraction is."""
    ids = [info.id for info in engine.documents.all()]
    started = time.perf_counter()
    asked = [[_cell(engine.ask(q, filters={"document_id": id})) for q in questions] for id in ids]
    between = time.perf_counter()
    extracted = [list(row.cells.values()) for row in engine.extract(questions)]
    ended = time.perf_counter()
    if asked != extracted:
        raise SystemExit("the cells differ")
    cells = len(ids) * len(questions)
    by_filter, by_extraction = cells / (between - started), cells / (ended - between)
    print(f"{by_filter:.2f} cells/s by filters, {by_extraction:.2f} cells/s by an extraction")
    return by_extraction / by_filter


def _cell(result: QueryResult) -> Cell:
    return Cell(result.status, result.answers[0] if result.answers else None, result.best_guess)


if __name__ == "__main__":
    main()
