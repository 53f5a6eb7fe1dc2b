"""Run other weights than the shipped ones: float32 networks, and readers without a calibration."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

from qa.config import Settings
from qa.engine import Engine
from qa.factory import build_engine
from qa.models.inference import available_threads
from qa.models.model_folder import WEIGHTS, ModelFolder, open_model_folder, write_manifest
from qa.models.openvino_runtime import ov
from qa.reading.reader import OpenVINOReader
from qa.training.artifacts.dequantise import load_float_reader
from qa.training.artifacts.int8_export import convert_to_openvino
from qa.training.artifacts.reader_network import OUTPUTS


def float_model(model: str, network: torch.nn.Module, outputs: Sequence[str], folder: Path) -> ModelFolder:
    """Write a network as a float32 graph to `folder`, with the tokenizer of the shipped `model`."""
    ov.save_model(convert_to_openvino(network, outputs), folder / "model.xml", compress_to_fp16=False)
    shutil.copyfile(WEIGHTS / model / "tokenizer.json", folder / "tokenizer.json")
    write_manifest(folder, "float32")
    return open_model_folder(folder)


def float_reader_model(weights: Path, folder: Path) -> ModelFolder:
    """Write a trained reader's float weights as a float32 graph to `folder`."""
    return float_model("reader", load_float_reader(weights), OUTPUTS, folder)


def engine_with_reader(model: ModelFolder, folder: Path) -> Engine:
    """Open the shipped models with another reader; its confidence is not calibrated."""
    shipped = build_engine(Settings(index_dir=folder / "indexes"))
    return Engine(shipped.documents, OpenVINOReader(model, available_threads()), shipped.calibration)
