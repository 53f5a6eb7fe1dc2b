from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from qa.cli import app
from qa.config import Settings
from qa.errors import ModelError
from qa.factory import build_engine
from qa.models.embedder import OpenVINOEmbedder
from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.models.tokenization import load_tokenizer
from qa.training.artifacts import embedder_export
from qa.training.artifacts.pooled_encoder import load_float_encoder
from qa.training.recipe import EMBEDDER_RECIPE, load_embedder_recipe
from qa.types import Document
from tests.training.labelled_files import CONTEXTS, write_squad

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("shallow_encoder")
def test_embedder_is_trained_and_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedder_export, "SAMPLES", 20)
    data = tmp_path / "data"
    data.mkdir()
    for source in load_embedder_recipe(EMBEDDER_RECIPE).sources:
        write_squad(data / source.file, CONTEXTS)
    options = ("--data", str(data), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "made"))
    done = CliRunner().invoke(app, ["train", "embedder", *options, "--passes", "0.1", "--batch", "8"])
    assert done.exit_code == 0, done.output
    model = open_model_folder(tmp_path / "made")
    assert model.identity != open_model_folder(WEIGHTS / "embedder").identity
    (vector,) = OpenVINOEmbedder(model, 1).encode_questions([CONTEXTS[3]])
    tokens = load_tokenizer(model.tokenizer).encode(CONTEXTS[3]).ids
    ids = torch.tensor([tokens])
    with torch.no_grad():
        exact = load_float_encoder(folder=tmp_path / "work" / "embedder")(
            ids, torch.ones_like(ids), torch.zeros_like(ids)
        )
    assert float(vector @ exact[0].numpy()) > 0.98
    np.testing.assert_allclose(np.linalg.norm(vector), 1, atol=1e-5)
    # An index can use it, and another training can start from it.
    engine = build_engine(Settings(index_dir=tmp_path / "indexes", embedder=str(tmp_path / "made")))
    engine.indexes.get_or_create("default")
    engine.add([Document(str(number), text) for number, text in enumerate(CONTEXTS[:4])])
    assert engine.indexes.get("default").specification.embedder == model.identity
    assert engine.search(CONTEXTS[3]).hits[0].passage.document_id == "3"
    engine.close()
    again = ("--data", str(data), "--work", str(tmp_path / "further"), "--out", str(tmp_path / "second"))
    done = CliRunner().invoke(
        app, ["train", "embedder", *again, "--passes", "0.1", "--batch", "8", "--from", options[5]]
    )
    assert done.exit_code == 0, done.output
    assert open_model_folder(tmp_path / "second").identity != model.identity
    rejected = CliRunner().invoke(app, ["train", "embedder", *again[:-1], options[5], "--from", options[5]])
    assert rejected.exit_code != 0
    assert "out: this is the folder of the starting model" in " ".join(rejected.output.split())


def test_rejects_a_reader_as_embedder() -> None:
    with pytest.raises(ModelError, match="weights/reader: not an embedder"):
        OpenVINOEmbedder(open_model_folder(WEIGHTS / "reader"), 1)
