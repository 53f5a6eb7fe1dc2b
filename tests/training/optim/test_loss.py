from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from qa.training.artifacts.reader_network import load_base
from qa.training.data.features import Batch
from qa.training.optim.loss import (
    Losses,
    LossWeights,
    ReaderLogits,
    compute_logits,
    reading_losses,
    total_loss,
)

USABLE = [True, False, False, True, True, False]


def batch(
    answers: list[int | None], group: list[int], unit: list[list[int]] | None = None, evidence: str = ""
) -> Batch:
    """Make a batch with six positions: `[CLS]`, a question token, `[SEP]`, two of the passage, and one of padding.

    An answer is a position; 0 is no answer, and None is not labelled. `evidence` has a "y" for each unit that answers.
    """
    rows = len(answers)
    mask = np.tile(np.array([1, 1, 1, 1, 1, 0]), (rows, 1))
    target = np.zeros((2, rows, 6), np.float32)
    for row, answer in enumerate(answers):
        if answer is not None:
            target[:, row, answer] = 1
    return Batch(
        ids=np.tile([101, 2040, 102, 5754, 2441, 0], (rows, 1)),
        types=np.tile(np.array([0, 0, 0, 1, 1, 0]), (rows, 1)),
        mask=mask,
        usable=np.tile(USABLE, (rows, 1)),
        target=target,
        taught=np.zeros_like(target),
        unit=np.array(unit) if unit else np.full((rows, 6), -1),
        evidence=np.array([answer == "y" for answer in evidence], np.bool_),
        group=np.array(group),
    )


def logits(rows: int, seed: int = 1) -> torch.Tensor:
    values = torch.randn((rows, 6), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return values.masked_fill(~torch.tensor(USABLE), -1e9).requires_grad_()


def losses(values: torch.Tensor, labels: Batch, taught_share: float = 0.0) -> Losses:
    return reading_losses(ReaderLogits(values, values, values), labels, taught_share)


def test_passage_softmax_is_over_its_tokens_and_no_answer() -> None:
    values = logits(3)
    loss = losses(values, batch([3, 0, 4], [0, 1, 2])).span
    assert torch.allclose(loss, cross_entropy(values[:, [0, 3, 4]], torch.tensor([1, 0, 2])))
    loss.backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    # Neither the question nor padding can be an answer, so they have no gradient.
    assert not values.grad[:, [1, 2, 5]].any()


def test_rows_without_a_label_do_not_count() -> None:
    values = logits(3)
    assert torch.allclose(
        losses(values, batch([3, None, 4], [0, 1, 2])).span, losses(values[[0, 2]], batch([3, 4], [0, 1])).span
    )
    assert losses(values, batch([None] * 3, [0, 1, 2])).span == 0
    # The answer of a group may be in the passage that has no label.
    assert losses(values, batch([None, 0, 4], [0, 0, 1])).shared == 0


def test_answers_of_several_things_share_the_probability() -> None:
    values, labels = logits(1), batch([3], [0])
    labels.target[:, 0, 3:5] = 0.5
    chosen = values[:, [0, 3, 4]].log_softmax(1)[0]
    assert torch.allclose(losses(values, labels).span, -(chosen[1] + chosen[2]) / 2)


def test_teachers_count_by_their_share_where_there_are_any() -> None:
    values, labels = logits(3), batch([3, 0, 4], [0, 1, 2])
    labels.taught[:, 0, 3], labels.taught[:, 0, 4] = 0.25, 0.75
    chosen = values[:, [0, 3, 4]].log_softmax(1)
    teacher = -(0.25 * chosen[0, 1] + 0.75 * chosen[0, 2])
    expected = (0.7 * -chosen[0, 1] + 0.3 * teacher - chosen[1, 0] - chosen[2, 2]) / 3
    assert torch.allclose(losses(values, labels, 0.3).span, expected)


def test_passages_of_a_question_share_a_softmax() -> None:
    values = logits(3)
    loss = losses(values, batch([3, 0, 4], [0, 0, 1])).shared
    margins = torch.cat([torch.zeros(1), values[0, 3:5] - values[0, 0], values[1, 3:5] - values[1, 0]])
    # The loss is a mean over all passages; the third is the only one of its question.
    assert torch.allclose(loss, cross_entropy(margins, torch.tensor(1)) / 3)


def test_no_answer_is_the_zero_of_the_shared_softmax() -> None:
    values = logits(2)
    loss = losses(values, batch([0, 0], [0, 0])).shared
    margins = torch.cat([torch.zeros(1), values[0, 3:5] - values[0, 0], values[1, 3:5] - values[1, 0]])
    assert torch.allclose(loss, cross_entropy(margins, torch.tensor(0)) / 2)


def test_starts_and_ends_have_equal_weight() -> None:
    start, end, labels = logits(3), logits(3, seed=2), batch([3, 0, 4], [0, 0, 1])
    both = reading_losses(ReaderLogits(start, end, start), labels, 0.0)
    sides = [losses(part, labels) for part in (start, end)]
    assert torch.allclose(both.span, (sides[0].span + sides[1].span) / 2)
    assert torch.allclose(both.shared, (sides[0].shared + sides[1].shared) / 2)


def test_evidence_of_a_unit_is_the_mean_over_its_tokens() -> None:
    values = logits(2)
    labels = batch([3, 0], [0, 1], [[-1, -1, -1, 0, 0, -1], [-1, -1, -1, 1, 2, -1]], "yny")
    units = torch.stack([values[0, 3:5].mean(), values[1, 3], values[1, 4]]).sigmoid()
    # Units that answer count twice.
    expected = -(2 * units[0].log() + (1 - units[1]).log() + 2 * units[2].log()) / 3
    assert torch.allclose(losses(values, labels).evidence, expected)
    assert losses(values, batch([3, 0], [0, 1])).evidence == 0


def test_parts_are_weighted() -> None:
    values = logits(2)
    parts = losses(values, batch([3, 0], [0, 0], [[-1, -1, -1, 0, 1, -1]] * 2, "yn"))
    expected = parts.span + 0.5 * parts.shared + 3 * parts.evidence
    assert torch.allclose(total_loss(parts, LossWeights(shared=0.5, evidence=3.0)), expected)


def test_large_logits_do_not_overflow() -> None:
    values = (logits(2) * 1e4).float()
    assert all(torch.isfinite(part) for part in losses(values, batch([3, 0], [0, 0])))


def test_question_padding_and_separator_have_no_probability(small_base: Path) -> None:
    network, labels = load_base(small_base), batch([3, 0], [0, 0], [[-1, -1, -1, 0, 1, -1]] * 2, "yn")
    output = compute_logits(network, labels, bfloat16=False)
    for part in output[:2]:
        assert torch.equal(part.softmax(1) > 0, torch.from_numpy(labels.usable))
    total_loss(reading_losses(output, labels, 0.0), LossWeights(0.5, 2.0)).backward()  # type: ignore[no-untyped-call]
    for head in (network.qa_outputs, network.evidence):
        assert head.weight.grad is not None
        assert head.weight.grad.any()
    rounded = compute_logits(network, labels, bfloat16=True)
    assert rounded.evidence.dtype == torch.float32
    assert torch.allclose(rounded.evidence, output.evidence, atol=0.1)
