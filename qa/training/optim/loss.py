"""Training losses of the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from qa.training.artifacts.reader_network import ReaderNetwork
from qa.training.data.features import Batch

# Logit of positions that cannot be an answer. Finite, because infinity times a probability of zero is NaN.
_IMPOSSIBLE = -1e9
# Few units answer, so those that do count more.
_POSITIVE_WEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weights of the parts of the loss; see `ReaderRecipe`."""

    shared: float
    evidence: float


class ReaderLogits(NamedTuple):
    """Logits of a batch, each of shape (batch, length)."""

    start: Tensor
    end: Tensor
    evidence: Tensor


class Losses(NamedTuple):
    """The parts of the loss, without their weights."""

    span: Tensor
    shared: Tensor
    evidence: Tensor


def compute_logits(network: ReaderNetwork, batch: Batch, *, bfloat16: bool) -> ReaderLogits:
    """Return the logits of a batch; starts and ends at unusable positions have a logit of -1e9.

    Args:
        network: the reader.
        batch: input of the reader.
        bfloat16: whether to compute matrix products in bfloat16.
    """
    device = network.bert.device
    inputs = (torch.from_numpy(array).to(device) for array in (batch.ids, batch.mask, batch.types))
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        start, end, evidence = network(*inputs)
    unusable = ~torch.from_numpy(batch.usable).to(device)
    start, end = (part.float().masked_fill(unusable, _IMPOSSIBLE) for part in (start, end))
    return ReaderLogits(start, end, evidence.float())


def reading_losses(logits: ReaderLogits, batch: Batch, taught_share: float) -> Losses:
    """Return the losses of the logits that `compute_logits` returned for a batch.

    Span: each passage has a softmax over its tokens and `[CLS]`, which means "no answer". Its target is the label, or
    with the weight `taught_share` the teachers' probabilities where there are any (Hinton et al., 2015).

    Shared: the passages of a question also share a softmax. It is over the tokens of all these passages, each logit
    minus the `[CLS]` logit of its passage, and a zero for no answer in any of them. Answers are compared across
    passages by this difference (shared normalisation: Clark and Gardner, ACL 2018).

    Evidence: the logit of a unit is the mean over its tokens, and each unit is classified by itself.

    Args:
        logits: logits of the batch.
        batch: the labels.
        taught_share: weight of the teachers' probabilities; the labels have the rest.
    """
    spans = [_span_losses(part, side, batch, taught_share) for side, part in enumerate((logits.start, logits.end))]
    span, shared = (torch.stack(part).mean() for part in zip(*spans, strict=True))
    return Losses(span, shared, _evidence_loss(logits.evidence, batch))


def total_loss(losses: Losses, weights: LossWeights) -> Tensor:
    """Return the weighted sum of the losses."""
    return losses.span + weights.shared * losses.shared + weights.evidence * losses.evidence


def _span_losses(logits: Tensor, side: int, batch: Batch, taught_share: float) -> tuple[Tensor, Tensor]:
    """Return the span loss and the shared loss of the starts (side 0) or the ends (side 1)."""
    target, taught = (_as(logits, part[side]) for part in (batch.target, batch.taught))
    group = torch.from_numpy(batch.group).to(logits.device)
    is_labelled = target.sum(1) > 0
    share = taught_share * (taught.sum(1, keepdim=True) > 0)
    mixed = (1 - share) * target + share * taught
    by_row = -(mixed * logits.log_softmax(1)).sum(1) * is_labelled
    span = by_row.sum() / is_labelled.sum().clamp_min(1)
    return span, _shared_loss(logits, target, group, is_labelled)


def _shared_loss(logits: Tensor, target: Tensor, group: Tensor, is_labelled: Tensor) -> Tensor:
    """Return the shared-softmax loss of the labelled questions with several passages, as a mean over all passages."""
    margins = logits - logits[:, :1]
    passage = margins[:, 1:].logsumexp(1)
    count = int(group.max()) + 1
    # The zero of no answer is one of the terms, so the greatest term is at least zero.
    top = passage.new_zeros(count).scatter_reduce(0, group, passage.detach(), "amax")
    mass = (-top).exp().index_add(0, group, (passage - top[group]).exp())
    expected = passage.new_zeros(count).index_add(0, group, (target * margins).sum(1))
    is_complete = passage.new_ones(count).scatter_reduce(0, group, is_labelled.to(passage.dtype), "amin") > 0
    counts = (group.bincount(minlength=count) > 1) & is_complete
    return ((top + mass.log() - expected) * counts).sum() / len(group)


def _evidence_loss(logits: Tensor, batch: Batch) -> Tensor:
    if not len(batch.evidence):
        return logits.sum() * 0
    labels = _as(logits, batch.evidence)
    unit = torch.from_numpy(batch.unit).to(logits.device)
    inside = unit >= 0
    sums = labels.new_zeros(len(labels)).index_add(0, unit[inside], logits[inside])
    sizes = unit[inside].bincount(minlength=len(labels))
    return binary_cross_entropy_with_logits(sums / sizes, labels, pos_weight=logits.new_tensor(_POSITIVE_WEIGHT))


def _as(logits: Tensor, array: NDArray[np.float32] | NDArray[np.bool_]) -> Tensor:
    """Return an array as a tensor of the type of the logits, on their device."""
    return torch.from_numpy(array).to(logits.device, logits.dtype)
