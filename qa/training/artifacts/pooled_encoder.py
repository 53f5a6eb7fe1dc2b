"""The embedder's network: an encoder with mean pooling."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import BertModel

from qa.training.artifacts.base_model import base_model_folder, silence_transformers


class PooledEncoder(torch.nn.Module):
    """An encoder followed by the mean over a text's tokens and normalisation to unit length."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        """Return unit vectors of shape (batch, dimension)."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(mean, dim=-1)


def load_float_encoder(
    folder: Path | None = None, dropout: float = 0.0, attention_dropout: float = 0.0
) -> PooledEncoder:
    """Load the encoder with float weights.

    Args:
        folder: folder of the weights in Hugging Face layout; None for the published ones.
        dropout: dropout of hidden states in training.
        attention_dropout: dropout of attention probabilities in training.

    Raises:
        ValueError: the folder has the weights of another network.
    """
    with silence_transformers():
        encoder, loading_info = BertModel.from_pretrained(
            folder or base_model_folder(),
            output_loading_info=True,
            local_files_only=True,
            dtype=torch.float32,
            attn_implementation="eager",
            add_pooling_layer=False,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=attention_dropout,
        )
    # Transformers only warns: a reader has a span head too many, other networks lack layers.
    unexpected = {key for key in loading_info["unexpected_keys"] if not key.startswith("pooler.")}
    if differing := unexpected | set(loading_info["missing_keys"]):
        raise ValueError(f"weights of another network: {min(differing)}")
    return PooledEncoder(encoder).eval()
