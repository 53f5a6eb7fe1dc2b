"""Text ─► vectors: the protocol, and the embedder that ships with the package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from qa.errors import ModelError
from qa.models.inference import Graph, Sequence64
from qa.models.model_folder import ModelFolder
from qa.models.tokenization import CLS, SEP, load_tokenizer

Vectors = NDArray[np.float32]

# Of a text with `[CLS]` and `[SEP]`; what is more is left out.
MAX_TOKENS = 256


class Embedder(Protocol):
    """Questions and passages as unit vectors of one space; a question's cosine with a passage is their likeness."""

    identity: str
    """Name and hash: vectors of embedders with different identities must not meet."""

    dimension: int
    """Length of a vector."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...

    def token_starts(self, text: str) -> Sequence[int]:
        """Return the ascending code points where the text's tokens start."""
        ...


class ShippedEmbedder:
    """all-MiniLM-L6-v2, trained on, as static int8: mean of the last layer's tokens, normalised; both sides alike."""

    def __init__(self, model: ModelFolder, threads: int, cache: Path | None = None) -> None:
        """Load the shipped one, or another that `qa train embedder` made.

        Raises:
            ModelError: it cannot be loaded, or is no embedder.
        """
        self.identity = model.identity
        self.dimension = 384
        self._graph = Graph(model.graph, threads, cache, model.identity)
        if self._graph.outputs != ("embedding",):
            raise ModelError(f"{model.folder}: holds no embedder")
        self._tokenizer = load_tokenizer(model.tokenizer)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, 384); a text's tokens over 254 are left out."""
        vectors = [output[0] for output in self._graph.run(sequences(self._tokenizer, texts))]
        return np.stack(vectors) if vectors else np.zeros((0, self.dimension), np.float32)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, 384); a question's tokens over 254 are left out."""
        return self.encode_passages(texts)

    def token_starts(self, text: str) -> Sequence[int]:
        """Return the ascending code points where the text's tokens start."""
        return [start for start, _ in self._tokenizer.encode(text, add_special_tokens=False).offsets]


def sequences(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Sequence64]:
    """Return what the network is given for each text: token ids and types."""
    made = []
    for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
        ids = np.array([CLS, *encoding.ids[: MAX_TOKENS - 2], SEP], dtype=np.int64)
        made.append((ids, np.zeros_like(ids)))
    return made
