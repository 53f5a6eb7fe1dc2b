"""Convert a static int8 graph to float weights, for training or evaluation.

Each int8 matrix is multiplied by its scales, and the scales that smoothing moved from activations into weights are
moved back. Only the rounding is lost, and the first training steps make up for it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError

from qa.errors import ModelError
from qa.models.model_folder import MANIFEST, open_model_folder
from qa.models.openvino_runtime import ov
from qa.training.artifacts.pooled_encoder import PooledEncoder, load_float_encoder
from qa.training.artifacts.reader_network import CONFIG_FILE, ReaderNetwork, load_config, load_network

# A reader may have been exported inside a wrapper.
_PREFIX, _WRAPPER = "__module.", "network."
_LINEAR, _NORM, _EMBEDDING = "/aten::linear/MatMul", "/aten::layer_norm/Multiply_1", "/aten::embedding/Gather"


def load_float_reader(folder: Path) -> ReaderNetwork:
    """Load a reader with float weights from an int8 model folder or from a folder of float weights.

    Raises:
        ModelError: the folder does not exist or has no reader that can be loaded.
    """
    _check_exists(folder)
    if not (folder / MANIFEST).exists():
        return load_network(folder)
    model = open_model_folder(folder)
    if not (folder / CONFIG_FILE).exists():
        raise ModelError(f"{folder}: not a reader that can be trained further; it has no {CONFIG_FILE}")
    network = ReaderNetwork(load_config(folder))
    _load(network, model.graph, "a reader")
    return network


def load_float_embedder(folder: Path, dropout: float = 0.0, attention_dropout: float = 0.0) -> PooledEncoder:
    """Load an embedder with float weights from an int8 model folder or from a folder in Hugging Face layout.

    Args:
        folder: folder of the embedder.
        dropout: dropout of hidden states in training.
        attention_dropout: dropout of attention probabilities in training.

    Raises:
        ModelError: the folder does not exist or has no embedder that can be loaded.
    """
    if (folder / MANIFEST).exists():
        network = load_float_encoder(None, dropout, attention_dropout)
        _load(network, open_model_folder(folder).graph, "an embedder")
        return network
    _check_exists(folder)
    try:
        network = load_float_encoder(folder, dropout, attention_dropout)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder}: not an embedder ({error})") from error
    if _shapes(network) != _shapes(load_float_encoder()):
        raise ModelError(f"{folder}: not an embedder of the shipped size")
    return network


def _check_exists(folder: Path) -> None:
    """Raise an error for a folder that does not exist; transformers would take it for the name of a model on a hub."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder")


def _load(network: torch.nn.Module, graph: Path, kind: str) -> None:
    try:
        weights = _extract_weights(ov.Core().read_model(graph))
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"{graph}: not the graph of {kind} ({error})") from error
    if {name: value.shape for name, value in weights.items()} != _shapes(network):
        raise ModelError(f"{graph}: not the graph of {kind} of the expected size")
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})


def _shapes(network: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _extract_weights(graph: ov.Model) -> dict[str, NDArray[np.float32]]:
    """Return the float weights of a graph by their name in the network's state dict."""
    weights: dict[str, NDArray[np.float32]] = {}
    for node in graph.get_ordered_ops():
        name = node.get_friendly_name().removeprefix(_PREFIX).removeprefix(_WRAPPER)
        if name.endswith(_LINEAR):
            weights |= _extract_linear(node, name.removesuffix(_LINEAR))
        elif name.endswith(_NORM):
            module = name.removesuffix(_NORM)
            weights[f"{module}.weight"] = _constant_value(_source(node, 1)).reshape(-1)
            weights[f"{module}.bias"] = _bias(node)
        elif name.endswith(_EMBEDDING):
            weights[f"{name.removesuffix(_EMBEDDING)}.weight"] = _constant_value(_source(node, 0))
    return weights


def _extract_linear(node: ov.Node, module: str) -> dict[str, NDArray[np.float32]]:
    weight = _constant_value(_source(node, 1))
    activation = _source(node, 0)
    if activation.get_type_name() == "FakeQuantize":
        activation = _source(activation, 0)
    if activation.get_friendly_name().endswith("nncf_smooth_quant"):
        weight = weight * _constant_value(_source(activation, 1)).reshape(1, -1)
    return {f"{module}.weight": weight, f"{module}.bias": _bias(node)}


def _bias(node: ov.Node) -> NDArray[np.float32]:
    """Return the constant that is added to a node's output."""
    (addition,) = (i.get_node() for i in node.output(0).get_target_inputs() if i.get_node().get_type_name() == "Add")
    return _constant_value(_source(addition, 1)).reshape(-1)


def _constant_value(node: ov.Node) -> NDArray[np.float32]:
    """Return the value of a constant expression: a constant, a conversion of one, or a product of two.

    Raises:
        ValueError: the node is anything else.
    """
    kind = node.get_type_name()
    if kind == "Constant":
        return np.array(node.get_data(), np.float32)
    if kind == "Convert":
        return _constant_value(_source(node, 0))
    if kind == "Multiply":
        return _constant_value(_source(node, 0)) * _constant_value(_source(node, 1))
    raise ValueError(f"{node.get_friendly_name()} is not a constant")


def _source(node: ov.Node, index: int) -> ov.Node:
    return node.input_value(index).get_node()
