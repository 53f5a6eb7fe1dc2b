"""A Haystack component (versions 2 and 3) that asks a running server for answers."""

from __future__ import annotations

from typing import Any

from haystack import Document, ExtractedAnswer, component, default_from_dict, default_to_dict
from haystack.utils import Secret, deserialize_secrets_inplace

from qa.client import Client
from qa.results import Answer
from qa.types import Span

_KEY = Secret.from_env_var("QA_KEY", strict=False)


@component
class SpanlightAnswerer:
    """Retrieves passages and extracts answers; its outputs are those of an `ExtractiveReader`.

    To load a pipeline file that contains it, Haystack 3 needs `allowed_modules=["qa.integrations.haystack"]`.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: Secret = _KEY,
        index: str = "default",
        top_k: int = 3,
    ) -> None:
        """Configure the component.

        Args:
            url: address of the server.
            key: the API key, by default that in the environment variable QA_KEY; pipeline files do not contain it.
            index: name of the index.
            top_k: maximum number of answers.
        """
        self.url, self.key, self.index, self.top_k = url, key, index, top_k

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that a pipeline file contains."""
        fields: dict[str, Any] = default_to_dict(
            self, url=self.url, key=self.key.to_dict(), index=self.index, top_k=self.top_k
        )
        return fields

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SpanlightAnswerer:
        """Return the component that the fields of a pipeline file describe."""
        deserialize_secrets_inplace(data["init_parameters"], keys=["key"])
        answerer: SpanlightAnswerer = default_from_dict(cls, data)
        return answerer

    @component.output_types(answers=list[ExtractedAnswer], no_answer_score=float)  # type: ignore[untyped-decorator]
    def run(self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None) -> dict[str, Any]:
        """Answer a question.

        Args:
            query: the question.
            filters: conditions on metadata, in the format of the server.
            top_k: maximum number of answers; None uses the component's.

        Returns:
            `answers`, empty if the documents do not answer, and `no_answer_score`.
        """
        with Client(self.url, key=self.key.resolve_value()) as client:
            result = client.ask(query, index=self.index, top_k=top_k or self.top_k, filters=filters)
        answers = [_extracted_answer(query, answer) for answer in result.answers]
        return {"answers": answers, "no_answer_score": result.no_answer_score}


def _extracted_answer(query: str, answer: Answer) -> ExtractedAnswer:
    fields = {"document_id": answer.document_id, "title": answer.title, "uri": answer.uri, "page": answer.page}
    return ExtractedAnswer(
        query=query,
        score=answer.confidence,
        data=answer.text,
        document=Document(id=answer.document_id, content=answer.context, meta={**answer.meta, **fields}),
        context=answer.context,
        document_offset=_span(answer.span),
        context_offset=_span(answer.context_span),
        meta={"section": answer.section},
    )


def _span(span: Span) -> ExtractedAnswer.Span:
    return ExtractedAnswer.Span(span.start, span.end)
