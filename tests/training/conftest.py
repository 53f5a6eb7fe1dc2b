"""A real but shallow network for tests of training, with the real tokenizer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from transformers import BertModel

from qa.training.artifacts import pooled_encoder
from qa.training.artifacts.base_model import base_model_folder, silence_transformers
from qa.training.optim import contrastive


@pytest.fixture(scope="session")
def shallow_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the base model with only its first layer."""
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
