"""A LangChain retriever and a document compressor that ask a running server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun, Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, SecretStr

from qa.client import AsyncClient, Client
from qa.integrations.highlighter import prune_on_server
from qa.results import Hit


class SpanlightRetriever(BaseRetriever):
    """Retrieves passages with their offsets: `retriever.invoke("When does the library open?")`.

    Attributes:
        url: address of the server.
        key: the API key, if the server needs one.
        index: name of the index.
        top_k: maximum number of passages.
        filters: conditions on metadata that a document must meet.
        rerank: whether the reader reorders the first 20 passages, which is slower.
    """

    url: str = "http://127.0.0.1:8000"
    key: SecretStr | None = None
    index: str = "default"
    top_k: int = 10
    filters: Mapping[str, Any] = Field(default_factory=dict)
    rerank: bool = False

    def _options(self) -> dict[str, Any]:
        return {"index": self.index, "top_k": self.top_k, "filters": self.filters, "rerank": self.rerank}

    def _key(self) -> str | None:
        return self.key.get_secret_value() if self.key else None

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:  # noqa: ARG002
        with Client(self.url, key=self._key()) as client:
            result = client.search(query, **self._options())
        return [_document(hit) for hit in result.hits]

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
    ) -> list[Document]:
        async with AsyncClient(self.url, key=self._key()) as client:
            result = await client.search(query, **self._options())
        return [_document(hit) for hit in result.hits]


class SpanlightCompressor(BaseDocumentCompressor):
    """Cuts documents down to what answers, below its headings, and drops those in which nothing does.

    Each document gets the probability of its best sentence as `score` in its metadata.

    Attributes:
        url: address of the server.
        key: the API key, if the server needs one.
        threshold: minimum probability of a sentence; None applies the calibrated threshold.
    """

    url: str = "http://127.0.0.1:8000"
    key: SecretStr | None = None
    threshold: float | None = None

    def compress_documents(
        self,
        documents: Sequence[Document],
        query: str,
        callbacks: Callbacks | None = None,  # noqa: ARG002
    ) -> Sequence[Document]:
        """Return the documents that answer, in order."""
        texts = [document.page_content for document in documents]
        key = self.key.get_secret_value() if self.key else None
        return [
            Document(pruned, metadata={**documents[position].metadata, "score": score})
            for position, pruned, score in prune_on_server(self.url, key, query, texts, self.threshold)
        ]


def _document(hit: Hit) -> Document:
    source = {"document_id": hit.document_id, "title": hit.title, "uri": hit.uri}
    offsets = {"start": hit.span.start, "end": hit.span.end}
    return Document(hit.text, metadata={**hit.meta, **source, **offsets, "score": hit.score})
