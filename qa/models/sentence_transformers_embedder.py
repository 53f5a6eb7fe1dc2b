"""Any sentence-transformers model, by name or path, in place of the shipped embedder. The only place it costs torch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from qa.errors import ModelError
from qa.models.embedder import Vectors


class SentenceTransformerEmbedder:
    """A model of the user's own; its prompts for queries and documents are applied where it has them."""

    def __init__(self, name_or_path: str, threads: int) -> None:
        """Load a model.

        Raises:
            ModelError: it cannot be loaded, or its tokenizer does not tell where tokens start.
        """
        torch.set_num_threads(threads)
        try:
            self._model = SentenceTransformer(name_or_path, device="cpu")
        except Exception as error:  # the loaders raise many kinds
            raise ModelError(f"embedder {name_or_path!r}: {error}") from error
        if not getattr(self._model.tokenizer, "is_fast", False):
            raise ModelError(f"embedder {name_or_path!r}: its tokenizer gives no offsets")
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            raise ModelError(f"embedder {name_or_path!r}: it does not tell the length of its vectors")
        self.dimension = dimension
        self.identity = f"{name_or_path}@{self._hash()[:16]}"

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        return self._unit(self._model.encode_document(list(texts), show_progress_bar=False, normalize_embeddings=True))

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        return self._unit(self._model.encode_query(list(texts), show_progress_bar=False, normalize_embeddings=True))

    def token_starts(self, text: str) -> Sequence[int]:
        """Return the ascending code points where the text's tokens start."""
        encoded = self._model.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
        )
        return [start for start, _ in encoded["offset_mapping"]]

    def _unit(self, vectors: object) -> Vectors:
        return np.asarray(vectors, dtype=np.float32).reshape(-1, self.dimension)

    def _hash(self) -> str:
        digest = hashlib.sha256()
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()
