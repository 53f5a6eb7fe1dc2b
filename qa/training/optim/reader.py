"""Training loop of the reader, resumable from a checkpoint."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

import torch
from tokenizers import Tokenizer
from torch.optim.swa_utils import AveragedModel

from qa.errors import DatasetError, InvalidInput, ModelError
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import MAX_INPUT_TOKENS
from qa.training.artifacts.reader_network import TOKENIZER_FILE, ReaderNetwork, save_network
from qa.training.artifacts.stages import write_stages
from qa.training.data.features import Batch, QuestionFeatures, make_batches, make_inputs, tokenize_questions
from qa.training.data.reader_questions import load_questions
from qa.training.optim.checkpoint import Checkpoint
from qa.training.optim.loss import Losses, LossWeights, compute_logits, reading_losses, total_loss
from qa.training.optim.start import Start, claim_work_folder
from qa.training.optim.teachers import add_teachers
from qa.training.recipe import ReaderRecipe

# Batches whose questions are sorted by length together.
_POOL = 48
# Seconds between two progress reports and between two checkpoints.
_REPORT_SECONDS = 15
_SAVE_SECONDS = 120


@dataclass
class _Progress:
    tokens: int = 0
    steps: int = 0
    losses: list[float] = field(default_factory=lambda: [0.0] * len(Losses._fields))


def train_reader(
    data: Path,
    measured_with: Sequence[Path],
    work: Path,
    recipe: ReaderRecipe,
    threads: int,
    report: Callable[[str], None],
    start: Start,
    device: str = "cpu",
    teachers: Sequence[Path] = (),
) -> Path:
    """Train a reader to the end of the recipe, from the checkpoint in `work` if there is one.

    Args:
        data: folder of the training files.
        measured_with: SQuAD files of the evaluation sets; their contexts are not trained on.
        work: folder of the checkpoint; the finished weights are written to `work/reader`.
        recipe: settings of the training.
        threads: number of CPU threads.
        report: called with each line of progress.
        start: the base model or the reader to start from.
        device: "cpu" or "cuda".
        teachers: folders of int8 readers to learn from.

    Returns:
        Folder of the finished weights.

    Raises:
        ModelError: the start or a teacher cannot be loaded, `work` belongs to another training, or the loss is not
            finite.
        DatasetError: a training file cannot be read or has wrong labels, or nothing is left to train on.
        InvalidInput: there are teachers but the recipe's `taught_share` is 0.
    """
    if teachers and not recipe.taught_share:
        raise InvalidInput("the recipe's taught_share is 0; leave the teachers out", field="teacher")
    torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    model = start.load()
    tokenizer_file = start.folder / TOKENIZER_FILE
    tokenizer = load_tokenizer(tokenizer_file)
    questions = _load_features(data, measured_with, recipe, tokenizer, report)
    stages = claim_work_folder(work, start, recipe, data, measured_with, teachers)
    questions = add_teachers(questions, teachers, tokenizer, threads, work / "taught.npz")
    length = recipe.tokens or round(recipe.passes * sum(map(_count_tokens, questions)))
    model.bert.embeddings.requires_grad_(False)
    model.to(device).train()
    mean = AveragedModel(model)
    optimizer = _make_optimizer(model, recipe)
    checkpoint = Checkpoint(work / "checkpoint.pt", model, mean, optimizer)
    progress = _Progress(**checkpoint.restore().get("progress", {}))
    if progress.steps:
        report(f"resumed at step {progress.steps}")
    started, first_token = time.monotonic(), progress.tokens
    reported = saved = started
    for step, batch in enumerate(_schedule(questions, tokenizer, recipe)):
        if step < progress.steps:
            continue
        if progress.tokens >= length:
            break
        _set_rate(optimizer, recipe, progress, length)
        losses = _step(model, optimizer, batch, recipe)
        progress.steps += 1
        progress.tokens += int(batch.mask.sum())
        if progress.tokens > length * (1 - recipe.averaged_share):
            mean.update_parameters(model)
        share = max(0.02, 1 / progress.steps)
        progress.losses = [old + (new - old) * share for old, new in zip(progress.losses, losses, strict=True)]
        now = time.monotonic()
        if now - reported >= _REPORT_SECONDS:
            reported = now
            report(_describe(progress, length, (progress.tokens - first_token) / (now - started)))
        if now - saved >= _SAVE_SECONDS:
            saved = now
            checkpoint.save(progress=asdict(progress))
    checkpoint.save(progress=asdict(progress))
    output = work / "reader"
    save_network(cast(ReaderNetwork, mean.module) if mean.n_averaged else model, tokenizer_file, output)
    write_stages(output, [*stages[:-1], {**stages[-1], "steps": progress.steps}])
    return output


def _load_features(
    data: Path,
    measured_with: Sequence[Path],
    recipe: ReaderRecipe,
    tokenizer: Tokenizer,
    report: Callable[[str], None],
) -> list[QuestionFeatures]:
    questions = load_questions(data, recipe.mixture, measured_with, tokenizer, recipe.sampling)
    features = tokenize_questions(questions, tokenizer)
    passages = [feature for question in features for feature in question.passages]
    if not any(feature.answers for feature in passages):
        raise DatasetError(f"{data}: no answerable question is left to train on", field="data")
    report(
        f"{len(features)} questions with {len(passages)} passages, "
        f"{sum(feature.answers == () for feature in passages)} of them without an answer"
    )
    return features


def _count_tokens(question: QuestionFeatures) -> int:
    """Return about the number of input tokens of a question with its passages."""
    # A token has about five characters.
    words = len(question.text) // 5
    return sum(min(MAX_INPUT_TOKENS, words + len(f.titles) + len(f.tokens.ids) + 3) for f in question.passages)


def _schedule(questions: list[QuestionFeatures], tokenizer: Tokenizer, recipe: ReaderRecipe) -> Iterator[Batch]:
    """Yield batches without end; the seed alone decides them, so a resumed training skips those that are done."""
    chooser = random.Random(recipe.seed)
    while True:
        order = chooser.sample(questions, len(questions))
        for i in range(0, len(order), recipe.batch * _POOL):
            pool = [make_inputs(question, tokenizer, chooser) for question in order[i : i + recipe.batch * _POOL]]
            yield from make_batches(pool, recipe.batch, chooser)


def _make_optimizer(model: ReaderNetwork, recipe: ReaderRecipe) -> torch.optim.AdamW:
    trainable = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trainable if p.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98), fused=True)


def _set_rate(optimizer: torch.optim.AdamW, recipe: ReaderRecipe, progress: _Progress, length: int) -> None:
    """Set the learning rate: a linear warm-up, multiplied by a linear decay to zero at the last token."""
    remaining = max(0.0, 1 - progress.tokens / length)
    for group in optimizer.param_groups:
        group["lr"] = recipe.rate * min(1.0, (progress.steps + 1) / recipe.warm_up_steps) * remaining


def _step(model: ReaderNetwork, optimizer: torch.optim.AdamW, batch: Batch, recipe: ReaderRecipe) -> list[float]:
    """Update the weights once; return the parts of the loss."""
    losses = reading_losses(compute_logits(model, batch, bfloat16=recipe.bfloat16), batch, recipe.taught_share)
    loss = total_loss(losses, LossWeights(recipe.shared_weight, recipe.evidence_weight))
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    if not math.isfinite(float(loss.detach())):
        raise ModelError("the loss is not finite; lower the learning rate of the recipe")
    return [float(part.detach()) for part in losses]


def _describe(progress: _Progress, length: int, speed: float) -> str:
    losses = ", ".join(f"{name} {loss:.3f}" for name, loss in zip(Losses._fields, progress.losses, strict=True))
    return (
        f"step {progress.steps} tokens {progress.tokens} ({progress.tokens / length:.0%}) losses: {losses}; "
        f"{speed:.0f} tokens/s, {max(0, length - progress.tokens) / speed / 60:.0f} min left"
    )
