"""Measure the loss of quantisation: the shipped int8 graphs against the float32 weights they come from.

python -m eval.bench.quantisation reader DATASET WORK/reader [--limit N]
python -m eval.bench.quantisation embedder DATASET WORK/embedder [--limit N]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from eval.bench.models import engine_with_reader, float_model, float_reader_model
from qa.evaluation.datasets import Dataset
from qa.evaluation.local_systems import ReaderSystem
from qa.evaluation.runner import evaluate
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from qa.models.embedder import Embedder, OpenVINOEmbedder, Vectors
from qa.models.inference import available_threads
from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.training.artifacts.pooled_encoder import load_float_encoder


def main() -> None:
    """Print the metrics of both, and the loss."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", choices=("reader", "embedder"))
    parser.add_argument("dataset", type=Path)
    parser.add_argument("weights", type=Path, help="the float weights in Hugging Face format")
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    dataset = load_squad(arguments.dataset)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.model == "embedder":
            print(_compare_embedders(dataset.head(arguments.limit), arguments.weights, Path(folder)))
        else:
            print(_compare_readers(dataset, arguments.weights, arguments.limit, Path(folder)))


def _compare_readers(dataset: Dataset, weights: Path, limit: int | None, folder: Path) -> str:
    shipped = engine_with_reader(open_model_folder(WEIGHTS / "reader"), folder)
    unquantised = engine_with_reader(float_reader_model(weights, folder), folder)
    quantised, exact = (
        evaluate(dataset, Mode.READER, ReaderSystem(engine, dataset), limit).report["metrics"]["f1_best_threshold"]
        for engine in (shipped, unquantised)
    )
    return f"best-threshold F1: int8 {quantised:.2f}, float32 {exact:.2f}, loss {exact - quantised:.2f}"


def _compare_embedders(dataset: Dataset, weights: Path, folder: Path) -> str:
    shipped = OpenVINOEmbedder(open_model_folder(WEIGHTS / "embedder"), available_threads())
    network = load_float_encoder(folder=weights)
    unquantised = OpenVINOEmbedder(float_model("embedder", network, ["embedding"], folder), available_threads())
    quantised, exact = _encode(shipped, dataset), _encode(unquantised, dataset)
    cosines = [float((q * e).sum(1).mean()) for q, e in zip(quantised, exact, strict=True)]
    lines = [f"mean cosine to float32: questions {cosines[0]:.4f}, contexts {cosines[1]:.4f}"]
    gold = np.array([question.context for question in dataset.questions])
    for depth in (1, 5, 10, 20):
        int8, float32 = (100 * _recall(vectors, gold, depth) for vectors in (quantised, exact))
        lines.append(f"dense R@{depth}: int8 {int8:.2f} %, float32 {float32:.2f} %, loss {float32 - int8:.2f}")
    return "\n".join(lines)


def _encode(embedder: Embedder, dataset: Dataset) -> tuple[Vectors, Vectors]:
    questions = embedder.encode_questions([question.text for question in dataset.questions])
    return questions, embedder.encode_passages(dataset.contexts)


def _recall(vectors: tuple[Vectors, Vectors], gold: np.ndarray, depth: int) -> float:
    """Return the share of questions whose gold context is among the `depth` nearest."""
    questions, contexts = vectors
    nearest = np.argsort(-(questions @ contexts.T), axis=1)[:, :depth]
    return float((nearest == gold[:, None]).any(1).mean())


if __name__ == "__main__":
    main()
