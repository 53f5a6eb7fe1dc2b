"""A LangChain retriever that asks a running service for passages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, SecretStr

from qa.client import AsyncClient, Client
from qa.wire.questions import PassageOut


class SpanlightRetriever(BaseRetriever):
    """Passages with their places: `retriever.invoke("When does the library open?")`.

    Attributes:
        url: of the service.
        key: if it wants one.
        index: its name.
        top_k: at most so many passages.
        filters: metadata that a document must have.
        rerank: let the reader read the first passages, and put those first that answer: it takes longer.
    """

    url: str = "http://127.0.0.1:8000"
    key: SecretStr | None = None
    index: str = "default"
    top_k: int = 10
    filters: Mapping[str, Any] = Field(default_factory=dict)
    rerank: bool = False

    def _asked(self) -> dict[str, Any]:
        return {"index": self.index, "top_k": self.top_k, "filters": self.filters, "rerank": self.rerank}

    def _key(self) -> str | None:
        return self.key.get_secret_value() if self.key else None

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:  # noqa: ARG002
        with Client(self.url, key=self._key()) as client:
            found = client.search(query, **self._asked())
        return [_document(passage) for passage in found.passages]

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
    ) -> list[Document]:
        async with AsyncClient(self.url, key=self._key()) as client:
            found = await client.search(query, **self._asked())
        return [_document(passage) for passage in found.passages]


def _document(passage: PassageOut) -> Document:
    place = {"start": passage.document_offset.start, "end": passage.document_offset.end}
    told = {"document_id": passage.document_id, "title": passage.title, "uri": passage.uri, **place}
    return Document(passage.text, metadata={**passage.meta, **told, "score": passage.score})
