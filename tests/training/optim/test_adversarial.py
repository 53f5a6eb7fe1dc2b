from __future__ import annotations

import pytest
import torch

from qa.training.optim import adversarial

SHAPE = (2, 3, 4)


def test_loss_is_computed_after_a_random_and_an_adversarial_step() -> None:
    torch.manual_seed(1)
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    weight = torch.ones(SHAPE[2], requires_grad=True)
    seen: list[torch.Tensor] = []

    def loss(perturbation: torch.Tensor) -> torch.Tensor:
        seen.append(perturbation.detach().clone())
        return ((perturbation * weight).sum(dim=(1, 2)) * torch.tensor([1.0, 2.0])).sum()

    value = adversarial.backward(loss, SHAPE, mask, 0.4)
    random_step, adversarial_step = seen
    assert random_step[1, 2].abs().sum() == 0
    torch.testing.assert_close(random_step.flatten(1).norm(dim=1), torch.full((2,), 0.1))
    # The gradient is the same in every direction, and so is the step.
    torch.testing.assert_close(adversarial_step - random_step, torch.full(SHAPE, 0.4 / 12**0.5))
    mean = (loss(random_step) + loss(adversarial_step)) / 2
    (expected,) = torch.autograd.grad(mean, weight)
    torch.testing.assert_close(weight.grad, expected)
    assert value == pytest.approx(float(mean.detach()))
