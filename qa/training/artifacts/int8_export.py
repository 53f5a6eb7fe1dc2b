"""Export of a trained network to a static int8 OpenVINO graph, with its tokenizer and a manifest of checksums."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from qa.models.inference import pad
from qa.models.model_folder import write_manifest
from qa.models.openvino_runtime import ov

# isort: split
# After `ov`: NNCF imports OpenVINO, whose telemetry must be off before the first import.
import nncf
from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, AdvancedSmoothQuantParameters

Pair = tuple[NDArray[np.int64], NDArray[np.int64]]

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def export_int8(
    network: torch.nn.Module,
    outputs: Sequence[str],
    samples: Sequence[Pair],
    tokenizer: Path,
    folder: Path,
    name: str,
    smoothing: float = 0.95,
) -> None:
    """Write `model.xml`, `model.bin`, `tokenizer.json` and `manifest.json` to `folder`.

    Activation ranges are static: ranges computed at run time would let one text of a batch change another's result.
    Weights use half of the int8 range, so processors without VNNI cannot overflow and every processor agrees.

    Args:
        network: network that takes ids, mask and types of shape (batch, length).
        outputs: names of the network's outputs.
        samples: pairs of token ids and token types that calibrate the activation ranges.
        tokenizer: path of the network's `tokenizer.json`.
        folder: folder that is created.
        name: name of the model.
        smoothing: share of the activations' outliers that moves into the weights, from 0 to 1 (alpha in SmoothQuant:
            Xiao et al., ICML 2023).
    """
    inputs = [pad(ids, types) for ids, types in samples]
    quantized = nncf.quantize(
        convert_to_openvino(network, outputs),
        nncf.Dataset(inputs),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(inputs),
        advanced_parameters=AdvancedQuantizationParameters(
            overflow_fix=nncf.OverflowFix.ENABLE,
            smooth_quant_alphas=AdvancedSmoothQuantParameters(matmul=smoothing),
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(quantized, folder / "model.xml", compress_to_fp16=True)
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    write_manifest(folder, name)


def convert_to_openvino(network: torch.nn.Module, outputs: Sequence[str]) -> ov.Model:
    """Convert a network to a float OpenVINO graph; the network takes ids, mask and types of shape (batch, length)."""
    network.eval()
    example = tuple(torch.ones((1, 32), dtype=torch.int64) for _ in _INPUTS)
    with torch.no_grad(), warnings.catch_warnings():
        # The converter traces the network with deprecated features of torch and transformers.
        warnings.simplefilter("ignore")
        graph = ov.convert_model(network, example_input=example, input=[(ov.PartialShape([1, -1]), ov.Type.i64)] * 3)
    for ports, names in ((graph.inputs, _INPUTS), (graph.outputs, outputs)):
        for port, name in zip(ports, names, strict=True):
            port.get_tensor().set_names({name})
    return graph
