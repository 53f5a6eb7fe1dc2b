"""The network of the embedder: the encoder with its pooling."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import BertModel

from qa.training.artifacts.base_model import base_model_folder, quietly


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


def float_encoder(folder: Path | None = None, dropout: float = 0.0, attention_dropout: float = 0.0) -> PooledEncoder:
    """Return the encoder with float weights: the published ones, or those in a folder in Hugging Face layout.

    Args:
        folder: of trained weights.
        dropout: of hidden values, in training.
        attention_dropout: of attention values.

    Raises:
        ValueError: the folder holds another network.
    """
    with quietly():
        encoder, told = BertModel.from_pretrained(
            folder or base_model_folder(),
            output_loading_info=True,
            local_files_only=True,
            dtype=torch.float32,
            attn_implementation="eager",
            add_pooling_layer=False,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=attention_dropout,
        )
    # What transformers only warns of: a reader has a head that is no part of this, others lack layers.
    if others := {key for key in told["unexpected_keys"] if not key.startswith("pooler.")} | set(told["missing_keys"]):
        raise ValueError(f"another network: {min(others)}")
    return PooledEncoder(encoder).eval()
