"""Evaluate a running server over HTTP."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from qa.client import Client
from qa.errors import QAError
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Candidate, Outcome
from qa.evaluation.systems import CANDIDATES, RANKED_PASSAGES, MatchedDocuments, Mode, is_askable
from qa.results import Answer


class RemoteSystem:
    """A running server, queried for answers in end-to-end mode and for passages in the other modes."""

    def __init__(self, url: str, index: str, dataset: Dataset, mode: Mode, key: str | None = None) -> None:
        """Fetch the documents of the index and match them to the contexts of the data set.

        Raises:
            Unavailable: the server does not respond, or runs an incompatible version.
            QAError: the server rejects a request; the message is the server's.
        """
        self._client = Client(url, key=key)
        self._index = index
        self._mode = mode
        try:
            models = self._client.ready()
            self._documents = MatchedDocuments(
                {id: self._client.text(id, index=index) for id in self._document_ids()}, dataset
            )
        except QAError:
            self.close()
            raise
        self.description: Mapping[str, object] = {
            "model": {"embedder": models.embedder, "reader": models.reader},
            "index": {"documents": len(self._documents.positions), "contexts_missing": self._documents.missing},
        }
        self.fingerprint = repr((url, index, models, self._documents))

    def outcomes(self, questions: Sequence[LabelledQuestion], timed: Collection[str]) -> Iterator[Outcome]:
        """Yield outcomes; where the server gives no answer, its best guess is the only candidate.

        A question that is too long to ask gets an empty outcome.
        """
        for question in questions:
            if not is_askable(question):
                yield Outcome(question.id, (), given=False, ranking=self._documents.contexts(()))
                continue
            search = self._client.search(
                question.text, index=self._index, top_k=RANKED_PASSAGES, rerank=self._mode is Mode.RERANKED
            )
            ranking = self._documents.contexts(hit.document_id for hit in search.hits)
            timings = search.timings_ms if question.id in timed else {}
            if not self._mode.gives_answers:
                yield Outcome(question.id, (), given=False, ranking=ranking, timings_ms=timings)
                continue
            result = self._client.ask(question.text, index=self._index, top_k=CANDIDATES, include_passages=True)
            yield Outcome(
                question.id,
                tuple(map(self._candidate, result.answers or filter(None, [result.best_guess]))),
                result.has_answer,
                result.no_answer_score,
                ranking,
                self._documents.contexts(hit.document_id for hit in result.passages),
                result.timings_ms if timings else {},
            )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _candidate(self, answer: Answer) -> Candidate:
        position = self._documents.positions.get(answer.document_id)
        return Candidate(answer.text, answer.confidence, position, answer.span)

    def _document_ids(self) -> Iterator[str]:
        cursor: str | None = None
        while True:
            page = self._client.documents(index=self._index, cursor=cursor)
            yield from (document.id for document in page.documents)
            cursor = page.next
            if cursor is None:
                return
