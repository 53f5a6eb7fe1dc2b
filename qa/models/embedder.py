"""Turn text into vectors: the protocol, and the embedder that runs on OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from qa.errors import ModelError
from qa.models.inference import Arithmetic, Graph, TokenSequence
from qa.models.model_folder import ModelFolder
from qa.models.tokenization import CLS, SEP, load_tokenizer

Vectors = NDArray[np.float32]

# Tokens per text, including `[CLS]` and `[SEP]`; longer texts are truncated.
MAX_TOKENS = 256


class Embedder(Protocol):
    """Maps questions and passages to unit vectors of one space, in which cosine measures similarity."""

    identity: str
    """Name and hash; vectors of embedders with different identities cannot be compared."""

    dimension: int
    """Length of a vector."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, dimension)."""
        ...

    def token_starts(self, text: str) -> Sequence[int]:
        """Return the code point offset at which each token of the text starts, ascending."""
        ...


class OpenVINOEmbedder:
    """A static int8 all-MiniLM-L6-v2: normalised mean pooling, the same for questions and passages."""

    def __init__(
        self, model: ModelFolder, threads: int, cache: Path | None = None, arithmetic: Arithmetic = "auto"
    ) -> None:
        """Load the shipped embedder, or one trained by `qa train embedder`.

        Args:
            model: the embedder's folder.
            threads: number of inference threads.
            cache: folder in which compiled graphs are cached; None disables the cache.
            arithmetic: as for `Graph`.

        Raises:
            ModelError: the model cannot be loaded or is not an embedder.
        """
        self.identity = model.identity
        self.dimension = 384
        self._graph = Graph(model.graph, threads, cache, model.identity, arithmetic)
        if self._graph.outputs != ("embedding",):
            raise ModelError(f"{model.folder}: not an embedder; its graph must have one output, named 'embedding'")
        self._tokenizer = load_tokenizer(model.tokenizer)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, 384); a text is truncated after 254 tokens."""
        vectors = [outputs[0] for outputs in self._graph.run(tokenize(self._tokenizer, texts))]
        return np.stack(vectors) if vectors else np.zeros((0, self.dimension), np.float32)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (texts, 384); a question is truncated after 254 tokens."""
        return self.encode_passages(texts)

    def token_starts(self, text: str) -> Sequence[int]:
        """Return the code point offset at which each token of the text starts, ascending."""
        return [start for start, _ in self._tokenizer.encode(text, add_special_tokens=False).offsets]


def tokenize(tokenizer: Tokenizer, texts: Sequence[str]) -> list[TokenSequence]:
    """Return the embedder's input for each text: token ids and token types."""
    inputs = []
    for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
        ids = np.array([CLS, *encoding.ids[: MAX_TOKENS - 2], SEP], dtype=np.int64)
        inputs.append((ids, np.zeros_like(ids)))
    return inputs
