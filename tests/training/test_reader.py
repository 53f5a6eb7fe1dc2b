from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from qa.training import reader
from qa.training.examples import MIXTURE, WARM_UP
from qa.training.reader import ReaderRecipe, train_reader
from tests.training.test_examples import CONTEXTS, squad

RECIPE = ReaderRecipe(tokens=700, batch=4, warm_up_steps=2, negatives=5, bfloat16=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for source in (*WARM_UP, *MIXTURE):
        squad(folder / source.file, CONTEXTS[:12])
    return folder


def test_an_interrupted_training_ends_where_an_uninterrupted_one_does(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_SAVE_EVERY", 1)
    monkeypatch.setattr(reader, "_TELL_EVERY", 1)
    told: list[str] = []

    def stop(line: str) -> None:
        told.append(line)
        if line.startswith("step 4 "):
            raise KeyboardInterrupt

    whole = train_reader(data, [], tmp_path / "whole", RECIPE, 2, told.append)
    with pytest.raises(KeyboardInterrupt):
        train_reader(data, [], tmp_path / "parts", RECIPE, 2, stop)
    parts = train_reader(data, [], tmp_path / "parts", RECIPE, 2, told.append)
    assert "resumed at step 3" in told
    one, other = load_file(whole / "model.safetensors"), load_file(parts / "model.safetensors")
    assert set(one) == set(other)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert (whole / "recipe.json").read_text() == (parts / "recipe.json").read_text()


def test_training_learns_and_leaves_word_embeddings_alone(data: Path, tmp_path: Path) -> None:
    from qa.training.base_model import base_model_folder

    finished = train_reader(data, [], tmp_path / "work", RECIPE, 2, lambda _: None)
    trained, base = load_file(finished / "model.safetensors"), load_file(base_model_folder() / "model.safetensors")
    words = "embeddings.word_embeddings.weight"
    assert torch.equal(trained[f"bert.{words}"], base[words])
    layer = "encoder.layer.5.output.dense.weight"
    assert not torch.equal(trained[f"bert.{layer}"], base[layer])
