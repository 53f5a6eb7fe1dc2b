"""A trained network ─► a static int8 OpenVINO graph, with its tokenizer and the hashes that tell it apart."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from qa.models.inference import padded
from qa.models.model_folder import write_manifest
from qa.models.openvino_runtime import ov

# isort: split
# Only now: NNCF imports OpenVINO, which is to be met without its reports.
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
    smoothed: float = 0.95,
) -> None:
    """Write `model.xml`, `model.bin`, `tokenizer.json` and `manifest.json` to `folder`.

    Activation ranges are taken from the samples, once: ranges taken at run time would let one text of a batch change
    another's result. Weights use half their range, so that processors without VNNI cannot overflow and all agree.

    Args:
        network: takes ids, mask and types of shape (batch, length).
        outputs: names of what it returns.
        samples: pairs (token ids, token types) like those it will see.
        tokenizer: the `tokenizer.json` that belongs to it.
        folder: is made.
        name: what the model is called.
        smoothed: how much of what is hard to round in activations goes into weights, from 0 to 1 (alpha: Xiao et al.,
            ICML 2023).
    """
    inputs = [padded(ids, types) for ids, types in samples]
    quantized = nncf.quantize(
        float_graph(network, outputs),
        nncf.Dataset(inputs),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(inputs),
        advanced_parameters=AdvancedQuantizationParameters(
            overflow_fix=nncf.OverflowFix.ENABLE,
            smooth_quant_alphas=AdvancedSmoothQuantParameters(matmul=smoothed),
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(quantized, folder / "model.xml", compress_to_fp16=True)
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    write_manifest(folder, name)


def float_graph(network: torch.nn.Module, outputs: Sequence[str]) -> ov.Model:
    """Convert a network that takes ids, mask and types of shape (batch, length) as it is."""
    network.eval()
    example = tuple(torch.ones((1, 32), dtype=torch.int64) for _ in _INPUTS)
    with torch.no_grad(), warnings.catch_warnings():
        # The converter traces the network in ways that torch and transformers will give up some day.
        warnings.simplefilter("ignore")
        graph = ov.convert_model(network, example_input=example, input=[(ov.PartialShape([1, -1]), ov.Type.i64)] * 3)
    for ports, names in ((graph.inputs, _INPUTS), (graph.outputs, outputs)):
        for port, name in zip(ports, names, strict=True):
            port.get_tensor().set_names({name})
    return graph
