"""The embedder, trained on: a question nearer to the passage that answers it than to any other.

Resumable; its length is given in passes over the questions.
"""

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
from qa.models.model_folder import hash_of
from qa.models.tokenization import CLS, SEP, load_tokenizer
from qa.training.artifacts.base_model import base_model_folder
from qa.training.artifacts.dequantise import float_embedder
from qa.training.artifacts.pooled_encoder import PooledEncoder
from qa.training.data.examples import Example, forbidden_text, training_examples
from qa.training.data.features import Feature, features, window
from qa.training.data.negatives import CANDIDATES, hard_negatives
from qa.training.optim.checkpoint import Checkpoint
from qa.training.recipe import EmbedderRecipe

# Seconds.
_TELL_EVERY = 15
_SAVE_EVERY = 300
_SHORT_TOKENS = (30, 144)
# Texts that are padded to one length, and questions whose likely passages are looked for at a time.
_ALIKE, _TOGETHER = 32, 1024

_Tokens = list[int]
_Pair = tuple[Feature, Feature]
"""A question with the passage that answers it, and with one that only looks like it."""


def trained_on(
    data: Path,
    measured_with: Sequence[Path],
    work: Path,
    recipe: EmbedderRecipe,
    report: Callable[[str], None],
    device: str = "cpu",
    origin: Path | None = None,
) -> PooledEncoder:
    """Train an embedder from the newest checkpoint in `work`, or else from its own weights.

    Args:
        data: folder of the training files.
        measured_with: SQuAD files whose contexts must not be trained on.
        work: checkpoints are kept here.
        recipe: what to do.
        report: is told of progress in lines.
        device: "cpu" or "cuda".
        origin: folder of the embedder to train on; the published one if none is given.

    Returns:
        The mean of the weights that it had and of those that were found, in the recipe's shares.

    Raises:
        DatasetError: a training file cannot be read, or there are too few texts for a step.
        ModelError: an embedder cannot be read, the base model is missing or is not the published one, `work` holds
            another training, or the loss is no longer finite.
    """
    encoder = float_embedder(origin or base_model_folder(), recipe.dropout, recipe.attention_dropout).to(device)
    pairs = _pairs(data, measured_with, recipe, encoder, report)
    identity = _identity(data, measured_with, recipe, encoder)
    if len(_apart(pairs, recipe.batch)[0]) < recipe.batch:
        raise DatasetError(f"{data}: too few texts for a step of {recipe.batch} questions", field="data")
    steps = max(1, int(recipe.passes * len(pairs) / recipe.batch))
    report(f"{len(pairs)} questions, {steps} steps")
    had = {name: value.clone() for name, value in encoder.state_dict().items()}
    torch.manual_seed(recipe.seed)
    encoder.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    encoder.train()
    mean = AveragedModel(encoder)
    trained = [p for p in encoder.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trained if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
    checkpoint = Checkpoint(work / "checkpoint.pt", encoder, mean, optimizer)
    noted = checkpoint.resumed()
    if noted and noted.get("identity") != identity:
        raise ModelError(
            f"{work}: holds a training by another recipe, from another embedder or on other data: name another folder"
        )
    done = int(noted.get("steps", 0))
    if done:
        report(f"resumed at step {done}")
    began, told, saved = done, time.monotonic(), time.monotonic()
    start = told
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
        if now - told >= _TELL_EVERY:
            told = now
            left = (now - start) / (step + 1 - began) * (steps - step - 1) / 60
            report(f"step {step + 1} of {steps}, loss {loss:.3f}, {left:.0f} min left")
        if now - saved >= _SAVE_EVERY:
            saved = now
            checkpoint.save(steps=step + 1, identity=identity)
    checkpoint.save(steps=max(done, steps), identity=identity)
    found = (mean.module if mean.n_averaged else encoder).state_dict()
    kept = recipe.kept_share
    encoder.load_state_dict({name: kept * value + (1 - kept) * found[name] for name, value in had.items()})
    return encoder.to("cpu").eval()


def _identity(data: Path, measured_with: Sequence[Path], recipe: EmbedderRecipe, encoder: PooledEncoder) -> str:
    files = [data / source.file for source in recipe.sources]
    weights = hashlib.sha256()
    for value in encoder.state_dict().values():
        weights.update(value.cpu().numpy().tobytes())
    read = {"data": [hash_of(file) for file in files], "measured_with": sorted(map(hash_of, measured_with))}
    return json.dumps({**asdict(recipe), **read, "start": weights.hexdigest()})


def _pairs(
    data: Path,
    measured_with: Sequence[Path],
    recipe: EmbedderRecipe,
    encoder: PooledEncoder,
    report: Callable[[str], None],
) -> list[_Pair]:
    forbidden = forbidden_text(data, recipe.sources, measured_with)
    examples = [e for e in training_examples(data, recipe.sources, forbidden, recipe.seed) if e.answer is not None]
    tokenizer = load_tokenizer(base_model_folder() / "tokenizer.json")
    wrong = hard_negatives(examples, len(examples), recipe.seed)
    if mined := int(recipe.mined_share * len(examples)):
        report(f"looks for passages that are likely, and wrong, for {mined} questions")
        likely = partial(_by_cosine, encoder, tokenizer, recipe)
        wrong |= hard_negatives(examples, mined, recipe.seed, likely=likely)
    chooser = random.Random(recipe.seed)
    # Where no passage looks like the one that answers, any will do.
    anything = [Example(example.question, chooser.choice(examples).context, None) for example in examples]
    groups = [
        (example, *(wrong.get(place) or [anything[place]]))
        for place, example in enumerate(examples)
        if place in wrong or anything[place].context != example.context
    ]
    return [(own, other) for own, other in features(groups, tokenizer)]


@torch.no_grad()
def _by_cosine(
    encoder: PooledEncoder,
    tokenizer: Tokenizer,
    recipe: EmbedderRecipe,
    questions: Sequence[str],
    contexts: Sequence[str],
) -> Iterator[list[int]]:
    """Yield for each question the places of contexts that the encoder takes for likely, the likeliest first."""

    def vectors(texts: Sequence[str]) -> Tensor:
        encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return _vectors(encoder, [[CLS, *e.ids[: MAX_TOKENS - 2], SEP] for e in encodings], recipe)

    encoder.eval()
    passages = vectors(contexts)
    for first in range(0, len(questions), _TOGETHER):
        cosines = vectors(questions[first : first + _TOGETHER]) @ passages.T
        yield from cosines.topk(min(CANDIDATES, len(contexts))).indices.tolist()


def _schedule(pairs: Sequence[_Pair], recipe: EmbedderRecipe) -> Iterator[tuple[list[_Tokens], list[_Tokens]]]:
    """Yield the questions of a batch, and its passages: those that answer them first, in the same order."""
    chooser = random.Random(recipe.seed)
    while True:
        waiting = chooser.sample(pairs, len(pairs))
        while True:
            batch, waiting = _apart(waiting, recipe.batch)
            if len(batch) < recipe.batch:
                break
            passages = [_passage(pair[which], recipe, chooser) for which in (0, 1) for pair in batch]
            yield [[CLS, *own.question, SEP] for own, _ in batch], passages


def _apart(pairs: Sequence[_Pair], size: int) -> tuple[list[_Pair], list[_Pair]]:
    """Return a batch in which no text stands twice, and the rest: what answers one question is not held against it."""
    batch: list[_Pair] = []
    rest: list[_Pair] = []
    seen: set[int] = set()
    for pair in pairs:
        texts = {id(feature.context) for feature in pair}
        if len(batch) < size and seen.isdisjoint(texts):
            batch.append(pair)
            seen |= texts
        else:
            rest.append(pair)
    return batch, rest


def _passage(feature: Feature, recipe: EmbedderRecipe, chooser: random.Random) -> _Tokens:
    """Return a passage as it is embedded: whole or a window that holds the answer, with or without its title."""
    above = feature.above if chooser.random() < recipe.titled_share else ()
    room = MAX_TOKENS - 2 - len(above)
    size = chooser.randint(*_SHORT_TOKENS) if chooser.random() < recipe.short_share else room
    first, size = window(feature, chooser, room, size)
    return [CLS, *above, *feature.context[first : first + size].tolist(), SEP]


def _step(
    encoder: PooledEncoder,
    optimizer: torch.optim.AdamW,
    batch: tuple[list[_Tokens], list[_Tokens]],
    recipe: EmbedderRecipe,
) -> float:
    questions, passages = (_vectors(encoder, texts, recipe) for texts in batch)
    cosines = recipe.scale * questions @ passages.T
    own = torch.arange(len(questions), device=cosines.device)
    loss = cross_entropy(cosines, own) + recipe.back_weight * cross_entropy(cosines[:, : len(own)].T, own)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_([p for p in encoder.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise ModelError("the loss is no longer finite")
    return value


def _vectors(encoder: PooledEncoder, texts: Sequence[_Tokens], recipe: EmbedderRecipe) -> Tensor:
    """Return unit vectors of shape (texts, dimension); texts of like length together, so that little is padded."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    parts = np.array_split(order, -(-len(order) // _ALIKE))
    with torch.autocast(encoder.encoder.device.type, torch.bfloat16, enabled=recipe.bfloat16):
        made = [_batch(encoder, [texts[place] for place in part]) for part in parts]
    return torch.cat(made).float()[torch.tensor(np.argsort(order), device=made[0].device)]


def _batch(encoder: PooledEncoder, texts: Sequence[_Tokens]) -> Tensor:
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(text) for text in texts], batch_first=True)
    lengths = torch.tensor([len(text) for text in texts])
    mask = (torch.arange(ids.shape[1])[None] < lengths[:, None]).long()
    device = encoder.encoder.device
    made: Tensor = encoder(ids.to(device), mask.to(device), torch.zeros_like(ids, device=device))
    return made
