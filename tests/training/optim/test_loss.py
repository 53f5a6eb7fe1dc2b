from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch.nn.functional import cross_entropy, softplus

from qa.training.artifacts.base_model import untrained_reader
from qa.training.data.features import Batch
from qa.training.optim.loss import LossWeights, reading_loss, span_logits

USABLE = [True, False, False, True, True, False]


def batch(start: list[int], group: list[int], context: list[int] | None = None, contrasted: str = "") -> Batch:
    """Six positions: `[CLS]`, a question token, `[SEP]`, two of the passage, and one of padding.

    `contrasted` has "y" for a context that was asked what it does not answer, "n" where only others of its file were.
    """
    rows = len(start)
    types = np.tile(np.array([0, 0, 0, 1, 1, 0]), (rows, 1))
    mask = np.tile(np.array([1, 1, 1, 1, 1, 0]), (rows, 1))
    places, told = np.array(start), np.array(list(contrasted or "-" * rows))
    return Batch(
        types,
        types,
        mask,
        np.tile(USABLE, (rows, 1)),
        places,
        places,
        np.array(group),
        np.array(context or range(rows)),
        told == "y",
        told == "n",
    )


def logits(rows: int) -> torch.Tensor:
    made = torch.randn((rows, 6), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return made.masked_fill(~torch.tensor(USABLE), -1e9).requires_grad_()


def test_each_passage_has_a_softmax_over_its_tokens_and_no_answer() -> None:
    made = logits(3)
    loss = reading_loss(made, made, batch([3, 0, 4], [0, 1, 2]), LossWeights(shared=0.5))
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
    loss = reading_loss(*span_logits(network, asked, bfloat16=False), asked, LossWeights(shared=0.5))
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert network.qa_outputs.weight.grad is not None
    assert network.qa_outputs.weight.grad.any()


def test_what_teachers_think_counts_by_its_share() -> None:
    made, asked = logits(2), batch([3, 0], [0, 1])
    soft = torch.zeros((2, 6), dtype=torch.float64)
    soft[:, 3], soft[:, 4] = 0.25, 0.75
    labels = reading_loss(made, made, asked, LossWeights())
    taught = reading_loss(made, made, asked, LossWeights(taught=1.0), (soft, soft))
    chosen = made[:, [0, 3, 4]].log_softmax(1)
    assert torch.allclose(taught, -(0.25 * chosen[:, 1] + 0.75 * chosen[:, 2]).mean())
    mixed = reading_loss(made, made, asked, LossWeights(taught=0.3), (soft, soft))
    assert torch.allclose(mixed, 0.7 * labels + 0.3 * taught)


def test_passages_of_a_question_share_a_softmax() -> None:
    made = logits(3)
    own = reading_loss(made, made, batch([3, 0, 4], [0, 0, 1]), LossWeights())
    loss = reading_loss(made, made, batch([3, 0, 4], [0, 0, 1]), LossWeights(shared=1.0))
    margins = torch.cat([torch.zeros(1), made[0, 3:5] - made[0, 0], made[1, 3:5] - made[1, 0]])
    # A mean over all passages, of which the third is a question's only one.
    assert torch.allclose(loss - own, cross_entropy(margins, torch.tensor(1)) / 3)


def test_no_answer_in_any_passage_is_the_zero_of_the_shared_softmax() -> None:
    made = logits(2)
    own = reading_loss(made, made, batch([0, 0], [0, 0]), LossWeights())
    loss = reading_loss(made, made, batch([0, 0], [0, 0]), LossWeights(shared=1.0))
    margins = torch.cat([torch.zeros(1), made[0, 3:5] - made[0, 0], made[1, 3:5] - made[1, 0]])
    assert torch.allclose(loss - own, cross_entropy(margins, torch.tensor(0)) / 2)


def test_starts_and_ends_count_alike() -> None:
    start, end = logits(3), logits(3).flip(0)
    asked = batch([3, 0, 4], [0, 0, 1], context=[7, 7, 8], contrasted="yyn")
    weights = LossWeights(shared=0.5, answerability=2.0)
    apart = reading_loss(start, start, asked, weights), reading_loss(end, end, asked, weights)
    assert torch.allclose(reading_loss(start, end, asked, weights), (apart[0] + apart[1]) / 2)
    ranked = reading_loss(start, end, asked, replace(weights, ranked=1.0)) - reading_loss(start, end, asked, weights)
    margins = torch.stack([part[:, 3:5].logsumexp(1) - part[:, 0] for part in (start, end)]).mean(0)
    assert torch.allclose(ranked, softplus(margins[1] - margins[0]) / 3)


def test_large_logits_do_not_overflow() -> None:
    made = (logits(2) * 1e4).float()
    assert torch.isfinite(reading_loss(made, made, batch([3, 0], [0, 0]), LossWeights(shared=1.0)))


def test_whether_there_is_an_answer_is_learned_where_it_was_asked_in_vain() -> None:
    made = logits(4)
    # Contrasted: answered, and not; answered where only others were contrasted; of a file that contrasts none.
    asked = batch([3, 0, 4, 4], [0, 1, 2, 3], contrasted="yyn-")
    everywhere = reading_loss(
        made,
        made,
        replace(asked, contrasted=asked.contrasted & False, uncontrasted=asked.uncontrasted & False),
        LossWeights(answerability=1.0),
    )
    assert torch.allclose(everywhere, reading_loss(made, made, asked, LossWeights()))
    chosen = made[:, [0, 3, 4]]
    none = chosen.log_softmax(1)[:, 0]
    there = torch.stack([-torch.log1p(-none[0].exp()), -none[1], torch.zeros(()), -torch.log1p(-none[3].exp())])
    where = -chosen[:, 1:].log_softmax(1)[[0, 2, 3], [0, 1, 1]].sum()
    expected = (3 * there[:2].sum() + there[2:].sum() + where) / 4
    loss = reading_loss(made, made, asked, LossWeights(answerability=3.0))
    assert torch.allclose(loss, expected)
    loss.backward()  # type: ignore[no-untyped-call]
    assert made.grad is not None
    assert torch.allclose(made.grad[2, 0], torch.zeros((), dtype=torch.float64))
    assert made.grad[[0, 1, 3], 0].all()


def test_teachers_tell_where_an_answer_is_and_not_whether() -> None:
    made, asked = logits(2), batch([3, 0], [0, 1], contrasted="yy")
    soft = torch.tensor([[0.6, 0, 0, 0.1, 0.3, 0], [0.2, 0, 0, 0.4, 0.4, 0]], dtype=torch.float64)
    labels = reading_loss(made, made, asked, LossWeights(answerability=1.0))
    taught = reading_loss(made, made, asked, LossWeights(answerability=1.0, taught=0.3), (soft, soft))
    where = -made[0, 3:5].log_softmax(0)
    assert torch.allclose(taught - labels, 0.3 * (0.25 * where[0] + 0.75 * where[1] - where[0]) / 2)


def test_questions_of_a_context_are_compared() -> None:
    made = logits(5)
    asked = batch([3, 0, 0, 4, 0], [0, 1, 2, 3, 4], context=[7, 7, 7, 8, 8], contrasted="yyy--")
    apart = reading_loss(made, made, asked, LossWeights(ranked=0.5)) - reading_loss(made, made, asked, LossWeights())
    margins = made[:, 3:5].logsumexp(1) - made[:, 0]
    expected = (softplus(margins[1] - margins[0]) + softplus(margins[2] - margins[0])) / 2
    # Times the share of rows that have an answer and another question to be compared with.
    assert torch.allclose(apart, 0.5 * expected / 5)
    alone = batch([3, 0], [0, 1], context=[1, 2], contrasted="yy")
    assert torch.equal(
        reading_loss(made[:2], made[:2], alone, LossWeights(ranked=1.0)),
        reading_loss(made[:2], made[:2], alone, LossWeights()),
    )
