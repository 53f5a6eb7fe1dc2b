"""What quantising costs: the shipped int8 graphs against the float32 weights they were made from.

python -m eval.bench.quantisation reader DATASET WORK/reader [--limit N]
python -m eval.bench.quantisation embedder DATASET [--limit N]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino as ov
import torch

from qa.assembly import build_engine
from qa.config import Settings
from qa.engine import Engine
from qa.evaluation.datasets import Dataset
from qa.evaluation.own_models import ReaderAlone
from qa.evaluation.runner import Mode, evaluate
from qa.evaluation.squad import load_squad
from qa.models.embedder import Embedder, ShippedEmbedder, Vectors
from qa.models.inference import available_threads
from qa.models.shipped import WEIGHTS, ShippedModel, open_model, write_manifest
from qa.reading.reader import ShippedReader
from qa.training.embedder import float_encoder
from qa.training.export import float_graph
from qa.training.reader_export import float_reader


def main() -> None:
    """Print both figures and the loss."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", choices=("reader", "embedder"))
    parser.add_argument("dataset", type=Path)
    parser.add_argument("weights", type=Path, nargs="?", help="the reader's float weights, in Hugging Face layout")
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    dataset = load_squad(arguments.dataset)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.model == "embedder":
            print(_embedder(dataset.head(arguments.limit), Path(folder)))
        elif arguments.weights:
            print(_reader(dataset, arguments.weights, arguments.limit, Path(folder)))
        else:
            parser.error("weights: the reader's float weights are needed")


def _reader(dataset: Dataset, weights: Path, limit: int | None, folder: Path) -> str:
    engine = build_engine(Settings(index_dir=folder / "indexes"))
    reader = ShippedReader(_float_model("reader", float_reader(weights), ["start", "end"], folder), available_threads())
    plain = Engine(engine.indexes, engine.embedder, reader, engine.calibration)
    quantised, exact = (
        evaluate(dataset, Mode.READER, ReaderAlone(e, dataset), limit).report["metrics"]["f1_best_threshold"]
        for e in (engine, plain)
    )
    return f"best-threshold F1: int8 {quantised:.2f}, float32 {exact:.2f}, loss {exact - quantised:.2f}"


def _embedder(dataset: Dataset, folder: Path) -> str:
    shipped = ShippedEmbedder(open_model(WEIGHTS / "embedder"), available_threads())
    plain = ShippedEmbedder(_float_model("embedder", float_encoder(), ["embedding"], folder), available_threads())
    quantised, exact = _encoded(shipped, dataset), _encoded(plain, dataset)
    cosines = [float((q * e).sum(1).mean()) for q, e in zip(quantised, exact, strict=True)]
    lines = [f"mean cosine to float32: questions {cosines[0]:.4f}, contexts {cosines[1]:.4f}"]
    gold = np.array([question.context for question in dataset.questions])
    for depth in (1, 5, 10, 20):
        ours, theirs = (100 * _recall(vectors, gold, depth) for vectors in (quantised, exact))
        lines.append(f"dense R@{depth}: int8 {ours:.2f} %, float32 {theirs:.2f} %, loss {theirs - ours:.2f}")
    return "\n".join(lines)


def _float_model(model: str, network: torch.nn.Module, outputs: Sequence[str], folder: Path) -> ShippedModel:
    ov.save_model(float_graph(network, outputs), folder / "model.xml", compress_to_fp16=False)
    shutil.copyfile(WEIGHTS / model / "tokenizer.json", folder / "tokenizer.json")
    write_manifest(folder, "float32")
    return open_model(folder)


def _encoded(embedder: Embedder, dataset: Dataset) -> tuple[Vectors, Vectors]:
    questions = embedder.encode_questions([question.text for question in dataset.questions])
    return questions, embedder.encode_passages(dataset.contexts)


def _recall(vectors: tuple[Vectors, Vectors], gold: np.ndarray, depth: int) -> float:
    """Return the share of questions whose own context is among the `depth` nearest."""
    questions, contexts = vectors
    nearest = np.argsort(-(questions @ contexts.T), axis=1)[:, :depth]
    return float((nearest == gold[:, None]).any(1).mean())


if __name__ == "__main__":
    main()
