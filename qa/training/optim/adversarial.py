"""A step on what the loss is where the words are not quite what they are."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# Of the length of the step against the loss, that of the random one before it.
_AT_FIRST = 0.25


def backward(loss: Callable[[Tensor], Tensor], shape: tuple[int, int, int], mask: Tensor, length: float) -> float:
    """Leave the gradients of the mean of two losses, and return that mean.

    The word vectors of each row are moved at random, then on to where the loss grows: a reader that is to be right
    there, too, cannot do with knowing its questions by heart (FreeLB: Zhu et al., ICLR 2020).

    Args:
        loss: of what is added to the word vectors, of `shape`.
        shape: (batch, length, dimension).
        mask: of shape (batch, length): 1 for tokens that are there.
        length: of the second move, over all of a row's tokens together.
    """
    at_random = torch.empty(shape, device=mask.device).uniform_(-1, 1) * mask[..., None]
    moved = (_of_length(at_random, _AT_FIRST * length)).requires_grad_()
    first = loss(moved)
    (first / 2).backward()  # type: ignore[no-untyped-call]
    assert moved.grad is not None
    further = moved.detach() + _of_length(moved.grad, length)
    second = loss(further)
    (second / 2).backward()  # type: ignore[no-untyped-call]
    return float((first.detach() + second.detach()) / 2)


def _of_length(rows: Tensor, length: float) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=(1, 2), keepdim=True)
    return rows * (length / lengths.clamp_min(1e-12))
