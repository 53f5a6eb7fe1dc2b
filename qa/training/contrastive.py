"""The embedder, trained on: a question nearer to the passage that answers it than to any other.

Resumable; its length is given in passes over the questions.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel

from qa.errors import DatasetError, ModelError
from qa.models.embedder import MAX_TOKENS
from qa.models.shipped import hash_of
from qa.models.tokenization import CLS, SEP, load_tokenizer
from qa.training.base_model import base_model_folder
from qa.training.checkpoint import Checkpoint
from qa.training.examples import Example, Source, forbidden_text, training_examples
from qa.training.features import Feature, features, window
from qa.training.negatives import hard_negatives
from qa.training.pooled import PooledEncoder, float_encoder

# Seconds.
_TELL_EVERY = 15
_SAVE_EVERY = 300
_SHORT_TOKENS = (30, 144)

_Tokens = list[int]
_Pair = tuple[Feature, Feature]
"""A question with the passage that answers it, and with one that only looks like it."""


@dataclass(frozen=True, slots=True)
class EmbedderRecipe:
    """How the embedder is trained on.

    Attributes:
        sources: its questions; those with an answer are taken.
        passes: over them.
        batch: questions in a step. Each is told from all passages of its batch.
        rate: the highest learning rate; word embeddings stay as they are.
        warm_up_steps: over which it rises; then it falls to zero.
        weight_decay: of the matrices.
        dropout: of hidden and attention values.
        scale: of the cosines, in the softmax over passages.
        back_weight: of the softmax over a passage's questions.
        short_share: of the passages, how many are cut to a short window around the answer.
        titled_share: of those that have a title, how many stand under it.
        averaged_share: of the steps at the end, whose weights are averaged.
        kept_share: of the published weights in the result: as much as this is kept of what they can on other texts
            (Wortsman et al., CVPR 2022).
        seed: decides every choice.
    """

    sources: Sequence[Source] = (
        Source("squad.json", titled=True),
        Source("squad_sentences.json"),
        Source("nq_qed.json", titled=True),
        Source("nq_oracle.json"),
        Source("squadshifts_reddit.json", limit=2_800),
        Source("squadshifts_amazon.json", limit=2_800),
        Source("fairytaleqa.json", titled=True, limit=1_640),
    )
    passes: float = 4.0
    batch: int = 256
    rate: float = 3e-5
    warm_up_steps: int = 200
    weight_decay: float = 0.01
    dropout: float = 0.05
    scale: float = 20.0
    back_weight: float = 0.3
    short_share: float = 0.5
    titled_share: float = 0.35
    averaged_share: float = 0.4
    kept_share: float = 0.5
    seed: int = 5


def trained_on(
    data: Path,
    measured_with: Sequence[Path],
    work: Path,
    recipe: EmbedderRecipe,
    report: Callable[[str], None],
    device: str = "cpu",
) -> PooledEncoder:
    """Train the published embedder from the newest checkpoint in `work`, or else from its own weights.

    Args:
        data: folder of the training files.
        measured_with: SQuAD files whose contexts must not be trained on.
        work: checkpoints are kept here.
        recipe: what to do.
        report: is told of progress in lines.
        device: "cpu" or "cuda".

    Returns:
        The mean of the published weights and of those that were found.

    Raises:
        DatasetError: a training file cannot be read, or there are too few texts for a step.
        ModelError: the base model is missing or is not the published one, `work` holds another training, or the loss is
            no longer finite.
    """
    pairs = _pairs(data, measured_with, recipe)
    if len(_apart(pairs, recipe.batch)[0]) < recipe.batch:
        raise DatasetError(f"{data}: too few texts for a step of {recipe.batch} questions", field="data")
    encoder = float_encoder(recipe.dropout)
    steps = max(1, int(recipe.passes * len(pairs) / recipe.batch))
    report(f"{len(pairs)} questions, {steps} steps")
    published = {name: value.clone() for name, value in encoder.state_dict().items()}
    torch.manual_seed(recipe.seed)
    encoder.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    encoder.to(device).train()
    mean = AveragedModel(encoder)
    trained = [p for p in encoder.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trained if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
    checkpoint = Checkpoint(work / "checkpoint.pt", encoder, mean, optimizer)
    identity = _identity(data, measured_with, recipe)
    noted = checkpoint.resumed()
    if noted and noted.get("identity") != identity:
        raise ModelError(f"{work}: holds a training by another recipe or on other data: name another folder")
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
    encoder.to("cpu").load_state_dict(
        {name: kept * value + (1 - kept) * found[name].cpu() for name, value in published.items()}
    )
    return encoder.eval()


def _identity(data: Path, measured_with: Sequence[Path], recipe: EmbedderRecipe) -> str:
    files = [data / source.file for source in recipe.sources]
    read = {"data": [hash_of(file) for file in files], "measured_with": sorted(map(hash_of, measured_with))}
    return json.dumps({**asdict(recipe), **read})


def _pairs(data: Path, measured_with: Sequence[Path], recipe: EmbedderRecipe) -> list[_Pair]:
    forbidden = forbidden_text(data, recipe.sources, measured_with)
    examples = [e for e in training_examples(data, recipe.sources, forbidden, recipe.seed) if e.answer is not None]
    wrong = hard_negatives(examples, len(examples), recipe.seed)
    chooser = random.Random(recipe.seed)
    # Where no passage looks like the one that answers, any will do.
    anything = [Example(example.question, chooser.choice(examples).context, None) for example in examples]
    groups = [
        (example, *(wrong.get(place) or [anything[place]]))
        for place, example in enumerate(examples)
        if place in wrong or anything[place].context != example.context
    ]
    made = features(groups, load_tokenizer(base_model_folder() / "tokenizer.json"))
    return [(own, other) for own, other in made]


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
    questions, passages = (_vectors(encoder, texts) for texts in batch)
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


def _vectors(encoder: PooledEncoder, texts: Sequence[_Tokens]) -> Tensor:
    """Return unit vectors of shape (texts, dimension); long and short texts apart, so that little is padded."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    made = [_batch(encoder, [texts[place] for place in part]) for part in np.array_split(order, 2) if len(part)]
    return torch.cat(made)[torch.tensor(np.argsort(order), device=made[0].device)]


def _batch(encoder: PooledEncoder, texts: Sequence[_Tokens]) -> Tensor:
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(text) for text in texts], batch_first=True)
    lengths = torch.tensor([len(text) for text in texts])
    mask = (torch.arange(ids.shape[1])[None] < lengths[:, None]).long()
    device = encoder.encoder.device
    made: Tensor = encoder(ids.to(device), mask.to(device), torch.zeros_like(ids, device=device))
    return made
