"""Export of an embedder to the shipped form: a static int8 graph that includes the pooling."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from qa.models.embedder import MAX_TOKENS
from qa.models.tokenization import CLS, SEP, load_tokenizer
from qa.training.artifacts.base_model import base_model_folder
from qa.training.artifacts.int8_export import Pair, export_int8
from qa.training.artifacts.pooled_encoder import PooledEncoder
from qa.training.data.examples import Source, load_training_examples
from qa.training.recipe import EMBEDDER_RECIPE, load_embedder_recipe

SAMPLES = 300
# The reader's smoothing of 0.95 would double the distance of the vectors from those in float32.
_SMOOTHING = 0.8


def export_embedder(encoder: PooledEncoder, data: Path, folder: Path, seed: int = 1) -> None:
    """Write an embedder to `folder` as static int8.

    Args:
        encoder: the embedder with float weights.
        data: folder of the training files, whose questions and contexts calibrate the activation ranges.
        folder: folder that is created.
        seed: decides which questions and contexts are used.
    """
    tokenizer = base_model_folder() / "tokenizer.json"
    samples = _make_samples(data, tokenizer, seed)
    export_int8(encoder, ["embedding"], samples, tokenizer, folder, "all-MiniLM-L6-v2-int8", _SMOOTHING)


def _make_samples(data: Path, tokenizer: Path, seed: int) -> list[Pair]:
    sources = [Source(source.file, 200) for source in load_embedder_recipe(EMBEDDER_RECIPE).sources]
    examples = load_training_examples(data, sources, excluded="", seed=seed)
    chosen = random.Random(seed).sample(examples, min(len(examples), SAMPLES))
    encode = load_tokenizer(tokenizer).encode
    texts = [e.question if i % 3 == 0 else e.context for i, e in enumerate(chosen)]
    ids = [
        np.array([CLS, *encode(text, add_special_tokens=False).ids[: MAX_TOKENS - 2], SEP], dtype=np.int64)
        for text in texts
    ]
    return [(sequence, np.zeros_like(sequence)) for sequence in ids]
