"""Make the shipped embedder: all-MiniLM-L6-v2 with its pooling inside the graph, as static int8."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch
from transformers import BertModel

from qa.models.tokenization import load_tokenizer
from qa.training.base_model import base_model_folder
from qa.training.examples import Source, training_examples
from qa.training.export import Pair, export_int8
from qa.training.recipe import FIRST, load_recipe

SAMPLES = 300


class PooledEncoder(torch.nn.Module):
    """The encoder, the mean over a text's tokens, and unit length."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        """Return unit vectors of shape (batch, dimension)."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(mean, dim=-1)


def float_encoder() -> PooledEncoder:
    """Return the encoder with the published float weights."""
    return PooledEncoder(BertModel.from_pretrained(base_model_folder(), attn_implementation="eager")).eval()


def export_embedder(data: Path, folder: Path, seed: int = 1) -> None:
    """Write the shipped embedder to `folder`; activation ranges are taken on questions and contexts of `data`."""
    tokenizer = base_model_folder() / "tokenizer.json"
    export_int8(
        float_encoder(), ["embedding"], _samples(data, tokenizer, seed), tokenizer, folder, "all-MiniLM-L6-v2-int8"
    )


def _samples(data: Path, tokenizer: Path, seed: int) -> list[Pair]:
    examples = training_examples(
        data, [Source(s.file, 200) for s in load_recipe(FIRST).mixture], forbidden="", seed=seed
    )
    chosen = random.Random(seed).sample(examples, SAMPLES)
    encode = load_tokenizer(tokenizer).encode
    texts = [e.question if i % 3 == 0 else e.context for i, e in enumerate(chosen)]
    ids = [np.array(encode(text).ids[:256], dtype=np.int64) for text in texts]
    return [(sequence, np.zeros_like(sequence)) for sequence in ids]
