from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from qa.training.features import Batch
from qa.training.loss import reading_loss


def batch(start: list[int], group: list[int]) -> Batch:
    """Six positions: `[CLS]`, a question token, `[SEP]`, two of the passage, and one of padding."""
    rows = len(start)
    types = np.tile(np.array([0, 0, 0, 1, 1, 0]), (rows, 1))
    mask = np.tile(np.array([1, 1, 1, 1, 1, 0]), (rows, 1))
    places = np.array(start)
    return Batch(types, types, mask, places, places, np.array(group))


def logits(rows: int) -> torch.Tensor:
    return torch.randn((rows, 6), generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)


def test_each_passage_has_a_softmax_over_its_tokens_and_no_answer() -> None:
    made = logits(3)
    loss = reading_loss(made, made, batch([3, 0, 4], [0, 1, 2]), 0.5)
    expected = cross_entropy(made[:, [0, 3, 4]], torch.tensor([1, 0, 2]))
    assert torch.allclose(loss, expected)
    loss.backward()  # type: ignore[no-untyped-call]
    assert made.grad is not None
    # Neither the question nor padding can be an answer, so nothing is to be learned there.
    assert not made.grad[:, [1, 2, 5]].any()


def test_passages_of_a_question_share_a_softmax() -> None:
    made = logits(3)
    own = reading_loss(made, made, batch([3, 0, 4], [0, 0, 1]), 0.0)
    loss = reading_loss(made, made, batch([3, 0, 4], [0, 0, 1]), 1.0)
    margins = torch.cat([torch.zeros(1), made[0, 3:5] - made[0, 0], made[1, 3:5] - made[1, 0]])
    # A mean over all passages, of which the third is a question's only one.
    assert torch.allclose(loss - own, cross_entropy(margins, torch.tensor(1)) / 3)


def test_no_answer_in_any_passage_is_the_zero_of_the_shared_softmax() -> None:
    made = logits(2)
    own = reading_loss(made, made, batch([0, 0], [0, 0]), 0.0)
    loss = reading_loss(made, made, batch([0, 0], [0, 0]), 1.0)
    margins = torch.cat([torch.zeros(1), made[0, 3:5] - made[0, 0], made[1, 3:5] - made[1, 0]])
    assert torch.allclose(loss - own, cross_entropy(margins, torch.tensor(0)) / 2)


def test_large_logits_do_not_overflow() -> None:
    made = (logits(2) * 1e4).float()
    assert torch.isfinite(reading_loss(made, made, batch([3, 0], [0, 0]), 1.0))
