"""txtai 9: hybrid index; ten texts joined to one context, of which its extractive pipeline reads what fits."""

from __future__ import annotations

import sys
import threading
import warnings

import torch
from txtai import RAG, Embeddings

from eval.bench.peers.protocol import serve

READ = 10


class Txtai:
    """Its index and its question answering."""

    def __init__(self, reader: str, embedder: str) -> None:
        self._index = Embeddings(path=embedder, hybrid=True, content=True)
        self._answering = RAG(self._index, reader, gpu=False, context=READ, task="question-answering", output="flatten")
        self._one_at_a_time = threading.Lock()

    def add(self, texts: list[str]) -> None:
        """Embed and index texts."""
        first = self._index.count() if self._index.config and self._index.config.get("offset") else 0
        self._index.upsert([(first + place, text, None) for place, text in enumerate(texts)])

    def ask(self, question: str) -> str:
        """Return the answer; none where its code fails as the model says that there is none."""
        # Its SQLite connection serves one question at a time.
        with self._one_at_a_time:
            try:
                return self._answering([(None, question, question, False)])[0] or ""
            except TypeError:
                return ""


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.set_num_threads(int(sys.argv[3]))
    serve(Txtai(sys.argv[1], sys.argv[2]))
