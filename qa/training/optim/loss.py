"""What the reader is trained to make small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus
from transformers import BertForQuestionAnswering

from qa.training.data.features import Batch

Taught = tuple[Tensor, Tensor]
"""Teachers' probabilities of starts and of ends, each of shape (batch, length)."""

# Not infinite: times a teacher's probability of zero that would be no number.
_NEVER = -1e9
# A teacher may be as sure of no answer as a float can tell.
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much the parts of the loss count; see `ReaderRecipe`."""

    shared: float = 0.0
    taught: float = 0.0
    answerability: float = 0.0
    ranked: float = 0.0


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
    start: Tensor, end: Tensor, batch: Batch, weights: LossWeights, taught: Taught | None = None
) -> Tensor:
    """Return the loss on a batch of what `span_logits` gives.

    Each passage has a softmax of its own over its tokens and `[CLS]`, which stands for no answer. What it is to give is
    the labelled place and, to the share `weights.taught`, the probabilities of teachers (Hinton et al., 2015). Where a
    question has several passages they also share a softmax, with the weight `weights.shared`: over the tokens of all of
    them, each logit less that of its passage's `[CLS]`, and a zero for no answer in any. Answers are compared across
    passages by that difference, so it is what is trained (shared normalisation: Clark and Gardner, ACL 2018).

    With `weights.answerability`, whether there is an answer and where it is are apart, see `_apart`; and with
    `weights.ranked` the questions of a context are compared, see `_ranked`.
    """
    device = start.device
    group = torch.from_numpy(batch.group).to(device)
    total = start.new_zeros(())
    for logits, places, soft in zip((start, end), (batch.start, batch.end), taught or (None, None), strict=True):
        target = torch.from_numpy(places).to(device)
        if weights.answerability:
            own = _apart(logits, target, batch, weights, soft)
        else:
            own = cross_entropy(logits, target)
            if soft is not None:
                own = (1 - weights.taught) * own + weights.taught * cross_entropy(logits, soft)
        total = total + own / 2
        if weights.shared:
            total = total + weights.shared * _shared(logits, target, group) / 2
    if weights.ranked:
        total = total + weights.ranked * _ranked((_margin(start) + _margin(end)) / 2, batch)
    return total


def _apart(logits: Tensor, target: Tensor, batch: Batch, weights: LossWeights, soft: Tensor | None) -> Tensor:
    """Return the loss of whether there is an answer, and of where it is if there is.

    Whether there is one is learned with the weight `weights.answerability` on contexts that were asked what they do not
    answer, and not at all where only others of the file were: what is never asked in vain would be known by what it is
    about. (What passages share still compares such a context's answer with none.) Teachers tell where the answer is.
    """
    contrasted, uncontrasted = (
        torch.from_numpy(part).to(logits.device) for part in (batch.contrasted, batch.uncontrasted)
    )
    answered, margin = target > 0, _margin(logits)
    there = softplus(torch.where(answered, -margin, margin))
    weight = torch.where(contrasted, weights.answerability, 1.0) * ~uncontrasted
    spans = logits[:, 1:].logsumexp(1)
    where = spans - logits.gather(1, target[:, None])[:, 0]
    if soft is not None:
        thought = soft[:, 1:] / soft[:, 1:].sum(1, keepdim=True).clamp_min(_LEAST)
        where = (1 - weights.taught) * where + weights.taught * (thought * (spans[:, None] - logits[:, 1:])).sum(1)
    return (weight * there + where * answered).mean()


def _margin(logits: Tensor) -> Tensor:
    """Return the log-odds that there is an answer."""
    return logits[:, 1:].logsumexp(1) - logits[:, 0]


def _ranked(margins: Tensor, batch: Batch) -> Tensor:
    """Return how far a context's questions without an answer look likelier to have one than its others.

    What the context is about says nothing of it: they have that in common (a pairwise loss: Burges et al., ICML 2005).
    It is the mean over all pairs of a context's questions in the batch, times the share of rows that have an answer and
    such a pair.
    """
    answered = batch.contrasted & (batch.start > 0)
    pairs = (
        answered[:, None]
        & (batch.contrasted & (batch.start == 0))[None]
        & (batch.context[:, None] == batch.context[None])
    )
    if not pairs.any():
        return margins.new_zeros(())
    better, worse = (torch.from_numpy(part).to(margins.device) for part in np.nonzero(pairs))
    return softplus(margins[worse] - margins[better]).mean() * float(pairs.any(1).mean())


def _shared(logits: Tensor, target: Tensor, group: Tensor) -> Tensor:
    """Return the shared loss of the questions with several passages, as a mean over all passages."""
    margins = logits - logits[:, :1]
    passage = _margin(logits)
    count = int(group.max()) + 1
    top = passage.new_zeros(count).scatter_reduce(0, group, passage.detach(), "amax")
    mass = (-top).exp().index_add(0, group, (passage - top[group]).exp())
    wanted = passage.new_zeros(count).index_add(0, group, margins.gather(1, target[:, None])[:, 0])
    several = group.bincount(minlength=count) > 1
    return ((top + mass.log() - wanted) * several).sum() / len(group)
