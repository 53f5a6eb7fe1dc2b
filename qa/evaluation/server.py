"""A running server as a system that is evaluated."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx2

from qa.errors import InvalidInput, QAError, Unavailable
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Candidate, Outcome
from qa.evaluation.systems import CANDIDATES, RANKED_PASSAGES, MatchedDocuments, can_be_asked
from qa.types import Span

_TIMEOUT_S = 60.0


class Server:
    """A running server, asked over HTTP; `read` is false where only its ranking is wanted."""

    def __init__(self, url: str, index: str, dataset: Dataset, key: str | None = None, *, read: bool) -> None:
        """Look up which of the server's documents are contexts of the data set.

        Raises:
            Unavailable: the server does not answer, or not as this version does.
            InvalidInput: it refuses; its own words are told.
        """
        headers = {"X-API-Key": key} if key else {}
        try:
            self._http = httpx2.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S)
        except httpx2.InvalidURL as error:
            raise InvalidInput(f"{url}: {error}", field="url") from error
        self._index = index
        self._read = read
        try:
            models = self._call("GET", "/readyz")
            self._documents = MatchedDocuments({id: self._text(id) for id in self._ids()}, dataset)
        except QAError:
            self.close()
            raise
        self.description: Mapping[str, object] = {
            "model": {"embedder": models["embedder"], "reader": models["reader"]},
            "index": {"documents": len(self._documents.places), "contexts_missing": self._documents.missing},
        }
        self.fingerprint = repr((url, index, models, self._documents))

    def outcomes(self, questions: Sequence[LabelledQuestion], timed: Collection[str]) -> Iterator[Outcome]:
        """Yield outcomes; where the server is not sure, its best guess is the one candidate.

        A question that may not be asked, as it is too long, gives nothing.
        """
        for question in questions:
            if not can_be_asked(question):
                yield Outcome(question.id, (), given=False, ranking=self._documents.contexts(()))
                continue
            asked = {"question": question.text, "index": self._index}
            found = self._call("POST", "/v1/search", json={**asked, "top_k": RANKED_PASSAGES})
            ranking = self._documents.contexts(passage["document_id"] for passage in found["passages"])
            timings = found["timings_ms"] if question.id in timed else {}
            if not self._read:
                yield Outcome(question.id, (), given=False, ranking=ranking, timings_ms=timings)
                continue
            made = self._call("POST", "/v1/query", json={**asked, "top_k": CANDIDATES, "include_passages": True})
            yield Outcome(
                question.id,
                tuple(self._candidate(answer) for answer in made["answers"] or [made["best_guess"]] if answer),
                made["has_answer"],
                made["no_answer_score"],
                ranking,
                self._documents.contexts(passage["document_id"] for passage in made["passages"] or ()),
                made["timings_ms"] if timings else {},
            )

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _candidate(self, answer: Mapping[str, Any]) -> Candidate:
        span = Span(answer["document_offset"]["start"], answer["document_offset"]["end"])
        place = self._documents.places.get(answer["document_id"])
        return Candidate(answer["answer"], answer["confidence"], place, span)

    def _ids(self) -> Iterator[str]:
        cursor: str | None = None
        while True:
            page = self._call(
                "GET", "/v1/documents", params={"index": self._index, **({"cursor": cursor} if cursor else {})}
            )
            yield from (document["id"] for document in page["documents"])
            cursor = page["next"]
            if cursor is None:
                return

    def _text(self, id: str) -> str:
        path = f"/v1/documents/{quote(id, safe='')}/text"
        return self._response("GET", path, params={"index": self._index}).text

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = self._response(method, path, **options)
        try:
            made = response.json()
        except ValueError as error:
            raise Unavailable(f"{self._http.base_url}: not an answer of this service ({error})", field="url") from error
        if not isinstance(made, dict):
            raise Unavailable(f"{self._http.base_url}: not an answer of this service", field="url")
        return made

    def _response(self, method: str, path: str, **options: Any) -> httpx2.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx2.HTTPError as error:
            raise Unavailable(f"{self._http.base_url}: {error}", field="url") from error
        if response.is_error:
            raise InvalidInput(f"{method} {path}: {response.status_code} {response.text[:300]}", field="url")
        return response
