"""What the reader is trained to make small."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import BertForQuestionAnswering

from qa.training.features import Batch

Taught = tuple[Tensor, Tensor]
"""Teachers' probabilities of starts and of ends, each of shape (batch, length)."""

# Not infinite: times a teacher's probability of zero that would be no number.
_NEVER = -1e9


def span_logits(
    network: BertForQuestionAnswering, batch: Batch, *, bfloat16: bool, moved: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return start and end logits, each of shape (batch, length), next to nothing where neither can be.

    `moved`, of shape (batch, length, dimension), is added to the vectors of the words.
    """
    device = network.device
    ids = torch.from_numpy(batch.ids).to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        made = network(
            input_ids=ids if moved is None else None,
            inputs_embeds=None if moved is None else network.get_input_embeddings()(ids) + moved,
            attention_mask=torch.from_numpy(batch.mask).to(device),
            token_type_ids=torch.from_numpy(batch.types).to(device),
        )
    usable = torch.from_numpy(batch.usable).to(device)
    return made.start_logits.float().masked_fill(~usable, _NEVER), made.end_logits.float().masked_fill(~usable, _NEVER)


def reading_loss(
    start: Tensor,
    end: Tensor,
    batch: Batch,
    shared_weight: float,
    taught: Taught | None = None,
    taught_share: float = 0.0,
) -> Tensor:
    """Return the loss on a batch of what `span_logits` gives.

    Each passage has a softmax of its own over its tokens and `[CLS]`, which stands for no answer. What it is to give is
    the labelled place and, to the share `taught_share`, the probabilities of teachers (Hinton et al., 2015). Where a
    question has several passages they also share a softmax, with the weight `shared_weight`: over the tokens of all of
    them, each logit less that of its passage's `[CLS]`, and a zero for no answer in any. Answers are compared across
    passages by that difference, so it is what is trained (shared normalisation: Clark and Gardner, ACL 2018).
    """
    group = torch.from_numpy(batch.group).to(start.device)
    total = start.new_zeros(())
    for logits, places, soft in zip((start, end), (batch.start, batch.end), taught or (None, None), strict=True):
        target = torch.from_numpy(places).to(start.device)
        own = cross_entropy(logits, target)
        if soft is not None:
            own = (1 - taught_share) * own + taught_share * cross_entropy(logits, soft)
        total = total + own / 2
        if shared_weight:
            total = total + shared_weight * _shared(logits, target, group) / 2
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
