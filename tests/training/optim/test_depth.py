from __future__ import annotations

import torch

from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.models.tokenization import load_tokenizer
from qa.training.artifacts.base_model import untrained_reader
from qa.training.artifacts.dequantise import load_dequantised
from qa.training.optim.depth import deepen

QUESTION = "Who opened a bakery?"
TEXT = "In 1907 Ann Miller opened a bakery in the old town. Her brother Ben kept bees, and sold the honey there."


def test_deeper_reader_keeps_the_outputs_before_training() -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    network = untrained_reader().eval()
    load_dequantised(network, shipped.graph)
    encoding = load_tokenizer(shipped.folder / "tokenizer.json").encode(QUESTION, TEXT)
    ids, types = torch.tensor([encoding.ids]), torch.tensor([encoding.type_ids])
    before = network(input_ids=ids, token_type_ids=types)
    deepen(network)
    assert network.config.num_hidden_layers == len(network.bert.encoder.layer) == 12
    after = network(input_ids=ids, token_type_ids=types)
    for shallow, deep in ((before.start_logits, after.start_logits), (before.end_logits, after.end_logits)):
        assert shallow.argmax() == deep.argmax()
        assert torch.corrcoef(torch.stack([shallow[0], deep[0]]))[0, 1] > 0.9
    # The new layers receive gradients, so they can learn.
    (after.start_logits.square().sum() + after.end_logits.square().sum()).backward()
    assert network.bert.encoder.layer[1].output.dense.weight.grad.any()
