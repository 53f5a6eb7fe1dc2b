"""Train the reader: a span head on all-MiniLM-L6-v2. Resumable; its length is given in tokens, not in hours."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy
from transformers import BertForQuestionAnswering

from qa.errors import ModelError
from qa.models.shipped import ShippedModel
from qa.models.tokenization import load_tokenizer
from qa.training.base_model import BASE, base_model_folder
from qa.training.dequantised import load_dequantised
from qa.training.examples import FURTHER_MIXTURE, MIXTURE, WARM_UP, Source, forbidden_text, training_examples
from qa.training.features import Batch, Feature, batches, cut, features
from qa.training.negatives import hard_negatives
from qa.training.stages import RECIPE, as_written, stages, write_stages

_POOL = 64
_TELL_EVERY = 50
_SAVE_EVERY = 250


@dataclass(frozen=True, slots=True)
class ReaderRecipe:
    """Everything that decides the weights, besides the data."""

    tokens: int = 16_000_000
    batch: int = 32
    rate: float = 1.6e-4
    head_rate: float = 1e-3
    warm_up_steps: int = 150
    weight_decay: float = 0.01
    negatives: int = 14_000
    whole_share: float = 0.3
    # Matrix products in bfloat16: a training step takes little over half the time where the processor has them.
    bfloat16: bool = True
    warm_up: tuple[Source, ...] = WARM_UP
    mixture: tuple[Source, ...] = MIXTURE
    seed: int = 1


# For a reader that has been trained: no short examples, more of what is like a query through an index.
FURTHER = ReaderRecipe(
    tokens=11_500_000,
    rate=1.3e-4,
    head_rate=3e-4,
    warm_up_steps=100,
    negatives=20_000,
    whole_share=0.4,
    warm_up=(),
    mixture=FURTHER_MIXTURE,
    seed=2,
)


@dataclass
class _Progress:
    tokens: int = 0
    steps: int = 0
    loss: float = 0.0


def train_reader(
    data: Path,
    measured_with: Sequence[Path],
    work: Path,
    recipe: ReaderRecipe,
    threads: int,
    report: Callable[[str], None],
    start: ShippedModel | None = None,
) -> Path:
    """Train from the newest checkpoint in `work`, or else from `start`, until the recipe's tokens are used.

    Args:
        data: folder of the training files.
        measured_with: SQuAD files whose contexts must not be trained on.
        work: checkpoints are kept here; the finished weights are put in `work/reader`.
        recipe: what to do.
        threads: of the processor.
        report: is told of progress in lines.
        start: an int8 reader; None for the base model.

    Returns:
        The folder of the finished weights, in Hugging Face layout.

    Raises:
        ModelError: the base model is missing or is not the published one, or `work` holds another training.
        DatasetError: a training file cannot be read.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    base = base_model_folder()
    model = BertForQuestionAnswering.from_pretrained(
        base, attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    if start:
        load_dequantised(model, start.graph)
    optimizer = _optimizer(model, recipe)
    made = _begun(work, start, recipe)
    checkpoint = work / "checkpoint.pt"
    progress = _Progress()
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        progress = _Progress(**state["progress"])
        report(f"resumed at step {progress.steps}")
    warm_up, main = _examples(data, measured_with, recipe, load_tokenizer(base / "tokenizer.json"), report)
    model.train()
    began, first = time.monotonic(), progress.tokens
    for step, batch in enumerate(_schedule(warm_up, main, recipe)):
        if step < progress.steps:
            continue
        if progress.tokens >= recipe.tokens:
            break
        _set_rate(optimizer, recipe, progress)
        loss = _step(model, optimizer, batch, recipe)
        progress.steps += 1
        progress.tokens += int(batch.mask.sum())
        progress.loss += (loss - progress.loss) * max(0.01, 1 / progress.steps)
        if progress.steps % _TELL_EVERY == 0:
            speed = (progress.tokens - first) / (time.monotonic() - began)
            report(f"step {progress.steps} tokens {progress.tokens} loss {progress.loss:.3f} {speed:.0f} tokens/s")
        if progress.steps % _SAVE_EVERY == 0:
            _save(checkpoint, model, optimizer, progress)
    _save(checkpoint, model, optimizer, progress)
    finished = work / "reader"
    model.save_pretrained(finished)
    write_stages(finished, [*made[:-1], {**made[-1], "steps": progress.steps}])
    return finished


def _begun(work: Path, start: ShippedModel | None, recipe: ReaderRecipe) -> list[dict[str, Any]]:
    """Return the stages that end with this training, and note them in `work`; what is there must be the same."""
    stage = {"start": start.identity if start else BASE, **asdict(recipe)}
    made = as_written([*(stages(start.folder) if start else ()), stage])
    if not (work / RECIPE).exists():
        work.mkdir(parents=True, exist_ok=True)
        write_stages(work, made)
    elif stages(work) != made:
        raise ModelError(f"{work}: holds a training from another start or by another recipe: name another folder")
    return made


def _examples(
    data: Path, measured_with: Sequence[Path], recipe: ReaderRecipe, tokenizer: Tokenizer, report: Callable[[str], None]
) -> tuple[list[Feature], list[Feature]]:
    forbidden = forbidden_text(data, (*recipe.warm_up, *recipe.mixture), measured_with)
    warm_up = training_examples(data, recipe.warm_up, forbidden, recipe.seed)
    main = training_examples(data, recipe.mixture, forbidden, recipe.seed)
    main += hard_negatives(main, recipe.negatives, recipe.seed)
    unanswerable = sum(example.answer is None for example in main)
    report(f"{len(warm_up)} short examples, then {len(main)}, {unanswerable} of them without an answer")
    return features(warm_up, tokenizer), features(main, tokenizer)


def _schedule(warm_up: list[Feature], main: list[Feature], recipe: ReaderRecipe) -> Iterator[Batch]:
    """Yield batches for ever in an order that the seed alone decides: short examples once, then the mixture."""
    chooser = random.Random(recipe.seed)
    used = 0
    part = chooser.sample(warm_up, len(warm_up))
    while True:
        for i in range(0, len(part), recipe.batch * _POOL):
            whole = used > recipe.tokens * (1 - recipe.whole_share)
            pool = [cut(feature, chooser, whole=whole) for feature in part[i : i + recipe.batch * _POOL]]
            for batch in batches(pool, recipe.batch, chooser):
                used += int(batch.mask.sum())
                yield batch
        part = chooser.sample(main, len(main))


def _optimizer(model: BertForQuestionAnswering, recipe: ReaderRecipe) -> torch.optim.AdamW:
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    head = [p for name, p in trained if name.startswith("qa_outputs")]
    decayed = [p for name, p in trained if p.ndim > 1 and not name.startswith("qa_outputs")]
    plain = [p for name, p in trained if p.ndim == 1 and not name.startswith("qa_outputs")]
    groups = [
        {"params": decayed, "peak": recipe.rate, "weight_decay": recipe.weight_decay},
        {"params": plain, "peak": recipe.rate, "weight_decay": 0.0},
        {"params": head, "peak": recipe.head_rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98), fused=True)


def _set_rate(optimizer: torch.optim.AdamW, recipe: ReaderRecipe, progress: _Progress) -> None:
    """Rise over the first steps, then fall in a straight line to zero at the last token."""
    left = max(0.0, 1 - progress.tokens / recipe.tokens)
    factor = min(1.0, (progress.steps + 1) / recipe.warm_up_steps) * left
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def _step(model: BertForQuestionAnswering, optimizer: torch.optim.AdamW, batch: Batch, recipe: ReaderRecipe) -> float:
    with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
        logits = model(
            input_ids=torch.from_numpy(batch.ids),
            attention_mask=torch.from_numpy(batch.mask),
            token_type_ids=torch.from_numpy(batch.types),
        )
    loss = (
        cross_entropy(logits.start_logits.float(), torch.from_numpy(batch.start))
        + cross_entropy(logits.end_logits.float(), torch.from_numpy(batch.end))
    ) / 2
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise FloatingPointError("the loss is not finite")
    return value


def _save(path: Path, model: BertForQuestionAnswering, optimizer: torch.optim.AdamW, progress: _Progress) -> None:
    aside = path.with_suffix(".new")
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "progress": asdict(progress)}
    torch.save(state, aside)
    aside.replace(path)
