"""Training loop of the reader: a span head on all-MiniLM-L6-v2, resumable from a checkpoint."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch.optim.swa_utils import AveragedModel
from transformers import BertForQuestionAnswering

from qa.errors import DatasetError, InvalidInput, ModelError
from qa.models.model_folder import ModelFolder, sha256_of
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import MAX_INPUT_TOKENS
from qa.reading.reader import OpenVINOReader, Reader
from qa.training.artifacts.base_model import BASE, base_model_folder, silence_transformers, untrained_reader
from qa.training.artifacts.dequantise import load_dequantised
from qa.training.artifacts.stages import RECIPE, TEACHERS, load_stages, round_trip, source_files, write_stages
from qa.training.data.altered_questions import alter_questions
from qa.training.data.examples import Example, load_excluded_text, load_training_examples
from qa.training.data.features import (
    Batch,
    Feature,
    TrainingInput,
    choose_window_size,
    make_batches,
    make_input,
    mask_tokens,
    tokenize_examples,
)
from qa.training.data.hardest import select_hardest
from qa.training.data.negatives import mine_hard_negatives
from qa.training.optim import adversarial
from qa.training.optim.checkpoint import Checkpoint
from qa.training.optim.depth import deepen
from qa.training.optim.loss import LossWeights, reading_loss, span_logits
from qa.training.optim.teachers import Teachers
from qa.training.recipe import ReaderRecipe

# Batches whose questions are sorted by length together.
_POOL = 64
# Altered questions to generate for each one that is kept.
_CANDIDATES_PER_ALTERED = 3
# Seconds between two progress reports and between two checkpoints.
_REPORT_SECONDS = 15
_SAVE_SECONDS = 120

_Question = tuple[Feature, ...]
"""The features of a question, one for each of its passages."""


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
    start: ModelFolder | None = None,
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
        start: int8 reader to start from; None for the base model.
        device: "cpu" or "cuda".
        teachers: folders of readers to learn from.

    Returns:
        Folder of the finished weights, in Hugging Face layout.

    Raises:
        ModelError: the base model is missing or altered, `work` belongs to another training, or the loss is not finite.
        DatasetError: a training file cannot be read or has wrong labels, or nothing is left to train on.
        InvalidInput: there are teachers but the recipe does not use them, or the recipe uses teachers and there are
            none.
    """
    if bool(teachers) != bool(recipe.taught_share):
        raise InvalidInput("give teachers if, and only if, the recipe's taught_share is above 0", field="teacher")
    start_reader = OpenVINOReader(start, threads) if start else None
    warm_up, main = _load_questions(data, measured_with, recipe, start_reader, report)
    stages = _prepare_work_folder(data, measured_with, work, start, recipe, teachers)
    length = recipe.tokens or round(recipe.passes * sum(map(_count_tokens, main)))
    torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    model = untrained_reader(recipe.dropout)
    model.bert.embeddings.word_embeddings.weight.requires_grad_(recipe.embedding_rate > 0)
    if start:
        load_dequantised(model, start.graph)
    if recipe.layers > model.config.num_hidden_layers:
        deepen(model)
    model.to(device).train()
    teacher = Teachers(teachers, device)
    mean = AveragedModel(model)
    optimizer = _make_optimizer(model, recipe)
    checkpoint = Checkpoint(work / "checkpoint.pt", model, mean, optimizer)
    progress = _Progress(**checkpoint.restore().get("progress", {}))
    if progress.steps:
        report(f"resumed at step {progress.steps}")
    started, first_token = time.monotonic(), progress.tokens
    reported = saved = started
    for step, batch in enumerate(_schedule(warm_up, main, recipe, length)):
        if step < progress.steps:
            continue
        if progress.tokens >= length:
            break
        _set_rates(optimizer, recipe, progress, length)
        # Dropout depends on the step alone, so a resumed training ends with the same weights.
        torch.manual_seed(recipe.seed + step)
        loss = _step(model, optimizer, batch, recipe, teacher)
        progress.steps += 1
        progress.tokens += int(batch.mask.sum())
        if progress.tokens > length * (1 - recipe.averaged_share):
            mean.update_parameters(model)
        progress.loss += (loss - progress.loss) * max(0.01, 1 / progress.steps)
        now = time.monotonic()
        if now - reported >= _REPORT_SECONDS:
            reported = now
            speed = (progress.tokens - first_token) / (now - started)
            report(
                f"step {progress.steps} tokens {progress.tokens} ({progress.tokens / length:.0%}) "
                f"loss {progress.loss:.3f} {speed:.0f} tokens/s, "
                f"{max(0, length - progress.tokens) / speed / 60:.0f} min left"
            )
        if now - saved >= _SAVE_SECONDS:
            saved = now
            checkpoint.save(progress=asdict(progress))
    checkpoint.save(progress=asdict(progress))
    output = work / "reader"
    with silence_transformers():
        (cast(BertForQuestionAnswering, mean.module) if mean.n_averaged else model).save_pretrained(output)
    write_stages(output, [*stages[:-1], {**stages[-1], "steps": progress.steps}])
    return output


def _prepare_work_folder(
    data: Path,
    measured_with: Sequence[Path],
    work: Path,
    start: ModelFolder | None,
    recipe: ReaderRecipe,
    teachers: Sequence[Path],
) -> list[dict[str, Any]]:
    """Return the training stages up to this training; write them to `work`, or compare them with those in it."""
    stage = {"start": start.identity if start else BASE, **asdict(recipe)}
    stage["data"] = [_short_hash(data / file) for file in source_files(round_trip([stage])[0])]
    stage["measured_with"] = sorted(map(_short_hash, measured_with))
    earlier = load_stages(start.folder) if start else []
    stage[TEACHERS] = [
        [teacher_stage for teacher_stage in load_stages(folder) if teacher_stage not in earlier] for folder in teachers
    ]
    stages = round_trip([*earlier, stage])
    if not (work / RECIPE).exists():
        work.mkdir(parents=True, exist_ok=True)
        write_stages(work, stages)
    elif load_stages(work) != stages:
        raise ModelError(f"{work}: belongs to a training with another start, recipe or data; use another folder")
    return stages


def _short_hash(path: Path) -> str:
    return sha256_of(path)[:16]


def _load_questions(
    data: Path, measured_with: Sequence[Path], recipe: ReaderRecipe, start: Reader | None, report: Callable[[str], None]
) -> tuple[list[_Question], list[_Question]]:
    """Return the questions of the warm-up files and those of the mixture, with their hard negatives."""
    percent = recipe.held_out_percent
    excluded = load_excluded_text(data, (*recipe.warm_up, *recipe.mixture), measured_with, percent)
    warm_up = load_training_examples(data, recipe.warm_up, excluded, recipe.seed, percent)
    main = load_training_examples(data, recipe.mixture, excluded, recipe.seed, percent)
    answerable = sum(example.answer is not None for example in main)
    negatives = mine_hard_negatives(main, min(recipe.negatives, answerable // 2), recipe.seed, recipe.wrong_passages)
    groups = [(example, *negatives.get(index, ())) for index, example in enumerate(main)]
    altered_count = min(recipe.altered, int(recipe.altered_share * answerable))
    groups += [(example,) for example in _select_altered(main, altered_count, recipe.seed, start)]
    tokenizer = load_tokenizer(base_model_folder() / "tokenizer.json")
    warm_up_features = tokenize_examples([(example,) for example in warm_up], tokenizer)
    main_features = tokenize_examples(groups, tokenizer)
    if not any(feature.answer for group in main_features for feature in group):
        raise DatasetError(f"{data}: no answerable question is left to train on", field="data")
    passages = [example for group in groups for example in group]
    report(
        f"{len(warm_up)} short questions, then {len(groups)} with {len(passages)} passages, "
        f"{sum(example.answer is None for example in passages)} of them without an answer"
    )
    return warm_up_features, main_features


def _select_altered(examples: Sequence[Example], count: int, seed: int, start: Reader | None) -> list[Example]:
    if start is None:
        return [altered for _, altered in alter_questions(examples, count, seed)]
    return select_hardest(alter_questions(examples, _CANDIDATES_PER_ALTERED * count, seed), start, count)


def _count_tokens(question: _Question) -> int:
    """Return the number of input tokens of a question with whole passages."""
    return sum(min(MAX_INPUT_TOKENS, len(f.question) + len(f.context) + 3) for f in question)


def _schedule(warm_up: list[_Question], main: list[_Question], recipe: ReaderRecipe, length: int) -> Iterator[Batch]:
    """Yield batches without end: the warm-up once, then the mixture. The seed alone decides their order."""
    chooser = random.Random(recipe.seed)
    used = 0
    part = chooser.sample(warm_up, len(warm_up))
    while True:
        for i in range(0, len(part), recipe.batch * _POOL):
            whole = used >= length * (1 - recipe.whole_share)
            questions = part[i : i + recipe.batch * _POOL]
            pool = [_make_inputs(question, recipe, chooser, whole=whole) for question in questions]
            for batch in make_batches(pool, recipe.batch, chooser):
                used += int(batch.mask.sum())
                yield batch
        part = chooser.sample(main, len(main))
        if recipe.ranked_weight:
            part = _group_by_context(part, chooser)


def _group_by_context(questions: Sequence[_Question], chooser: random.Random) -> list[_Question]:
    """Return the questions grouped by context, with the contexts in random order."""
    by_context: dict[int, list[_Question]] = {}
    for question in questions:
        by_context.setdefault(id(question[0].context), []).append(question)
    groups = list(by_context.values())
    # Without a shuffle, contexts with many questions would come first: one of their questions is likely to be early.
    chooser.shuffle(groups)
    return [question for group in groups for question in group]


def _make_inputs(
    question: _Question, recipe: ReaderRecipe, chooser: random.Random, *, whole: bool
) -> list[TrainingInput]:
    size = choose_window_size(chooser, whole=whole)
    titled = bool(recipe.titled_share) and chooser.random() < recipe.titled_share
    inputs = [make_input(passage, chooser, size, titled=titled) for passage in question]
    return [mask_tokens(passage, recipe.masked, chooser) for passage in inputs] if recipe.masked else inputs


def _make_optimizer(model: BertForQuestionAnswering, recipe: ReaderRecipe) -> torch.optim.AdamW:
    words = model.bert.embeddings.word_embeddings.weight
    trainable = [(name, p) for name, p in model.named_parameters() if p.requires_grad and p is not words]
    head = [p for name, p in trainable if name.startswith("qa_outputs")]
    matrices = [p for name, p in trainable if p.ndim > 1 and not name.startswith("qa_outputs")]
    vectors = [p for name, p in trainable if p.ndim == 1 and not name.startswith("qa_outputs")]
    groups = [
        {"params": matrices, "peak": recipe.rate, "weight_decay": recipe.weight_decay},
        {"params": vectors, "peak": recipe.rate, "weight_decay": 0.0},
        {"params": head, "peak": recipe.head_rate, "weight_decay": 0.0},
    ]
    if words.requires_grad:
        # No weight decay: it would shrink the embeddings of rare words.
        groups.append({"params": [words], "peak": recipe.embedding_rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98), fused=True)


def _set_rates(optimizer: torch.optim.AdamW, recipe: ReaderRecipe, progress: _Progress, length: int) -> None:
    """Set the learning rates: a linear warm-up, multiplied by a linear decay to zero at the last token."""
    remaining = max(0.0, 1 - progress.tokens / length)
    factor = min(1.0, (progress.steps + 1) / recipe.warm_up_steps) * remaining
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def _step(
    model: BertForQuestionAnswering,
    optimizer: torch.optim.AdamW,
    batch: Batch,
    recipe: ReaderRecipe,
    teachers: Teachers,
) -> float:
    soft_targets = teachers.predict(batch, bfloat16=recipe.bfloat16)
    weights = LossWeights(
        shared=recipe.shared_weight,
        taught=recipe.taught_share,
        answerability=recipe.answerability_weight,
        ranked=recipe.ranked_weight,
    )

    def compute_loss(perturbation: torch.Tensor | None = None) -> torch.Tensor:
        start, end = span_logits(model, batch, bfloat16=recipe.bfloat16, perturbation=perturbation)
        return reading_loss(start, end, batch, weights, soft_targets)

    if recipe.adversarial:
        mask = torch.from_numpy(batch.mask).to(model.device)
        shape = (*batch.ids.shape, model.config.hidden_size)
        value = adversarial.backward(compute_loss, shape, mask, recipe.adversarial)
    else:
        loss = compute_loss()
        loss.backward()  # type: ignore[no-untyped-call]
        value = float(loss.detach())
    torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    if not math.isfinite(value):
        raise ModelError("the loss is not finite; lower the learning rates of the recipe")
    return value
