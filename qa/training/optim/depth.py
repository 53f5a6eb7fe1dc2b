"""Double the depth of a reader to make a teacher: it learns more, but takes twice as long to answer."""

from __future__ import annotations

from copy import deepcopy

import torch
from transformers import BertForQuestionAnswering


@torch.no_grad()
def deepen(network: BertForQuestionAnswering) -> None:
    """Insert a new layer after each layer of the network; before training, the outputs stay nearly the same.

    A new layer is a copy whose output projections are zero, so only the residual connections pass. The scale and shift
    of its layer norms approximately undo the normalisation.
    """
    layers = torch.nn.ModuleList()
    for layer in network.bert.encoder.layer:
        scale, shift = layer.output.LayerNorm.weight, layer.output.LayerNorm.bias
        new_layer = deepcopy(layer)
        for part in (new_layer.attention.output, new_layer.output):
            part.dense.weight.zero_()
            part.dense.bias.zero_()
            part.LayerNorm.weight.fill_((scale.square().mean() + shift.var()).sqrt())
            part.LayerNorm.bias.fill_(shift.mean())
        layers.extend([layer, new_layer])
    network.bert.encoder.layer = layers
    network.config.num_hidden_layers = len(layers)
