from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from qa.errors import ModelError
from qa.training.artifacts.reader_network import (
    START_FILE,
    WEIGHTS_FILE,
    ReaderNetwork,
    load_base,
    load_config,
    load_network,
    save_network,
    weights_files,
)

pytestmark = pytest.mark.slow

QUERY, BIAS = "encoder.layer.1.attention.self.query.weight", "evidence.bias"


@pytest.fixture
def base(small_base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_base, tmp_path / "base"))


def test_encoder_is_loaded_and_heads_are_new(base: Path) -> None:
    published = load_file(base / WEIGHTS_FILE)
    assert any(name.startswith("pooler.") for name in published)
    torch.manual_seed(1)
    first = load_base(base)
    torch.manual_seed(2)
    second = load_base(base)
    assert torch.equal(first.state_dict()[f"bert.{QUERY}"], published[QUERY])
    assert torch.equal(first.bert.embeddings.word_embeddings.weight, second.bert.embeddings.word_embeddings.weight)
    assert not torch.equal(first.evidence.weight, second.evidence.weight)


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_half_precision_and_a_prefix_are_accepted(base: Path, prefix: str) -> None:
    published = load_file(base / WEIGHTS_FILE)
    save_file({f"{prefix}{name}": value.half() for name, value in published.items()}, base / WEIGHTS_FILE)
    weights = load_base(base).state_dict()
    assert weights[f"bert.{QUERY}"].dtype == torch.float32
    assert torch.equal(weights[f"bert.{QUERY}"], published[QUERY].half().float())


def test_second_file_replaces_weights_and_has_the_heads(base: Path) -> None:
    published = load_file(base / WEIGHTS_FILE)
    further = {QUERY: torch.ones_like(published[QUERY]).half(), BIAS: torch.tensor([0.5]).half()}
    save_file(further, base / START_FILE)
    weights = load_base(base).state_dict()
    assert (weights[f"bert.{QUERY}"] == 1).all()
    assert weights[BIAS].item() == 0.5
    assert torch.equal(weights["bert.embeddings.LayerNorm.bias"], published["embeddings.LayerNorm.bias"])
    assert [path.name for path in weights_files(base)] == [WEIGHTS_FILE, START_FILE]


def test_saved_reader_is_loaded_again(base: Path, tmp_path: Path) -> None:
    network = load_base(base)
    save_network(network, base / "tokenizer.json", tmp_path / "new" / "reader")
    loaded = load_network(tmp_path / "new" / "reader")
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in network.state_dict().items())
    assert (tmp_path / "new" / "reader" / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
    ids = torch.tensor([[101, 2040, 102, 5754, 102, 0]])
    mask, types = (ids > 0).long(), torch.tensor([[0, 0, 0, 1, 1, 0]])
    outputs = loaded.train()(ids, mask, types)
    assert [part.shape for part in outputs] == [ids.shape] * 3
    # Without dropout, a network in training mode gives the same result again.
    for part, again in zip(outputs, network.eval()(ids, mask, types), strict=True):
        assert torch.equal(part, again)


def test_rejects_folders_without_a_fitting_network(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none/config\.json: no such file"):
        load_base(tmp_path / "none")
    # An encoder is not a reader yet.
    with pytest.raises(ModelError, match="not a reader of this size"):
        load_network(base)
    deeper = load_config(base)
    deeper.num_hidden_layers = 3
    save_network(ReaderNetwork(deeper), base / "tokenizer.json", tmp_path / "deeper")
    shutil.copy(tmp_path / "deeper" / WEIGHTS_FILE, base)
    with pytest.raises(ModelError, match="not a reader of this size"):
        load_base(base)
    save_file({"embeddings.word_embeddings.weight": torch.ones(2, 2)}, base / WEIGHTS_FILE)
    with pytest.raises(ModelError, match=r"not an encoder \(missing bert\.embeddings\."):
        load_base(base)
    (base / WEIGHTS_FILE).write_bytes(b"damaged")
    with pytest.raises(ModelError, match="not a file of weights"):
        load_base(base)
    (base / "config.json").write_text("{")
    with pytest.raises(ModelError, match="not the configuration of a network"):
        load_base(base)
