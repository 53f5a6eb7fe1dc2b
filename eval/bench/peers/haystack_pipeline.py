"""Haystack 2: BM25 and embeddings, joined by reciprocal rank fusion, with an extractive reader on ten documents."""

from __future__ import annotations

import sys
import warnings

import torch
from haystack import Document, Pipeline
from haystack.components.embedders import SentenceTransformersDocumentEmbedder, SentenceTransformersTextEmbedder
from haystack.components.joiners import DocumentJoiner
from haystack.components.readers import ExtractiveReader
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore

from eval.bench.peers.protocol import serve

READ = 10


class Haystack:
    """The components, connected as in its documentation on hybrid retrieval and extractive answers."""

    def __init__(self, reader: str, embedder: str) -> None:
        self._store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        self._embedder = SentenceTransformersDocumentEmbedder(model=embedder, progress_bar=False)
        self._embedder.warm_up()
        pipeline = Pipeline()
        pipeline.add_component("embedder", SentenceTransformersTextEmbedder(model=embedder, progress_bar=False))
        pipeline.add_component("bm25", InMemoryBM25Retriever(self._store, top_k=READ))
        pipeline.add_component("dense", InMemoryEmbeddingRetriever(self._store, top_k=READ))
        pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=READ))
        pipeline.add_component("reader", ExtractiveReader(model=reader, top_k=1, no_answer=False))
        pipeline.connect("embedder.embedding", "dense.query_embedding")
        pipeline.connect("bm25", "joiner")
        pipeline.connect("dense", "joiner")
        pipeline.connect("joiner", "reader.documents")
        pipeline.warm_up()
        self._pipeline = pipeline

    def add(self, texts: list[str]) -> None:
        """Embed and write documents."""
        embedded = self._embedder.run(documents=[Document(content=text) for text in texts])
        self._store.write_documents(embedded["documents"])

    def ask(self, question: str) -> str:
        """Return the best answer."""
        inputs = {"embedder": {"text": question}, "bm25": {"query": question}, "reader": {"query": question}}
        answers = self._pipeline.run(inputs)["reader"]["answers"]
        return answers[0].data or "" if answers else ""


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.set_num_threads(int(sys.argv[3]))
    serve(Haystack(sys.argv[1], sys.argv[2]))
