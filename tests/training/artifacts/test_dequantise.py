from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from qa.errors import ModelError
from qa.models.inference import Graph
from qa.models.model_folder import MANIFEST, WEIGHTS
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import build_input
from qa.training.artifacts.base_model import base_model_folder
from qa.training.artifacts.dequantise import load_float_embedder, load_float_reader
from qa.training.artifacts.reader_network import load_network
from tests.training.labelled_files import CONTEXTS

pytestmark = pytest.mark.slow


def test_float_weights_reproduce_the_int8_graph(int8_reader: Path, float_reader: Path) -> None:
    network, original = load_float_reader(int8_reader).eval(), load_network(float_reader)
    for name, value in original.state_dict().items():
        # Half of the int8 range has 64 steps on each side of zero. Quantisation corrects the biases for its errors.
        tolerance = 0.02 * value.abs().max() + (0.02 if name.endswith("bias") else 1e-3)
        assert (network.state_dict()[name] - value).abs().max() < tolerance, name
    graph = Graph(int8_reader / "model.xml", 1)
    assert graph.outputs == ("start", "end", "evidence")
    encode = load_tokenizer(int8_reader / "tokenizer.json").encode
    for context in CONTEXTS[:3]:
        asked, words = (encode(text, add_special_tokens=False).ids for text in ("Who opened a shop?", context))
        encoded = build_input(asked, words)
        (quantised,) = graph.run([(encoded.ids, encoded.types)])
        inputs = [torch.from_numpy(array[None]) for array in (encoded.ids, np.ones_like(encoded.ids), encoded.types)]
        with torch.no_grad():
            exact = network(*inputs)
        for part, expected in zip(quantised, exact, strict=True):
            difference = np.abs(part[: len(encoded.ids)] - expected[0].numpy()).mean()
            assert difference < 0.15 * expected.std()


def test_rejects_a_folder_without_an_embedder(int8_reader: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="none: no such folder"):
        load_float_embedder(tmp_path / "none")
    with pytest.raises(ModelError, match="not an embedder"):
        load_float_embedder(tmp_path)
    with pytest.raises(ModelError, match=r"reader/model\.xml: not the graph of an embedder"):
        load_float_embedder(int8_reader)
    small = BertModel(BertConfig.from_pretrained(base_model_folder(), num_hidden_layers=2), add_pooling_layer=False)
    small.save_pretrained(tmp_path / "small")
    with pytest.raises(ModelError, match="small: not an embedder of the shipped size"):
        load_float_embedder(tmp_path / "small")
    (tmp_path / "small" / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="small: not an embedder"):
        load_float_embedder(tmp_path / "small")


def test_rejects_a_folder_without_a_reader(int8_reader: Path, float_reader: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="none: no such folder"):
        load_float_reader(tmp_path / "none")
    with pytest.raises(ModelError, match=r"config\.json: no such file"):
        load_float_reader(tmp_path)
    assert load_float_reader(float_reader).state_dict().keys() == load_float_reader(int8_reader).state_dict().keys()
    with pytest.raises(ModelError, match=r"embedder: not a reader that can be trained further; it has no config\.json"):
        load_float_reader(WEIGHTS / "embedder")
    embedder = Path(shutil.copytree(WEIGHTS / "embedder", tmp_path / "embedder"))
    assert (embedder / MANIFEST).exists()
    shutil.copy(int8_reader / "config.json", embedder)
    with pytest.raises(ModelError, match=r"embedder/model\.xml: not the graph of a reader of the expected size"):
        load_float_reader(embedder)
