"""Compare readers, and the mean of their weights, on the held-out part of the training files.

    python -m eval.bench.held_out DATA READER... [--limit N]

DATA is the folder of the training files. A READER is a folder of int8 or float weights. With several readers, all
fine-tuned from the first, the mean of their weights is measured too. The last column is limited to contexts that also
have unanswerable questions, in the first file. Across all contexts a reader could recognise unanswerable questions by
their subject.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from eval.bench.models import engine_with_reader, float_reader_model
from qa.evaluation.datasets import Dataset
from qa.evaluation.local_systems import ReaderSystem
from qa.evaluation.runner import evaluate
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from qa.models.model_folder import MANIFEST, open_model_folder
from qa.training.data.examples import split
from qa.training.optim.averaging import average_readers

# Different kinds of text: encyclopaedia, questions of search users, posts, reviews.
FILES = ("squad.json", "nq_qed.json", "squadshifts_reddit.json", "squadshifts_amazon.json")
_MEASURES = ("has_answer_f1", "has_answer_exact_match", "f1_best_threshold", "answerable_auroc")


def main() -> None:
    """Print a table with a row for each reader and a column for each file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("readers", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, default=1000, help="questions of each file")
    arguments = parser.parse_args()
    parts = [split(load_squad(arguments.data / file))[1] for file in FILES]
    parts.append(_on_contexts_with_unanswerable(parts[0]))
    with tempfile.TemporaryDirectory() as folder:
        print(f"{', '.join(_MEASURES)}\n| reader | {' | '.join(FILES)} | same contexts |")
        for name, weights in _readers(arguments.readers, Path(folder)):
            print(
                f"| {name} | {' | '.join(_format_metrics(weights, parts, arguments.limit, Path(folder)))} |", flush=True
            )


def _on_contexts_with_unanswerable(part: Dataset) -> Dataset:
    """Return the questions on contexts that have unanswerable questions."""
    contexts = {question.context for question in part.questions if not question.answers}
    return replace(part, questions=tuple(q for q in part.questions if q.context in contexts))


def _readers(folders: Sequence[Path], work: Path) -> Iterator[tuple[str, Path]]:
    yield from ((str(folder), folder) for folder in folders)
    if len(folders) > 1:
        yield "mean", average_readers(folders, work)


def _format_metrics(weights: Path, parts: Sequence[Dataset], limit: int, work: Path) -> Iterator[str]:
    model = open_model_folder(weights) if (weights / MANIFEST).exists() else float_reader_model(weights, work)
    engine = engine_with_reader(model, work)
    for part in parts:
        metrics = evaluate(part, Mode.READER, ReaderSystem(engine, part), limit).report["metrics"]
        yield " / ".join(f"{metrics[name]:.3g}" if metrics.get(name) is not None else "-" for name in _MEASURES)


if __name__ == "__main__":
    main()
