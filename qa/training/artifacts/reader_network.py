"""The reader's network: an encoder with a span head and an evidence head."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from qa.errors import ModelError

WEIGHTS_FILE, CONFIG_FILE, TOKENIZER_FILE = "model.safetensors", "config.json", "tokenizer.json"
# A second file of a base folder: weights that replace those of the first, and may include the heads.
START_FILE = "reader-start.safetensors"
OUTPUTS = ("start", "end", "evidence")


class ReaderNetwork(torch.nn.Module):
    """An encoder without dropout, and linear heads for the start, the end and the evidence."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.bert = BertModel(config, add_pooling_layer=False)
        self.qa_outputs = torch.nn.Linear(config.hidden_size, 2)
        self.evidence = torch.nn.Linear(config.hidden_size, 1)

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return start, end and evidence logits, each of shape (batch, length)."""
        hidden = self.bert(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        span = self.qa_outputs(hidden)
        return span[..., 0], span[..., 1], self.evidence(hidden)[..., 0]


def load_config(folder: Path) -> BertConfig:
    """Load the size of the network from a folder's `config.json`; the network has no dropout.

    Raises:
        ModelError: the file is missing or cannot be read.
    """
    path = folder / CONFIG_FILE
    # Transformers would take a missing folder for the name of a model on a hub.
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        config: BertConfig = BertConfig.from_pretrained(
            folder, attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not the configuration of a network ({error})") from error
    return config


def weights_files(folder: Path) -> list[Path]:
    """Return the files of a base folder that have weights; later ones replace the weights of earlier ones."""
    return [folder / WEIGHTS_FILE, *(path for path in (folder / START_FILE,) if path.is_file())]


def load_base(folder: Path) -> ReaderNetwork:
    """Load a reader to train from a folder of an encoder; heads that it lacks are new, and depend on torch's seed.

    Args:
        folder: folder with `config.json`, and `model.safetensors` with or without the prefix `bert.`. A second file,
            `reader-start.safetensors`, may have further weights.

    Raises:
        ModelError: a file is missing or has the weights of another network.
    """
    network = ReaderNetwork(load_config(folder))
    weights: dict[str, torch.Tensor] = {}
    for path in weights_files(folder):
        weights |= {_full_name(name): value.float() for name, value in _load_weights(path).items()}
    # Encoders are published with parts that a reader does not have.
    expected = network.state_dict()
    weights = {name: value for name, value in weights.items() if name in expected or ".layer." in name}
    missing = {name for name in expected if name.startswith("bert.")} - weights.keys()
    if missing:
        raise ModelError(f"{folder}: not an encoder (missing {min(missing)})")
    _fill(network, {**expected, **weights}, folder)
    return network


def load_network(folder: Path) -> ReaderNetwork:
    """Load a trained reader from a folder that `save_network` wrote.

    Raises:
        ModelError: the folder has no such reader.
    """
    network = ReaderNetwork(load_config(folder))
    _fill(network, _load_weights(folder / WEIGHTS_FILE), folder)
    return network


def save_network(network: ReaderNetwork, tokenizer: Path, folder: Path) -> None:
    """Write a reader's weights, size and tokenizer to a folder, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, folder / WEIGHTS_FILE)
    network.bert.config.to_json_file(folder / CONFIG_FILE)
    shutil.copyfile(tokenizer, folder / TOKENIZER_FILE)


def _load_weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: not a file of weights ({error})") from error


def _full_name(name: str) -> str:
    return name if name.startswith(("bert.", "qa_outputs.", "evidence.")) else f"bert.{name}"


def _fill(network: ReaderNetwork, weights: dict[str, torch.Tensor], folder: Path) -> None:
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelError(f"{folder}: not a reader of this size ({error})") from error
