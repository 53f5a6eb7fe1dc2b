"""What quantising the reader costs: F1 of the shipped int8 graph and of the float32 weights it was made from.

python -m eval.bench.quantisation WORK/reader DATASET [--limit N]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import openvino as ov

from qa.assembly import build_engine
from qa.config import Settings
from qa.engine import Engine
from qa.evaluation.datasets import load_squad
from qa.evaluation.runner import Mode, evaluate
from qa.models.inference import available_threads
from qa.models.shipped import WEIGHTS, open_model, write_manifest
from qa.reading.reader import ShippedReader
from qa.training.export import float_graph
from qa.training.reader_export import float_reader


def main() -> None:
    """Print both figures and the loss."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    dataset = load_squad(arguments.dataset)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        engine = build_engine(Settings(index_dir=folder / "indexes"))
        ov.save_model(float_graph(float_reader(arguments.weights), ["start", "end"]), folder / "model.xml", False)
        shutil.copyfile(WEIGHTS / "reader" / "tokenizer.json", folder / "tokenizer.json")
        write_manifest(folder, "float32")
        reader = ShippedReader(open_model(folder), available_threads())
        plain = Engine(engine.indexes, engine.embedder, reader, engine.calibration)
        figures = [
            evaluate(dataset, Mode.READER, e, arguments.limit).report["metrics"]["f1_best_threshold"]  # type: ignore[index]
            for e in (engine, plain)
        ]
    print(f"int8 {figures[0]:.2f}, float32 {figures[1]:.2f}, loss {figures[1] - figures[0]:.2f} (best-threshold F1)")


if __name__ == "__main__":
    main()
