"""Train the reader: a span head on all-MiniLM-L6-v2. Resumable; its length is given in tokens, not in hours."""

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
from qa.models.model_folder import ModelFolder, hash_of
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import MAX_INPUT_TOKENS
from qa.reading.reader import Reader, ShippedReader
from qa.training.artifacts.base_model import BASE, base_model_folder, quietly, untrained_reader
from qa.training.artifacts.dequantise import load_dequantised
from qa.training.artifacts.stages import RECIPE, TEACHERS, as_written, files_of, stages, write_stages
from qa.training.data.altered_questions import altered_questions
from qa.training.data.examples import Example, forbidden_text, training_examples
from qa.training.data.features import Batch, Cut, Feature, batches, cut, features, masked, window_size
from qa.training.data.hardest import hardest
from qa.training.data.negatives import hard_negatives
from qa.training.optim import adversarial
from qa.training.optim.checkpoint import Checkpoint
from qa.training.optim.depth import deepen
from qa.training.optim.loss import LossWeights, reading_loss, span_logits
from qa.training.optim.teachers import Teachers
from qa.training.recipe import ReaderRecipe

_POOL = 64
# How many altered questions are made for each that is taken.
_ALTERED_FOR_EACH = 3
# Seconds.
_TELL_EVERY = 15
_SAVE_EVERY = 120


_Question = tuple[Feature, ...]
"""A question with each of its passages."""


@dataclass
class _Progress:
    tokens: int = 0
    steps: int = 0
    loss: float = 0.0


def check_device(name: str) -> None:
    """Refuse a device that is not there.

    Raises:
        InvalidInput: it is none, or this machine lacks it.
    """
    if name not in ("cpu", "cuda"):
        raise InvalidInput(f"{name!r} is neither cpu nor cuda", field="device")
    if name == "cuda" and not torch.cuda.is_available():
        raise InvalidInput("PyTorch finds no CUDA device on this machine", field="device")


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
    """Train from the newest checkpoint in `work`, or else from `start`, to the recipe's end.

    Args:
        data: folder of the training files.
        measured_with: SQuAD files whose contexts must not be trained on.
        work: checkpoints are kept here; the finished weights are put in `work/reader`.
        recipe: what to do.
        threads: of the processor.
        report: is told of progress in lines.
        start: an int8 reader; None for the base model.
        device: "cpu" or "cuda".
        teachers: folders of readers whose probabilities it learns from, as far as the recipe says.

    Returns:
        The folder of the finished weights, in Hugging Face layout.

    Raises:
        ModelError: the base model is missing or is not the published one, `work` holds another training, or the loss is
            no longer finite.
        DatasetError: a training file cannot be read or has wrong labels: they are named; or none are to be trained on.
        InvalidInput: there are teachers, but the recipe does not learn from any, or the other way round.
    """
    if bool(teachers) != bool(recipe.taught_share):
        raise InvalidInput("teachers and the recipe's taught_share go together", field="teacher")
    falls_for = ShippedReader(start, threads) if start else None
    warm_up, main = _examples(data, measured_with, recipe, falls_for, report)
    made = _begun(data, measured_with, work, start, recipe, teachers)
    length = recipe.tokens or round(recipe.passes * sum(map(_tokens, main)))
    torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    model = untrained_reader(recipe.dropout)
    model.bert.embeddings.word_embeddings.weight.requires_grad_(recipe.embedding_rate > 0)
    if start:
        load_dequantised(model, start.graph)
    if recipe.layers > model.config.num_hidden_layers:
        deepen(model)
    model.to(device).train()
    taught_by = Teachers(teachers, device)
    mean = AveragedModel(model)
    optimizer = _optimizer(model, recipe)
    checkpoint = Checkpoint(work / "checkpoint.pt", model, mean, optimizer)
    progress = _Progress(**checkpoint.resumed().get("progress", {}))
    if progress.steps:
        report(f"resumed at step {progress.steps}")
    began, first = time.monotonic(), progress.tokens
    told = saved = began
    for step, batch in enumerate(_schedule(warm_up, main, recipe, length)):
        if step < progress.steps:
            continue
        if progress.tokens >= length:
            break
        _set_rate(optimizer, recipe, progress, length)
        # Of dropout: the same from here on, whether the training was interrupted or not.
        torch.manual_seed(recipe.seed + step)
        loss = _step(model, optimizer, batch, recipe, taught_by)
        progress.steps += 1
        progress.tokens += int(batch.mask.sum())
        if progress.tokens > length * (1 - recipe.averaged_share):
            mean.update_parameters(model)
        progress.loss += (loss - progress.loss) * max(0.01, 1 / progress.steps)
        now = time.monotonic()
        if now - told >= _TELL_EVERY:
            told = now
            speed = (progress.tokens - first) / (now - began)
            report(
                f"step {progress.steps} tokens {progress.tokens} ({progress.tokens / length:.0%}) "
                f"loss {progress.loss:.3f} {speed:.0f} tokens/s, "
                f"{max(0, length - progress.tokens) / speed / 60:.0f} min left"
            )
        if now - saved >= _SAVE_EVERY:
            saved = now
            checkpoint.save(progress=asdict(progress))
    checkpoint.save(progress=asdict(progress))
    finished = work / "reader"
    with quietly():
        (cast(BertForQuestionAnswering, mean.module) if mean.n_averaged else model).save_pretrained(finished)
    write_stages(finished, [*made[:-1], {**made[-1], "steps": progress.steps}])
    return finished


def _begun(
    data: Path,
    measured_with: Sequence[Path],
    work: Path,
    start: ModelFolder | None,
    recipe: ReaderRecipe,
    teachers: Sequence[Path],
) -> list[dict[str, Any]]:
    """Return the stages that end with this training, and note them in `work`; what is there must be the same."""
    stage = {"start": start.identity if start else BASE, **asdict(recipe)}
    stage["data"] = [_hash(data / file) for file in files_of(as_written([stage])[0])]
    stage["measured_with"] = sorted(map(_hash, measured_with))
    before = stages(start.folder) if start else []
    stage[TEACHERS] = [[one for one in stages(folder) if one not in before] for folder in teachers]
    made = as_written([*before, stage])
    if not (work / RECIPE).exists():
        work.mkdir(parents=True, exist_ok=True)
        write_stages(work, made)
    elif stages(work) != made:
        raise ModelError(
            f"{work}: holds a training from another start, by another recipe or on other data: name another folder"
        )
    return made


def _hash(path: Path) -> str:
    return hash_of(path)[:16]


def _examples(
    data: Path, measured_with: Sequence[Path], recipe: ReaderRecipe, start: Reader | None, report: Callable[[str], None]
) -> tuple[list[_Question], list[_Question]]:
    percent = recipe.held_out_percent
    forbidden = forbidden_text(data, (*recipe.warm_up, *recipe.mixture), measured_with, percent)
    warm_up = training_examples(data, recipe.warm_up, forbidden, recipe.seed, percent)
    main = training_examples(data, recipe.mixture, forbidden, recipe.seed, percent)
    answerable = sum(example.answer is not None for example in main)
    wrong = hard_negatives(main, min(recipe.negatives, answerable // 2), recipe.seed, recipe.wrong_passages)
    groups = [(example, *wrong.get(place, ())) for place, example in enumerate(main)]
    groups += [
        (example,)
        for example in _altered(main, min(recipe.altered, int(recipe.altered_share * answerable)), recipe.seed, start)
    ]
    tokenizer = load_tokenizer(base_model_folder() / "tokenizer.json")
    made = features([(example,) for example in warm_up], tokenizer), features(groups, tokenizer)
    if not any(feature.answer for group in made[1] for feature in group):
        raise DatasetError(f"{data}: no answer to train on is left", field="data")
    passages = [example for group in groups for example in group]
    report(
        f"{len(warm_up)} short questions, then {len(groups)} with {len(passages)} passages, "
        f"{sum(example.answer is None for example in passages)} of them without an answer"
    )
    return made


def _altered(examples: Sequence[Example], count: int, seed: int, start: Reader | None) -> list[Example]:
    if start is None:
        return [altered for _, altered in altered_questions(examples, count, seed)]
    return hardest(altered_questions(examples, _ALTERED_FOR_EACH * count, seed), start, count)


def _tokens(question: _Question) -> int:
    """Return how many tokens a question costs that is seen whole."""
    return sum(min(MAX_INPUT_TOKENS, len(f.question) + len(f.context) + 3) for f in question)


def _schedule(warm_up: list[_Question], main: list[_Question], recipe: ReaderRecipe, length: int) -> Iterator[Batch]:
    """Yield batches for ever in an order that the seed alone decides: short examples once, then the mixture."""
    chooser = random.Random(recipe.seed)
    used = 0
    part = chooser.sample(warm_up, len(warm_up))
    while True:
        for i in range(0, len(part), recipe.batch * _POOL):
            whole = used >= length * (1 - recipe.whole_share)
            pool = [_cut(question, recipe, chooser, whole=whole) for question in part[i : i + recipe.batch * _POOL]]
            for batch in batches(pool, recipe.batch, chooser):
                used += int(batch.mask.sum())
                yield batch
        part = chooser.sample(main, len(main))
        if recipe.ranked_weight:
            part = _by_context(part, chooser)


def _by_context(questions: Sequence[_Question], chooser: random.Random) -> list[_Question]:
    """Return questions with those of one context together, which are compared, and contexts in random order."""
    together: dict[int, list[_Question]] = {}
    for question in questions:
        together.setdefault(id(question[0].context), []).append(question)
    groups = list(together.values())
    # Else contexts of many questions would come first: the first of many is likelier to be an early one.
    chooser.shuffle(groups)
    return [question for group in groups for question in group]


def _cut(question: _Question, recipe: ReaderRecipe, chooser: random.Random, *, whole: bool) -> list[Cut]:
    size = window_size(chooser, whole=whole)
    titled = bool(recipe.titled_share) and chooser.random() < recipe.titled_share
    made = [cut(passage, chooser, size, titled=titled) for passage in question]
    return [masked(one, recipe.masked, chooser) for one in made] if recipe.masked else made


def _optimizer(model: BertForQuestionAnswering, recipe: ReaderRecipe) -> torch.optim.AdamW:
    words = model.bert.embeddings.word_embeddings.weight
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad and p is not words]
    head = [p for name, p in trained if name.startswith("qa_outputs")]
    decayed = [p for name, p in trained if p.ndim > 1 and not name.startswith("qa_outputs")]
    plain = [p for name, p in trained if p.ndim == 1 and not name.startswith("qa_outputs")]
    groups = [
        {"params": decayed, "peak": recipe.rate, "weight_decay": recipe.weight_decay},
        {"params": plain, "peak": recipe.rate, "weight_decay": 0.0},
        {"params": head, "peak": recipe.head_rate, "weight_decay": 0.0},
    ]
    if words.requires_grad:
        # No decay: it would wear off the words that training seldom meets.
        groups.append({"params": [words], "peak": recipe.embedding_rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98), fused=True)


def _set_rate(optimizer: torch.optim.AdamW, recipe: ReaderRecipe, progress: _Progress, length: int) -> None:
    """Rise over the first steps, then fall in a straight line to zero at the last token."""
    left = max(0.0, 1 - progress.tokens / length)
    factor = min(1.0, (progress.steps + 1) / recipe.warm_up_steps) * left
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def _step(
    model: BertForQuestionAnswering,
    optimizer: torch.optim.AdamW,
    batch: Batch,
    recipe: ReaderRecipe,
    teachers: Teachers,
) -> float:
    taught = teachers.taught(batch, bfloat16=recipe.bfloat16)
    weights = LossWeights(
        shared=recipe.shared_weight,
        taught=recipe.taught_share,
        answerability=recipe.answerability_weight,
        ranked=recipe.ranked_weight,
    )

    def loss(moved: torch.Tensor | None = None) -> torch.Tensor:
        start, end = span_logits(model, batch, bfloat16=recipe.bfloat16, moved=moved)
        return reading_loss(start, end, batch, weights, taught)

    if recipe.adversarial:
        mask = torch.from_numpy(batch.mask).to(model.device)
        value = adversarial.backward(loss, (*batch.ids.shape, model.config.hidden_size), mask, recipe.adversarial)
    else:
        whole = loss()
        whole.backward()  # type: ignore[no-untyped-call]
        value = float(whole.detach())
    torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    if not math.isfinite(value):
        raise ModelError("the loss is no longer finite: lower the rate in the recipe")
    return value
