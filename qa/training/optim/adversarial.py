"""Adversarial training on word embeddings (FreeLB: Zhu et al., ICLR 2020)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# Length of the random step, as a share of the adversarial step that follows it.
_RANDOM_STEP = 0.25


def backward(loss: Callable[[Tensor], Tensor], shape: tuple[int, int, int], mask: Tensor, length: float) -> float:
    """Accumulate the gradients of the mean of two losses, and return that mean.

    The word embeddings of each row are first moved at random, then in the direction in which the loss grows. A reader
    that must be right at both points cannot rely on memorised questions.

    Args:
        loss: computes the loss for a perturbation of the word embeddings, of `shape`.
        shape: (batch, length, dimension).
        mask: tensor of shape (batch, length); 1 for tokens, 0 for padding.
        length: Euclidean length of the second step over all tokens of a row.
    """
    random_step = torch.empty(shape, device=mask.device).uniform_(-1, 1) * mask[..., None]
    perturbation = (_rescale(random_step, _RANDOM_STEP * length)).requires_grad_()
    random_loss = loss(perturbation)
    (random_loss / 2).backward()  # type: ignore[no-untyped-call]
    assert perturbation.grad is not None
    adversarial_loss = loss(perturbation.detach() + _rescale(perturbation.grad, length))
    (adversarial_loss / 2).backward()  # type: ignore[no-untyped-call]
    return float((random_loss.detach() + adversarial_loss.detach()) / 2)


def _rescale(rows: Tensor, length: float) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=(1, 2), keepdim=True)
    return rows * (length / lengths.clamp_min(1e-12))
