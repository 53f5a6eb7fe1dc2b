"""Make the shipped embedder: all-MiniLM-L6-v2, trained on, with its pooling inside the graph, as static int8."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from qa.models.embedder import MAX_TOKENS
from qa.models.tokenization import CLS, SEP, load_tokenizer
from qa.training.artifacts.base_model import base_model_folder
from qa.training.artifacts.int8_export import Pair, export_int8
from qa.training.artifacts.pooled_encoder import PooledEncoder
from qa.training.data.examples import Source, training_examples
from qa.training.recipe import FIRST, load_recipe

SAMPLES = 300
# With .95, which is best for the reader, vectors are twice as far from those in float32.
_SMOOTHED = 0.8


def export_embedder(encoder: PooledEncoder, data: Path, folder: Path, seed: int = 1) -> None:
    """Write an embedder to `folder` in the shipped form.

    Args:
        encoder: float weights.
        data: folder of the training files: activation ranges are taken on questions and contexts of them.
        folder: is made.
        seed: chooses those.
    """
    tokenizer = base_model_folder() / "tokenizer.json"
    samples = _samples(data, tokenizer, seed)
    export_int8(encoder, ["embedding"], samples, tokenizer, folder, "all-MiniLM-L6-v2-int8", _SMOOTHED)


def _samples(data: Path, tokenizer: Path, seed: int) -> list[Pair]:
    examples = training_examples(
        data, [Source(s.file, 200) for s in load_recipe(FIRST).mixture], forbidden="", seed=seed
    )
    chosen = random.Random(seed).sample(examples, min(len(examples), SAMPLES))
    encode = load_tokenizer(tokenizer).encode
    texts = [e.question if i % 3 == 0 else e.context for i, e in enumerate(chosen)]
    ids = [
        np.array([CLS, *encode(text, add_special_tokens=False).ids[: MAX_TOKENS - 2], SEP], dtype=np.int64)
        for text in texts
    ]
    return [(sequence, np.zeros_like(sequence)) for sequence in ids]
