from __future__ import annotations

import pytest
import torch

from qa.training.optim import adversarial

SHAPE = (2, 3, 4)


def test_the_loss_is_taken_at_random_and_then_where_it_grows() -> None:
    torch.manual_seed(1)
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    weight = torch.ones(SHAPE[2], requires_grad=True)
    seen: list[torch.Tensor] = []

    def loss(moved: torch.Tensor) -> torch.Tensor:
        seen.append(moved.detach().clone())
        return ((moved * weight).sum(dim=(1, 2)) * torch.tensor([1.0, 2.0])).sum()

    told = adversarial.backward(loss, SHAPE, mask, 0.4)
    at_random, against = seen
    assert at_random[1, 2].abs().sum() == 0
    torch.testing.assert_close(at_random.flatten(1).norm(dim=1), torch.full((2,), 0.1))
    # The loss grows alike along every direction: so does the move.
    torch.testing.assert_close(against - at_random, torch.full(SHAPE, 0.4 / 12**0.5))
    mean = (loss(at_random) + loss(against)) / 2
    (expected,) = torch.autograd.grad(mean, weight)
    torch.testing.assert_close(weight.grad, expected)
    assert told == pytest.approx(float(mean.detach()))
