from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from qa.training.base_model import untrained_reader
from qa.training.features import Batch
from qa.training.loss import reading_loss, span_logits

USABLE = [True, False, False, True, True, False]


def batch(start: list[int], group: list[int]) -> Batch:
    """Six positions: `[CLS]`, a question token, `[SEP]`, two of the passage, and one of padding."""
    rows = len(start)
    types = np.tile(np.array([0, 0, 0, 1, 1, 0]), (rows, 1))
    mask = np.tile(np.array([1, 1, 1, 1, 1, 0]), (rows, 1))
    places = np.array(start)
    return Batch(types, types, mask, np.tile(USABLE, (rows, 1)), places, places, np.array(group))


def logits(rows: int) -> torch.Tensor:
    made = torch.randn((rows, 6), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return made.masked_fill(~torch.tensor(USABLE), -1e9).requires_grad_()


def test_each_passage_has_a_softmax_over_its_tokens_and_no_answer() -> None:
    made = logits(3)
    loss = reading_loss(made, made, batch([3, 0, 4], [0, 1, 2]), 0.5)
    expected = cross_entropy(made[:, [0, 3, 4]], torch.tensor([1, 0, 2]))
    assert torch.allclose(loss, expected)
    loss.backward()  # type: ignore[no-untyped-call]
    assert made.grad is not None
    # Neither the question nor padding can be an answer, so nothing is to be learned there.
    assert not made.grad[:, [1, 2, 5]].any()


def test_neither_question_nor_padding_nor_separator_can_be_an_answer() -> None:
    network = untrained_reader()
    asked = replace(batch([3, 0], [0, 1]), ids=np.tile([101, 2040, 102, 5754, 2441, 0], (2, 1)))
    for part in span_logits(network, asked, bfloat16=False):
        assert torch.equal(part.softmax(1) > 0, torch.from_numpy(asked.usable))
    loss = reading_loss(*span_logits(network, asked, bfloat16=False), asked, 0.5)
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert network.qa_outputs.weight.grad is not None
    assert network.qa_outputs.weight.grad.any()


def test_what_teachers_think_counts_by_its_share() -> None:
    made, asked = logits(2), batch([3, 0], [0, 1])
    soft = torch.zeros((2, 6), dtype=torch.float64)
    soft[:, 3], soft[:, 4] = 0.25, 0.75
    labels = reading_loss(made, made, asked, 0.0)
    taught = reading_loss(made, made, asked, 0.0, (soft, soft), 1.0)
    chosen = made[:, [0, 3, 4]].log_softmax(1)
    assert torch.allclose(taught, -(0.25 * chosen[:, 1] + 0.75 * chosen[:, 2]).mean())
    mixed = reading_loss(made, made, asked, 0.0, (soft, soft), 0.3)
    assert torch.allclose(mixed, 0.7 * labels + 0.3 * taught)


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
