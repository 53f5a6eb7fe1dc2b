"""Real but small networks for tests of training, with the real tokenizer."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from qa.training.artifacts import pooled_encoder
from qa.training.artifacts.base_model import base_model_folder, silence_transformers
from qa.training.artifacts.reader_export import export_reader
from qa.training.artifacts.reader_network import load_base, save_network
from qa.training.artifacts.stages import round_trip, write_stages
from qa.training.data.examples import Source
from qa.training.optim import contrastive
from qa.training.recipe import ReaderRecipe
from tests.training.labelled_files import CONTEXTS, FILES, write_documents, write_squad


@pytest.fixture(scope="session")
def shallow_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the embedder's base model with only its first layer."""
    folder = tmp_path_factory.mktemp("base")
    with silence_transformers():
        BertModel.from_pretrained(base_model_folder(), num_hidden_layers=1).save_pretrained(folder)
    shutil.copy(base_model_folder() / "tokenizer.json", folder)
    return folder


@pytest.fixture
def shallow_encoder(shallow_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train the embedder from the shallow network."""
    for module in (contrastive, pooled_encoder):
        monkeypatch.setattr(module, "base_model_folder", lambda: shallow_base)


@pytest.fixture(scope="session")
def reader_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with plain contexts and labelled documents."""
    folder = tmp_path_factory.mktemp("data")
    write_squad(folder / "plain.json", CONTEXTS[:12])
    write_documents(folder, FILES)
    return folder


@pytest.fixture(scope="session")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small encoder to start a reader from."""
    folder = tmp_path_factory.mktemp("small") / "small-base"
    torch.manual_seed(1)
    config = BertConfig(num_hidden_layers=2, hidden_size=64, num_attention_heads=2, intermediate_size=128)
    encoder = BertModel(config)
    with torch.no_grad():
        for vector in (value for value in encoder.parameters() if value.ndim == 1):
            # A graph omits the addition of zeros and the product with ones. A trained network has neither.
            vector.add_(torch.randn_like(vector), alpha=0.05)
    encoder.save_pretrained(folder)
    shutil.copy(base_model_folder() / "tokenizer.json", folder)
    return folder


@pytest.fixture(scope="session")
def float_reader(small_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small reader with float weights and one stage; its heads are random."""
    folder = tmp_path_factory.mktemp("float") / "reader"
    torch.manual_seed(2)
    save_network(load_base(small_base), small_base / "tokenizer.json", folder)
    recipe = ReaderRecipe(mixture=(Source("plain.json"), Source("labels.json", documents="docs")))
    write_stages(folder, round_trip([{"start": "small-base", **asdict(recipe)}]))
    return folder


@pytest.fixture(scope="session")
def int8_reader(float_reader: Path, reader_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same reader as static int8."""
    folder = tmp_path_factory.mktemp("int8") / "reader"
    export_reader(float_reader, reader_data, folder)
    return folder
