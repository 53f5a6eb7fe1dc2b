"""txtai 9: hybrid index; the extractive pipeline reads ten texts, joined to one context and truncated to fit."""

from __future__ import annotations

import sys
import threading
import warnings

import torch
from txtai import RAG, Embeddings

from eval.bench.peers.protocol import serve

READ = 10


class Txtai:
    """The index and the question answering pipeline."""

    def __init__(self, reader: str, embedder: str) -> None:
        self._index = Embeddings(path=embedder, hybrid=True, content=True)
        self._answering = RAG(self._index, reader, gpu=False, context=READ, task="question-answering", output="flatten")
        self._lock = threading.Lock()

    def add(self, texts: list[str]) -> None:
        """Embed and index texts."""
        first = self._index.count() if self._index.config and self._index.config.get("offset") else 0
        self._index.upsert([(first + position, text, None) for position, text in enumerate(texts)])

    def ask(self, question: str) -> str:
        """Return the answer; "" where txtai raises because the model predicts no answer."""
        # The SQLite connection of txtai supports one question at a time.
        with self._lock:
            try:
                return self._answering([(None, question, question, False)])[0] or ""
            except TypeError:
                return ""


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.set_num_threads(int(sys.argv[3]))
    serve(Txtai(sys.argv[1], sys.argv[2]))
