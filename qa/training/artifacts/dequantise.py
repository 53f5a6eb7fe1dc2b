"""A static int8 network ─► float weights to train on with, or to measure by.

Each int8 matrix is given back its scales, and what smoothing moved from activations into weights is moved back. What is
lost is the rounding, which the first steps of training make up for.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import BertForQuestionAnswering

from qa.errors import ModelError
from qa.models.model_folder import MANIFEST, open_model_folder
from qa.models.openvino_runtime import ov
from qa.training.artifacts.base_model import quietly, untrained_reader
from qa.training.artifacts.pooled_encoder import PooledEncoder, float_encoder

_READER, _EMBEDDER = "__module.network.", "__module."
_LINEAR, _NORM, _EMBEDDING = "/aten::linear/MatMul", "/aten::layer_norm/Multiply_1", "/aten::embedding/Gather"


def float_network(folder: Path) -> BertForQuestionAnswering:
    """Load a reader in float: an int8 one, or trained weights in Hugging Face layout.

    Raises:
        ModelError: it cannot be read.
    """
    if (folder / MANIFEST).exists():
        network = untrained_reader()
        load_dequantised(network, open_model_folder(folder).graph)
        return network
    _checked(folder)
    try:
        with quietly():
            network, told = BertForQuestionAnswering.from_pretrained(
                folder, output_loading_info=True, local_files_only=True, attn_implementation="eager"
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder}: holds no reader ({error})") from error
    # What transformers only warns of: an embedder has no span head, and would be given one at random.
    if missing := told["missing_keys"]:
        raise ModelError(f"{folder}: holds no reader (it lacks {min(missing)})")
    return cast(BertForQuestionAnswering, network)


def load_dequantised(network: BertForQuestionAnswering, graph: Path) -> None:
    """Give a network the weights of a graph that `export_reader` wrote.

    Raises:
        ModelError: the graph cannot be read or is of another network.
    """
    _load(network, graph, _READER, "a reader")


def float_embedder(folder: Path, dropout: float = 0.0, attention_dropout: float = 0.0) -> PooledEncoder:
    """Load an embedder in float: an int8 one, or weights in Hugging Face layout; see `float_encoder`.

    Raises:
        ModelError: it cannot be read.
    """
    if (folder / MANIFEST).exists():
        network = float_encoder(None, dropout, attention_dropout)
        _load(network, open_model_folder(folder).graph, _EMBEDDER, "an embedder")
        return network
    _checked(folder)
    try:
        network = float_encoder(folder, dropout, attention_dropout)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder}: holds no embedder ({error})") from error
    if _shapes(network) != _shapes(float_encoder()):
        raise ModelError(f"{folder}: not an embedder of this size")
    return network


def _checked(folder: Path) -> None:
    """Refuse a folder that is missing: it would be taken for a name on a hub."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder")


def _load(network: torch.nn.Module, graph: Path, prefix: str, kind: str) -> None:
    try:
        found = _weights(ov.Core().read_model(graph), prefix)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"{graph}: not a graph of {kind} ({error})") from error
    if {name: value.shape for name, value in found.items()} != _shapes(network):
        raise ModelError(f"{graph}: not a graph of {kind} of this size")
    network.load_state_dict({name: torch.from_numpy(value) for name, value in found.items()})


def _shapes(network: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _weights(graph: ov.Model, prefix: str) -> dict[str, NDArray[np.float32]]:
    found: dict[str, NDArray[np.float32]] = {}
    for node in graph.get_ordered_ops():
        name = node.get_friendly_name().removeprefix(prefix)
        if name.endswith(_LINEAR):
            found |= _linear(node, name.removesuffix(_LINEAR))
        elif name.endswith(_NORM):
            module = name.removesuffix(_NORM)
            found[f"{module}.weight"] = _constant(_source(node, 1)).reshape(-1)
            found[f"{module}.bias"] = _added(node)
        elif name.endswith(_EMBEDDING):
            found[f"{name.removesuffix(_EMBEDDING)}.weight"] = _constant(_source(node, 0))
    return found


def _linear(node: ov.Node, module: str) -> dict[str, NDArray[np.float32]]:
    weight = _constant(_source(node, 1))
    activation = _source(node, 0)
    if activation.get_type_name() == "FakeQuantize":
        activation = _source(activation, 0)
    if activation.get_friendly_name().endswith("nncf_smooth_quant"):
        weight = weight * _constant(_source(activation, 1)).reshape(1, -1)
    return {f"{module}.weight": weight, f"{module}.bias": _added(node)}


def _added(node: ov.Node) -> NDArray[np.float32]:
    """Return the constant that is added to what a node gives."""
    (sum_,) = (i.get_node() for i in node.output(0).get_target_inputs() if i.get_node().get_type_name() == "Add")
    return _constant(_source(sum_, 1)).reshape(-1)


def _constant(node: ov.Node) -> NDArray[np.float32]:
    kind = node.get_type_name()
    if kind == "Constant":
        return np.array(node.get_data(), np.float32)
    if kind == "Convert":
        return _constant(_source(node, 0))
    if kind == "Multiply":
        return _constant(_source(node, 0)) * _constant(_source(node, 1))
    raise ValueError(f"{node.get_friendly_name()} is no constant")


def _source(node: ov.Node, place: int) -> ov.Node:
    return node.input_value(place).get_node()
