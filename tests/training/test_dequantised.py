from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForQuestionAnswering

from qa.errors import ModelError
from qa.models.inference import Graph
from qa.models.shipped import WEIGHTS
from qa.models.tokenization import load_tokenizer
from qa.reading.inputs import reader_input
from qa.training.base_model import base_model_folder
from qa.training.dequantised import load_dequantised
from tests.conftest import golden_articles


@pytest.fixture
def network() -> BertForQuestionAnswering:
    made = BertForQuestionAnswering.from_pretrained(base_model_folder(), attn_implementation="eager").eval()
    assert isinstance(made, BertForQuestionAnswering)
    return made


def test_float_weights_give_what_the_int8_graph_gives(network: BertForQuestionAnswering) -> None:
    load_dequantised(network, WEIGHTS / "reader" / "model.xml")
    graph = Graph(WEIGHTS / "reader" / "model.xml", 2)
    encode = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json").encode
    for article in golden_articles():
        paragraph = article["paragraphs"][0]
        ids = [
            encode(text, add_special_tokens=False).ids
            for text in (paragraph["qas"][0]["question"], paragraph["context"])
        ]
        made = reader_input(ids[0], ids[1][:200])
        ((start, end),) = graph.run([(made.ids, made.types)])
        with torch.no_grad():
            found = network(
                input_ids=torch.from_numpy(made.ids[None]), token_type_ids=torch.from_numpy(made.types[None])
            )
        for ours, theirs in ((start, found.start_logits), (end, found.end_logits)):
            difference = np.abs(ours[: len(made.ids)] - theirs[0].numpy()).mean()
            assert difference < 0.06 * ours[: len(made.ids)].std()


def test_a_graph_of_another_network_is_refused(network: BertForQuestionAnswering) -> None:
    with pytest.raises(ModelError, match=r"embedder/model\.xml: not a graph of a reader"):
        load_dequantised(network, WEIGHTS / "embedder" / "model.xml")
    with pytest.raises(ModelError, match=r"none\.xml"):
        load_dequantised(network, WEIGHTS / "none.xml")
    small = BertForQuestionAnswering(BertConfig.from_pretrained(base_model_folder(), num_hidden_layers=2))
    with pytest.raises(ModelError, match="reader of this size"):
        load_dequantised(small, WEIGHTS / "reader" / "model.xml")
