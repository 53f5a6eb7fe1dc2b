"""Use any sentence-transformers model, from the Hub or a folder, instead of the shipped embedder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from qa.errors import ModelError
from qa.models.embedder import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class SentenceTransformerEmbedder:
    """A sentence-transformers model; its prompts for queries and documents are applied if it has them."""

    def __init__(self, name_or_path: str, threads: int) -> None:
        """Load a model.

        Args:
            name_or_path: name on the Hugging Face Hub, or a local folder.
            threads: number of PyTorch threads.

        Raises:
            ModelError: sentence-transformers is not installed, the model cannot be loaded, or its tokenizer does not
                report token offsets.
        """
        self._model = _load(name_or_path, threads)
        if not getattr(self._model.tokenizer, "is_fast", False):
            raise ModelError(f"embedder {name_or_path!r} has no fast tokenizer, which is needed for token offsets")
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            raise ModelError(f"embedder {name_or_path!r} does not report the dimension of its vectors")
        self.dimension = dimension
        self.identity = f"{name_or_path}@{self._hash_weights()[:16]}"

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        return self._as_array(
            self._model.encode_document(list(texts), show_progress_bar=False, normalize_embeddings=True)
        )

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        return self._as_array(self._model.encode_query(list(texts), show_progress_bar=False, normalize_embeddings=True))

    def token_starts(self, text: str) -> Sequence[int]:
        """Return the code point offset at which each token of the text starts, ascending."""
        encoded = self._model.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
        )
        return [start for start, _ in encoded["offset_mapping"]]

    def _as_array(self, vectors: object) -> Vectors:
        return np.asarray(vectors, dtype=np.float32).reshape(-1, self.dimension)

    def _hash_weights(self) -> str:
        digest = hashlib.sha256()
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()


def _load(name_or_path: str, threads: int) -> SentenceTransformer:
    # sentence-transformers and torch are optional, and importing them takes seconds.
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ModelError(
            f"the embedder {name_or_path!r} needs sentence-transformers; "
            "install it with: pip install 'spanlight[models]'"
        ) from error
    torch.set_num_threads(threads)
    try:
        return SentenceTransformer(name_or_path, device="cpu")
    except Exception as error:  # the loaders raise many kinds
        raise ModelError(f"cannot load embedder {name_or_path!r}: {error}") from error
