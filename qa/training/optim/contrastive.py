"""Contrastive fine-tuning of the embedder, resumable from a checkpoint."""

# The trainer of sentence-transformers is not used, because the figures would differ: its loss cannot weight the reverse
# direction, it averages no weights, and a resumed run draws other random windows. It also needs datasets, pandas and
# pyarrow.

from __future__ import annotations

import hashlib
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel

from qa.errors import DatasetError, ModelError
from qa.models.embedder import MAX_TOKENS
from qa.models.model_folder import sha256_of
from qa.models.tokenization import CLS, SEP, load_tokenizer
from qa.training.artifacts.base_model import base_model_folder
from qa.training.artifacts.dequantise import load_float_embedder
from qa.training.artifacts.pooled_encoder import PooledEncoder
from qa.training.data.context_features import ContextFeature, choose_window, tokenize_examples
from qa.training.data.examples import Example, load_excluded_text, load_training_examples
from qa.training.data.negatives import CANDIDATES, mine_hard_negatives
from qa.training.optim.checkpoint import Checkpoint
from qa.training.recipe import EmbedderRecipe

# Seconds between two progress reports and between two checkpoints.
_REPORT_SECONDS = 15
_SAVE_SECONDS = 300
_SHORT_WINDOW_TOKENS = (30, 144)
# Texts that are padded to one length, and questions whose passages are ranked together.
_TEXTS_PER_FORWARD, _QUESTIONS_RANKED = 32, 1024

_Tokens = list[int]
_Pair = tuple[ContextFeature, ContextFeature]
"""A question with the passage that answers it, and with its hard negative."""


def train_embedder(
    data: Path,
    measured_with: Sequence[Path],
    work: Path,
    recipe: EmbedderRecipe,
    report: Callable[[str], None],
    device: str = "cpu",
    origin: Path | None = None,
) -> PooledEncoder:
    """Fine-tune an embedder to the end of the recipe, from the checkpoint in `work` if there is one.

    The embedding of a question must be more similar to the passage that answers it than to its hard negative and to all
    other passages of the batch.

    Args:
        data: folder of the training files.
        measured_with: SQuAD files of the evaluation sets; their contexts are not trained on.
        work: folder of the checkpoint.
        recipe: settings of the training.
        report: called with each line of progress.
        device: "cpu" or "cuda".
        origin: folder of the embedder to start from; None for the published one.

    Returns:
        The weighted mean of the starting and the trained weights, by the recipe's `kept_share`.

    Raises:
        DatasetError: a training file cannot be read, or there are too few texts for a batch.
        ModelError: an embedder cannot be loaded, the base model is missing or altered, `work` belongs to another
            training, or the loss is not finite.
    """
    encoder = load_float_embedder(origin or base_model_folder(), recipe.dropout, recipe.attention_dropout).to(device)
    pairs = _load_pairs(data, measured_with, recipe, encoder, report)
    identity = _identity(data, measured_with, recipe, encoder)
    if len(_next_batch(pairs, recipe.batch)[0]) < recipe.batch:
        raise DatasetError(f"{data}: too few texts for a batch of {recipe.batch} questions", field="data")
    steps = max(1, int(recipe.passes * len(pairs) / recipe.batch))
    report(f"{len(pairs)} questions, {steps} steps")
    start_weights = {name: value.clone() for name, value in encoder.state_dict().items()}
    torch.manual_seed(recipe.seed)
    encoder.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    encoder.train()
    mean = AveragedModel(encoder)
    trainable = [p for p in encoder.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trainable if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
    checkpoint = Checkpoint(work / "checkpoint.pt", encoder, mean, optimizer)
    state = checkpoint.restore()
    if state and state.get("identity") != identity:
        raise ModelError(f"{work}: belongs to a training with another start, recipe or data; use another folder")
    done = int(state.get("steps", 0))
    if done:
        report(f"resumed at step {done}")
    started = reported = saved = time.monotonic()
    for step, batch in enumerate(_schedule(pairs, recipe)):
        if step < done:
            continue
        if step >= steps:
            break
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * min(1.0, (step + 1) / recipe.warm_up_steps) * (1 - step / steps)
        torch.manual_seed(recipe.seed + step)
        loss = _step(encoder, optimizer, batch, recipe)
        if step >= steps * (1 - recipe.averaged_share):
            mean.update_parameters(encoder)
        now = time.monotonic()
        if now - reported >= _REPORT_SECONDS:
            reported = now
            minutes = (now - started) / (step + 1 - done) * (steps - step - 1) / 60
            report(f"step {step + 1} of {steps}, loss {loss:.3f}, {minutes:.0f} min left")
        if now - saved >= _SAVE_SECONDS:
            saved = now
            checkpoint.save(steps=step + 1, identity=identity)
    checkpoint.save(steps=max(done, steps), identity=identity)
    trained = (mean.module if mean.n_averaged else encoder).state_dict()
    kept = recipe.kept_share
    encoder.load_state_dict({name: kept * value + (1 - kept) * trained[name] for name, value in start_weights.items()})
    return encoder.to("cpu").eval()


def _identity(data: Path, measured_with: Sequence[Path], recipe: EmbedderRecipe, encoder: PooledEncoder) -> str:
    files = [data / source.file for source in recipe.sources]
    weights = hashlib.sha256()
    for value in encoder.state_dict().values():
        weights.update(value.cpu().numpy().tobytes())
    inputs = {"data": [sha256_of(file) for file in files], "measured_with": sorted(map(sha256_of, measured_with))}
    return json.dumps({**asdict(recipe), **inputs, "start": weights.hexdigest()})


def _load_pairs(
    data: Path,
    measured_with: Sequence[Path],
    recipe: EmbedderRecipe,
    encoder: PooledEncoder,
    report: Callable[[str], None],
) -> list[_Pair]:
    excluded = load_excluded_text(data, recipe.sources, measured_with)
    examples = load_training_examples(data, recipe.sources, excluded, recipe.seed)
    examples = [example for example in examples if example.answer is not None]
    tokenizer = load_tokenizer(base_model_folder() / "tokenizer.json")
    negatives = mine_hard_negatives(examples, len(examples), recipe.seed)
    if mined := int(recipe.mined_share * len(examples)):
        report(f"ranking passages with the embedder to find hard negatives for {mined} questions")
        rank = partial(_rank_by_cosine, encoder, tokenizer, recipe)
        negatives |= mine_hard_negatives(examples, mined, recipe.seed, rank=rank)
    chooser = random.Random(recipe.seed)
    # A question without a hard negative gets a random passage.
    random_negatives = [Example(example.question, chooser.choice(examples).context, None) for example in examples]
    groups = [
        (example, *(negatives.get(index) or [random_negatives[index]]))
        for index, example in enumerate(examples)
        if index in negatives or random_negatives[index].context != example.context
    ]
    return [(positive, negative) for positive, negative in tokenize_examples(groups, tokenizer)]


@torch.no_grad()
def _rank_by_cosine(
    encoder: PooledEncoder,
    tokenizer: Tokenizer,
    recipe: EmbedderRecipe,
    questions: Sequence[str],
    contexts: Sequence[str],
) -> Iterator[list[int]]:
    """Yield for each question the indices of the contexts with the highest cosine similarity, best first."""

    def embed(texts: Sequence[str]) -> Tensor:
        encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return _embed(encoder, [[CLS, *e.ids[: MAX_TOKENS - 2], SEP] for e in encodings], recipe)

    encoder.eval()
    passages = embed(contexts)
    for first in range(0, len(questions), _QUESTIONS_RANKED):
        cosines = embed(questions[first : first + _QUESTIONS_RANKED]) @ passages.T
        yield from cosines.topk(min(CANDIDATES, len(contexts))).indices.tolist()


def _schedule(pairs: Sequence[_Pair], recipe: EmbedderRecipe) -> Iterator[tuple[list[_Tokens], list[_Tokens]]]:
    """Yield the questions and the passages of each batch: the positives in the questions' order, then the negatives.

    The seed alone decides the batches, so a resumed training skips those that are done and continues in mid-pass.
    """
    chooser = random.Random(recipe.seed)
    while True:
        remaining = chooser.sample(pairs, len(pairs))
        while True:
            batch, remaining = _next_batch(remaining, recipe.batch)
            if len(batch) < recipe.batch:
                break
            passages = [_make_passage(pair[side], recipe, chooser) for side in (0, 1) for pair in batch]
            yield [[CLS, *positive.question, SEP] for positive, _ in batch], passages


def _next_batch(pairs: Sequence[_Pair], size: int) -> tuple[list[_Pair], list[_Pair]]:
    """Return a batch and the remaining pairs.

    No context occurs twice in a batch: a passage that answers a question is never one of its negatives.
    """
    batch: list[_Pair] = []
    remaining: list[_Pair] = []
    seen: set[int] = set()
    for pair in pairs:
        contexts = {id(feature.context) for feature in pair}
        if len(batch) < size and seen.isdisjoint(contexts):
            batch.append(pair)
            seen |= contexts
        else:
            remaining.append(pair)
    return batch, remaining


def _make_passage(feature: ContextFeature, recipe: EmbedderRecipe, chooser: random.Random) -> _Tokens:
    """Return the token ids of a passage: whole or a window that contains the answer, with or without its title."""
    title = feature.title if chooser.random() < recipe.titled_share else ()
    room = MAX_TOKENS - 2 - len(title)
    size = chooser.randint(*_SHORT_WINDOW_TOKENS) if chooser.random() < recipe.short_share else room
    first, size = choose_window(feature, chooser, room, size)
    return [CLS, *title, *feature.context[first : first + size].tolist(), SEP]


def _step(
    encoder: PooledEncoder,
    optimizer: torch.optim.AdamW,
    batch: tuple[list[_Tokens], list[_Tokens]],
    recipe: EmbedderRecipe,
) -> float:
    questions, passages = (_embed(encoder, texts, recipe) for texts in batch)
    cosines = recipe.scale * questions @ passages.T
    target = torch.arange(len(questions), device=cosines.device)
    loss = cross_entropy(cosines, target) + recipe.back_weight * cross_entropy(cosines[:, : len(target)].T, target)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_([p for p in encoder.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise ModelError("the loss is not finite; lower the learning rate of the recipe")
    return value


def _embed(encoder: PooledEncoder, texts: Sequence[_Tokens], recipe: EmbedderRecipe) -> Tensor:
    """Return unit vectors of shape (texts, dimension); texts of similar length run together to reduce padding."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    parts = np.array_split(order, -(-len(order) // _TEXTS_PER_FORWARD))
    with torch.autocast(encoder.encoder.device.type, torch.bfloat16, enabled=recipe.bfloat16):
        vectors = [_run_encoder(encoder, [texts[index] for index in part]) for part in parts]
    return torch.cat(vectors).float()[torch.tensor(np.argsort(order), device=vectors[0].device)]


def _run_encoder(encoder: PooledEncoder, texts: Sequence[_Tokens]) -> Tensor:
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(text) for text in texts], batch_first=True)
    lengths = torch.tensor([len(text) for text in texts])
    mask = (torch.arange(ids.shape[1])[None] < lengths[:, None]).long()
    device = encoder.encoder.device
    vectors: Tensor = encoder(ids.to(device), mask.to(device), torch.zeros_like(ids, device=device))
    return vectors
