from __future__ import annotations

import torch

from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.models.tokenization import load_tokenizer
from qa.training.artifacts.base_model import untrained_reader
from qa.training.artifacts.dequantise import load_dequantised
from qa.training.optim.depth import deepen

QUESTION = "Who opened a bakery?"
TEXT = "In 1907 Ann Miller opened a bakery in the old town. Her brother Ben kept bees, and sold the honey there."


def test_a_deeper_reader_says_next_to_the_same() -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    network = untrained_reader().eval()
    load_dequantised(network, shipped.graph)
    encoding = load_tokenizer(shipped.folder / "tokenizer.json").encode(QUESTION, TEXT)
    ids, types = torch.tensor([encoding.ids]), torch.tensor([encoding.type_ids])
    before = network(input_ids=ids, token_type_ids=types)
    deepen(network)
    assert network.config.num_hidden_layers == len(network.bert.encoder.layer) == 12
    after = network(input_ids=ids, token_type_ids=types)
    for one, other in ((before.start_logits, after.start_logits), (before.end_logits, after.end_logits)):
        assert one.argmax() == other.argmax()
        assert torch.corrcoef(torch.stack([one[0], other[0]]))[0, 1] > 0.9
    # The new layers do learn: they are no copies that stay zero.
    (after.start_logits.square().sum() + after.end_logits.square().sum()).backward()
    assert network.bert.encoder.layer[1].output.dense.weight.grad.any()
