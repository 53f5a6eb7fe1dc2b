"""A reader ─► the same with twice the layers, to teach others: it learns more, and takes twice the time to answer."""

from __future__ import annotations

from copy import deepcopy

import torch
from transformers import BertForQuestionAnswering


@torch.no_grad()
def deepen(network: BertForQuestionAnswering) -> None:
    """Put another layer behind each, which changes next to nothing until it is trained.

    It is the layer's copy whose outputs are zero, so that only what passes it by is left; its normalisations are given
    the scale and the shift that mostly undo them.
    """
    layers = torch.nn.ModuleList()
    for layer in network.bert.encoder.layer:
        scale, shift = layer.output.LayerNorm.weight, layer.output.LayerNorm.bias
        more = deepcopy(layer)
        for part in (more.attention.output, more.output):
            part.dense.weight.zero_()
            part.dense.bias.zero_()
            part.LayerNorm.weight.fill_((scale.square().mean() + shift.var()).sqrt())
            part.LayerNorm.bias.fill_(shift.mean())
        layers.extend([layer, more])
    network.bert.encoder.layer = layers
    network.config.num_hidden_layers = len(layers)
