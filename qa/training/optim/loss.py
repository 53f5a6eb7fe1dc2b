"""Training losses of the reader."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus
from transformers import BertForQuestionAnswering

from qa.training.data.features import Batch

SoftTargets = tuple[Tensor, Tensor]
"""Teachers' probabilities of starts and of ends, each of shape (batch, length)."""

# Logit of positions that cannot be an answer. Finite, because infinity times a teacher's probability of zero is NaN.
_IMPOSSIBLE = -1e9
# A teacher's probability of an answer may round to zero, which would divide by zero.
_MIN_PROBABILITY = 1e-9


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weights of the parts of the loss; see `ReaderRecipe`."""

    shared: float = 0.0
    taught: float = 0.0
    answerability: float = 0.0
    ranked: float = 0.0


def span_logits(
    network: BertForQuestionAnswering, batch: Batch, *, bfloat16: bool, perturbation: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return start and end logits, each of shape (batch, length); unusable positions have a logit of -1e9.

    Args:
        network: the reader.
        batch: input of the reader.
        bfloat16: whether to compute matrix products in bfloat16.
        perturbation: tensor of shape (batch, length, dimension) that is added to the word embeddings.
    """
    device = network.device
    ids = torch.from_numpy(batch.ids).to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        output = network(
            input_ids=ids if perturbation is None else None,
            inputs_embeds=None if perturbation is None else network.get_input_embeddings()(ids) + perturbation,
            attention_mask=torch.from_numpy(batch.mask).to(device),
            token_type_ids=torch.from_numpy(batch.types).to(device),
        )
    unusable = ~torch.from_numpy(batch.usable).to(device)
    return (
        output.start_logits.float().masked_fill(unusable, _IMPOSSIBLE),
        output.end_logits.float().masked_fill(unusable, _IMPOSSIBLE),
    )


def reading_loss(
    start: Tensor, end: Tensor, batch: Batch, weights: LossWeights, soft_targets: SoftTargets | None = None
) -> Tensor:
    """Return the loss of the logits that `span_logits` returned for a batch.

    Each passage has its own softmax over its tokens and `[CLS]`, which means "no answer". Its target is the labelled
    position and, with the weight `weights.taught`, the teachers' probabilities (Hinton et al., 2015).

    The passages of a question also share a softmax, with the weight `weights.shared`. It is over the tokens of all
    these passages, each logit minus the `[CLS]` logit of its passage, and a zero for no answer in any of them. Answers
    are compared across passages by this difference (shared normalisation: Clark and Gardner, ACL 2018).

    With `weights.answerability`, answerability and answer position have separate losses; see `_factored_loss`. With
    `weights.ranked`, the questions on a context are compared; see `_ranking_loss`.

    Args:
        start: start logits of shape (batch, length).
        end: end logits of shape (batch, length).
        batch: the labels.
        weights: weights of the parts of the loss.
        soft_targets: probabilities of the teachers.
    """
    device = start.device
    group = torch.from_numpy(batch.group).to(device)
    total = start.new_zeros(())
    sides = zip((start, end), (batch.start, batch.end), soft_targets or (None, None), strict=True)
    for logits, positions, soft in sides:
        target = torch.from_numpy(positions).to(device)
        if weights.answerability:
            passage_loss = _factored_loss(logits, target, batch, weights, soft)
        else:
            passage_loss = cross_entropy(logits, target)
            if soft is not None:
                passage_loss = (1 - weights.taught) * passage_loss + weights.taught * cross_entropy(logits, soft)
        total = total + passage_loss / 2
        if weights.shared:
            total = total + weights.shared * _shared_loss(logits, target, group) / 2
    if weights.ranked:
        total = total + weights.ranked * _ranking_loss((_log_odds(start) + _log_odds(end)) / 2, batch)
    return total


def _factored_loss(logits: Tensor, target: Tensor, batch: Batch, weights: LossWeights, soft: Tensor | None) -> Tensor:
    """Return the sum of the loss of answerability and that of the answer's position, where there is an answer.

    Answerability has the weight `weights.answerability` on contexts that also have unanswerable questions. It has the
    weight 0 on contexts whose questions are all answerable, if other contexts of the file have unanswerable ones: the
    reader would recognise them by their topic. (The shared softmax still compares their answers with no answer.)
    Teachers teach the position only.
    """
    has_unanswerable, all_answerable = (
        torch.from_numpy(part).to(logits.device)
        for part in (batch.context_has_unanswerable, batch.context_all_answerable)
    )
    answerable, log_odds = target > 0, _log_odds(logits)
    answerability_loss = softplus(torch.where(answerable, -log_odds, log_odds))
    weight = torch.where(has_unanswerable, weights.answerability, 1.0) * ~all_answerable
    normaliser = logits[:, 1:].logsumexp(1)
    position_loss = normaliser - logits.gather(1, target[:, None])[:, 0]
    if soft is not None:
        teacher = soft[:, 1:] / soft[:, 1:].sum(1, keepdim=True).clamp_min(_MIN_PROBABILITY)
        distillation_loss = (teacher * (normaliser[:, None] - logits[:, 1:])).sum(1)
        position_loss = (1 - weights.taught) * position_loss + weights.taught * distillation_loss
    return (weight * answerability_loss + position_loss * answerable).mean()


def _log_odds(logits: Tensor) -> Tensor:
    """Return the log-odds that a passage has an answer."""
    return logits[:, 1:].logsumexp(1) - logits[:, 0]


def _ranking_loss(log_odds: Tensor, batch: Batch) -> Tensor:
    """Return a pairwise loss: answerable questions must have higher log-odds than unanswerable ones on the context.

    The topic of the context cannot decide between them, because they share it (a pairwise loss: Burges et al., ICML
    2005). The loss is the mean over all such pairs in the batch, times the share of rows that are the answerable
    question of a pair.
    """
    answerable = batch.context_has_unanswerable & (batch.start > 0)
    pairs = (
        answerable[:, None]
        & (batch.context_has_unanswerable & (batch.start == 0))[None]
        & (batch.context[:, None] == batch.context[None])
    )
    if not pairs.any():
        return log_odds.new_zeros(())
    better, worse = (torch.from_numpy(part).to(log_odds.device) for part in np.nonzero(pairs))
    return softplus(log_odds[worse] - log_odds[better]).mean() * float(pairs.any(1).mean())


def _shared_loss(logits: Tensor, target: Tensor, group: Tensor) -> Tensor:
    """Return the shared-softmax loss of the questions with several passages, as a mean over all passages."""
    margins = logits - logits[:, :1]
    passage = _log_odds(logits)
    count = int(group.max()) + 1
    top = passage.new_zeros(count).scatter_reduce(0, group, passage.detach(), "amax")
    mass = (-top).exp().index_add(0, group, (passage - top[group]).exp())
    target_margin = passage.new_zeros(count).index_add(0, group, margins.gather(1, target[:, None])[:, 0])
    has_several = group.bincount(minlength=count) > 1
    return ((top + mass.log() - target_margin) * has_several).sum() / len(group)
