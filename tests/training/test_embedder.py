from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from qa.cli import app
from qa.models.embedder import ShippedEmbedder
from qa.models.shipped import WEIGHTS, open_model
from qa.models.tokenization import load_tokenizer
from qa.training import embedder
from qa.training.contrastive import EmbedderRecipe
from qa.training.pooled import float_encoder
from qa.training.recipe import FIRST, load_recipe
from tests.training.test_examples import CONTEXTS, squad


def test_the_embedder_is_trained_on_and_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedder, "SAMPLES", 20)
    data = tmp_path / "data"
    data.mkdir()
    for source in (*EmbedderRecipe().sources, *load_recipe(FIRST).mixture):
        squad(data / source.file, CONTEXTS)
    where = ("--data", str(data), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "made"))
    done = CliRunner().invoke(app, ["train", "embedder", *where, "--passes", "0.1", "--batch", "8"])
    assert done.exit_code == 0, done.output
    model = open_model(tmp_path / "made")
    assert model.identity != open_model(WEIGHTS / "embedder").identity
    (vector,) = ShippedEmbedder(model, 1).encode_questions([CONTEXTS[3]])
    tokens = load_tokenizer(model.tokenizer).encode(CONTEXTS[3]).ids
    ids = torch.tensor([tokens])
    with torch.no_grad():
        exact = float_encoder(folder=tmp_path / "work" / "embedder")(ids, torch.ones_like(ids), torch.zeros_like(ids))
    assert float(vector @ exact[0].numpy()) > 0.98
    np.testing.assert_allclose(np.linalg.norm(vector), 1, atol=1e-5)
