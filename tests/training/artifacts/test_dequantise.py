from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForQuestionAnswering, BertModel

from qa.errors import ModelError
from qa.models.inference import Graph
from qa.models.model_folder import WEIGHTS
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import build_input
from qa.training.artifacts.base_model import base_model_folder
from qa.training.artifacts.dequantise import load_dequantised, load_float_embedder, load_float_reader
from tests.conftest import golden_articles

pytestmark = pytest.mark.slow


@pytest.fixture
def network() -> BertForQuestionAnswering:
    reader = BertForQuestionAnswering.from_pretrained(base_model_folder(), attn_implementation="eager").eval()
    assert isinstance(reader, BertForQuestionAnswering)
    return reader


def test_float_weights_reproduce_the_int8_graph(network: BertForQuestionAnswering) -> None:
    load_dequantised(network, WEIGHTS / "reader" / "model.xml")
    graph = Graph(WEIGHTS / "reader" / "model.xml", 2)
    encode = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json").encode
    for article in golden_articles():
        paragraph = article["paragraphs"][0]
        ids = [
            encode(text, add_special_tokens=False).ids
            for text in (paragraph["qas"][0]["question"], paragraph["context"])
        ]
        encoded = build_input(ids[0], ids[1][:200])
        ((start, end),) = graph.run([(encoded.ids, encoded.types)])
        with torch.no_grad():
            output = network(
                input_ids=torch.from_numpy(encoded.ids[None]), token_type_ids=torch.from_numpy(encoded.types[None])
            )
        for quantised, exact in ((start, output.start_logits), (end, output.end_logits)):
            difference = np.abs(quantised[: len(encoded.ids)] - exact[0].numpy()).mean()
            assert difference < 0.06 * quantised[: len(encoded.ids)].std()


def test_rejects_a_folder_without_an_embedder(network: BertForQuestionAnswering, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="none: no such folder"):
        load_float_embedder(tmp_path / "none")
    with pytest.raises(ModelError, match="not an embedder"):
        load_float_embedder(tmp_path)
    network.save_pretrained(tmp_path / "reader")
    with pytest.raises(ModelError, match=r"reader: not an embedder \(weights of another network: qa_outputs"):
        load_float_embedder(tmp_path / "reader")
    with pytest.raises(ModelError, match=r"reader/model\.xml: not the graph of an embedder"):
        load_float_embedder(WEIGHTS / "reader")
    small = BertModel(BertConfig.from_pretrained(base_model_folder(), num_hidden_layers=2), add_pooling_layer=False)
    small.save_pretrained(tmp_path / "small")
    with pytest.raises(ModelError, match="small: not an embedder of the shipped size"):
        load_float_embedder(tmp_path / "small")
    (tmp_path / "small" / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="small: not an embedder"):
        load_float_embedder(tmp_path / "small")


def test_rejects_a_folder_without_a_reader(network: BertForQuestionAnswering, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="none: no such folder"):
        load_float_reader(tmp_path / "none")
    with pytest.raises(ModelError, match="not a reader"):
        load_float_reader(tmp_path)
    network.save_pretrained(tmp_path / "reader")
    assert load_float_reader(tmp_path / "reader").state_dict().keys() == network.state_dict().keys()
    network.bert.save_pretrained(tmp_path / "embedder")
    with pytest.raises(ModelError, match=r"embedder: not a reader \(missing qa_outputs\.bias\)"):
        load_float_reader(tmp_path / "embedder")
    (tmp_path / "reader" / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="reader: not a reader"):
        load_float_reader(tmp_path / "reader")


def test_rejects_a_graph_of_another_network(network: BertForQuestionAnswering) -> None:
    with pytest.raises(ModelError, match=r"embedder/model\.xml: not the graph of a reader"):
        load_dequantised(network, WEIGHTS / "embedder" / "model.xml")
    with pytest.raises(ModelError, match=r"none\.xml"):
        load_dequantised(network, WEIGHTS / "none.xml")
    small = BertForQuestionAnswering(BertConfig.from_pretrained(base_model_folder(), num_hidden_layers=2))
    with pytest.raises(ModelError, match="reader of the expected size"):
        load_dequantised(small, WEIGHTS / "reader" / "model.xml")
