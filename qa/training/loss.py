"""What the reader is trained to make small."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from qa.training.features import Batch


def reading_loss(start: Tensor, end: Tensor, batch: Batch, shared_weight: float) -> Tensor:
    """Return the loss of start and end logits, each of shape (batch, length), on a batch.

    Each passage has a softmax of its own over its tokens, its `[SEP]`, and `[CLS]`, which stands for no answer. Where a
    question has several passages they also share one, with the weight `shared_weight`: over the tokens of all of them,
    each logit less that of its passage's `[CLS]`, and a zero for no answer in any. Answers are compared across passages
    by that difference, so it is what is trained (shared normalisation: Clark and Gardner, ACL 2018).
    """
    usable = torch.from_numpy((batch.types == 1) & (batch.mask == 1)).to(start.device)
    usable[:, 0] = True
    group = torch.from_numpy(batch.group).to(start.device)
    total = start.new_zeros(())
    for logits, places in ((start, batch.start), (end, batch.end)):
        target = torch.from_numpy(places).to(start.device)
        masked = logits.masked_fill(~usable, -torch.inf)
        total = total + cross_entropy(masked, target) / 2
        if shared_weight:
            total = total + shared_weight * _shared(masked, target, group) / 2
    return total


def _shared(logits: Tensor, target: Tensor, group: Tensor) -> Tensor:
    """Return the shared loss of the questions with several passages, as a mean over all passages."""
    margins = logits - logits[:, :1]
    passage = margins[:, 1:].logsumexp(dim=1)
    count = int(group.max()) + 1
    top = passage.new_zeros(count).scatter_reduce(0, group, passage.detach(), "amax")
    mass = (-top).exp().index_add(0, group, (passage - top[group]).exp())
    wanted = passage.new_zeros(count).index_add(0, group, margins.gather(1, target[:, None])[:, 0])
    several = group.bincount(minlength=count) > 1
    return ((top + mass.log() - wanted) * several).sum() / len(group)
