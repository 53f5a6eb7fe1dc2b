"""A component of Haystack (2 and 3) that asks a running service for answers."""

from __future__ import annotations

from typing import Any

from haystack import Document, ExtractedAnswer, component, default_from_dict, default_to_dict
from haystack.utils import Secret, deserialize_secrets_inplace

from qa.client import Client
from qa.wire.base import Offset
from qa.wire.questions import AnswerOut

_KEY = Secret.from_env_var("QA_KEY", strict=False)


@component
class SpanlightAnswerer:
    """Retrieval and extractive reading in one: what it gives is what an `ExtractiveReader` gives.

    Haystack 3 loads a pipeline's file with it where it is told to: `allowed_modules=["qa.integrations.haystack"]`.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: Secret = _KEY,
        index: str = "default",
        top_k: int = 3,
    ) -> None:
        """Say whom to ask.

        Args:
            url: of the service.
            key: if it wants one; by default what the variable QA_KEY holds. It is not written into a pipeline's file.
            index: its name.
            top_k: at most so many answers.
        """
        self.url, self.key, self.index, self.top_k = url, key, index, top_k

    def to_dict(self) -> dict[str, Any]:
        """Return what a pipeline's file keeps."""
        kept: dict[str, Any] = default_to_dict(
            self, url=self.url, key=self.key.to_dict(), index=self.index, top_k=self.top_k
        )
        return kept

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SpanlightAnswerer:
        """Make it of what a pipeline's file keeps."""
        deserialize_secrets_inplace(data["init_parameters"], keys=["key"])
        made: SpanlightAnswerer = default_from_dict(cls, data)
        return made

    @component.output_types(answers=list[ExtractedAnswer], no_answer_score=float)  # type: ignore[untyped-decorator]
    def run(self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None) -> dict[str, Any]:
        """Answer a question.

        Args:
            query: the question.
            filters: metadata that a document must have, as the service takes it.
            top_k: at most so many answers, if not as many as was said before.

        Returns:
            `answers`, none where the documents do not say, and `no_answer_score`.
        """
        with Client(self.url, key=self.key.resolve_value()) as client:
            found = client.query(query, index=self.index, top_k=top_k or self.top_k, filters=filters)
        answers = [_extracted(query, answer) for answer in found.answers]
        return {"answers": answers, "no_answer_score": found.no_answer_score}


def _extracted(query: str, answer: AnswerOut) -> ExtractedAnswer:
    told = {"document_id": answer.document_id, "title": answer.title, "uri": answer.uri, "page": answer.page}
    return ExtractedAnswer(
        query=query,
        score=answer.confidence,
        data=answer.answer,
        document=Document(id=answer.document_id or "", content=answer.context, meta={**answer.meta, **told}),
        context=answer.context,
        document_offset=_span(answer.document_offset),
        context_offset=_span(answer.context_offset),
        meta={"section": answer.section},
    )


def _span(offset: Offset) -> ExtractedAnswer.Span:
    return ExtractedAnswer.Span(offset.start, offset.end)
