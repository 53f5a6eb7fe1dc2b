from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch.nn.functional import cross_entropy, softplus

from qa.training.artifacts.base_model import untrained_reader
from qa.training.data.features import Batch
from qa.training.optim.loss import LossWeights, reading_loss, span_logits

USABLE = [True, False, False, True, True, False]


def batch(start: list[int], group: list[int], context: list[int] | None = None, unanswerable: str = "") -> Batch:
    """Make a batch with six positions: `[CLS]`, a question token, `[SEP]`, two of the passage, and one of padding.

    `unanswerable` is "y" for a context with unanswerable questions, "n" if only other contexts of the file have any.
    """
    rows = len(start)
    types = np.tile(np.array([0, 0, 0, 1, 1, 0]), (rows, 1))
    mask = np.tile(np.array([1, 1, 1, 1, 1, 0]), (rows, 1))
    positions, marks = np.array(start), np.array(list(unanswerable or "-" * rows))
    return Batch(
        types,
        types,
        mask,
        np.tile(USABLE, (rows, 1)),
        positions,
        positions,
        np.array(group),
        np.array(context or range(rows)),
        marks == "y",
        marks == "n",
    )


def logits(rows: int) -> torch.Tensor:
    values = torch.randn((rows, 6), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return values.masked_fill(~torch.tensor(USABLE), -1e9).requires_grad_()


def test_passage_softmax_is_over_its_tokens_and_no_answer() -> None:
    values = logits(3)
    loss = reading_loss(values, values, batch([3, 0, 4], [0, 1, 2]), LossWeights(shared=0.5))
    expected = cross_entropy(values[:, [0, 3, 4]], torch.tensor([1, 0, 2]))
    assert torch.allclose(loss, expected)
    loss.backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    # Neither the question nor padding can be an answer, so they have no gradient.
    assert not values.grad[:, [1, 2, 5]].any()


def test_question_padding_and_separator_have_no_probability() -> None:
    network = untrained_reader()
    inputs = replace(batch([3, 0], [0, 1]), ids=np.tile([101, 2040, 102, 5754, 2441, 0], (2, 1)))
    for part in span_logits(network, inputs, bfloat16=False):
        assert torch.equal(part.softmax(1) > 0, torch.from_numpy(inputs.usable))
    loss = reading_loss(*span_logits(network, inputs, bfloat16=False), inputs, LossWeights(shared=0.5))
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert network.qa_outputs.weight.grad is not None
    assert network.qa_outputs.weight.grad.any()


def test_teachers_count_by_their_share() -> None:
    values, labels = logits(2), batch([3, 0], [0, 1])
    soft = torch.zeros((2, 6), dtype=torch.float64)
    soft[:, 3], soft[:, 4] = 0.25, 0.75
    untaught = reading_loss(values, values, labels, LossWeights())
    taught = reading_loss(values, values, labels, LossWeights(taught=1.0), (soft, soft))
    chosen = values[:, [0, 3, 4]].log_softmax(1)
    assert torch.allclose(taught, -(0.25 * chosen[:, 1] + 0.75 * chosen[:, 2]).mean())
    mixed = reading_loss(values, values, labels, LossWeights(taught=0.3), (soft, soft))
    assert torch.allclose(mixed, 0.7 * untaught + 0.3 * taught)


def test_passages_of_a_question_share_a_softmax() -> None:
    values = logits(3)
    alone = reading_loss(values, values, batch([3, 0, 4], [0, 0, 1]), LossWeights())
    loss = reading_loss(values, values, batch([3, 0, 4], [0, 0, 1]), LossWeights(shared=1.0))
    margins = torch.cat([torch.zeros(1), values[0, 3:5] - values[0, 0], values[1, 3:5] - values[1, 0]])
    # The loss is a mean over all passages; the third is the only one of its question.
    assert torch.allclose(loss - alone, cross_entropy(margins, torch.tensor(1)) / 3)


def test_no_answer_is_the_zero_of_the_shared_softmax() -> None:
    values = logits(2)
    alone = reading_loss(values, values, batch([0, 0], [0, 0]), LossWeights())
    loss = reading_loss(values, values, batch([0, 0], [0, 0]), LossWeights(shared=1.0))
    margins = torch.cat([torch.zeros(1), values[0, 3:5] - values[0, 0], values[1, 3:5] - values[1, 0]])
    assert torch.allclose(loss - alone, cross_entropy(margins, torch.tensor(0)) / 2)


def test_starts_and_ends_have_equal_weight() -> None:
    start, end = logits(3), logits(3).flip(0)
    labels = batch([3, 0, 4], [0, 0, 1], context=[7, 7, 8], unanswerable="yyn")
    weights = LossWeights(shared=0.5, answerability=2.0)
    sides = reading_loss(start, start, labels, weights), reading_loss(end, end, labels, weights)
    assert torch.allclose(reading_loss(start, end, labels, weights), (sides[0] + sides[1]) / 2)
    ranked = reading_loss(start, end, labels, replace(weights, ranked=1.0)) - reading_loss(start, end, labels, weights)
    margins = torch.stack([part[:, 3:5].logsumexp(1) - part[:, 0] for part in (start, end)]).mean(0)
    assert torch.allclose(ranked, softplus(margins[1] - margins[0]) / 3)


def test_large_logits_do_not_overflow() -> None:
    values = (logits(2) * 1e4).float()
    assert torch.isfinite(reading_loss(values, values, batch([3, 0], [0, 0]), LossWeights(shared=1.0)))


def test_answerability_is_learned_on_contexts_with_unanswerable_questions() -> None:
    values = logits(4)
    # An answerable and an unanswerable question on contexts with unanswerable ones; an answerable one where only other
    # contexts have them; an answerable one of a file without any.
    labels = batch([3, 0, 4, 4], [0, 1, 2, 3], unanswerable="yyn-")
    no_mark = np.zeros(4, np.bool_)
    everywhere = reading_loss(
        values,
        values,
        replace(labels, context_has_unanswerable=no_mark, context_all_answerable=no_mark),
        LossWeights(answerability=1.0),
    )
    assert torch.allclose(everywhere, reading_loss(values, values, labels, LossWeights()))
    chosen = values[:, [0, 3, 4]]
    none = chosen.log_softmax(1)[:, 0]
    answerability = torch.stack([-torch.log1p(-none[0].exp()), -none[1], torch.zeros(()), -torch.log1p(-none[3].exp())])
    position = -chosen[:, 1:].log_softmax(1)[[0, 2, 3], [0, 1, 1]].sum()
    expected = (3 * answerability[:2].sum() + answerability[2:].sum() + position) / 4
    loss = reading_loss(values, values, labels, LossWeights(answerability=3.0))
    assert torch.allclose(loss, expected)
    loss.backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert torch.allclose(values.grad[2, 0], torch.zeros((), dtype=torch.float64))
    assert values.grad[[0, 1, 3], 0].all()


def test_teachers_teach_position_but_not_answerability() -> None:
    values, labels = logits(2), batch([3, 0], [0, 1], unanswerable="yy")
    soft = torch.tensor([[0.6, 0, 0, 0.1, 0.3, 0], [0.2, 0, 0, 0.4, 0.4, 0]], dtype=torch.float64)
    untaught = reading_loss(values, values, labels, LossWeights(answerability=1.0))
    taught = reading_loss(values, values, labels, LossWeights(answerability=1.0, taught=0.3), (soft, soft))
    position = -values[0, 3:5].log_softmax(0)
    assert torch.allclose(taught - untaught, 0.3 * (0.25 * position[0] + 0.75 * position[1] - position[0]) / 2)


def test_ranking_loss_compares_questions_on_a_context() -> None:
    values = logits(5)
    labels = batch([3, 0, 0, 4, 0], [0, 1, 2, 3, 4], context=[7, 7, 7, 8, 8], unanswerable="yyy--")
    ranking = reading_loss(values, values, labels, LossWeights(ranked=0.5)) - reading_loss(
        values, values, labels, LossWeights()
    )
    margins = values[:, 3:5].logsumexp(1) - values[:, 0]
    expected = (softplus(margins[1] - margins[0]) + softplus(margins[2] - margins[0])) / 2
    # Times the share of rows that are the answerable question of a pair.
    assert torch.allclose(ranking, 0.5 * expected / 5)
    single = batch([3, 0], [0, 1], context=[1, 2], unanswerable="yy")
    assert torch.equal(
        reading_loss(values[:2], values[:2], single, LossWeights(ranked=1.0)),
        reading_loss(values[:2], values[:2], single, LossWeights()),
    )
