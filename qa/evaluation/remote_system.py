"""A running server as a system that is evaluated."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from qa.client import Client
from qa.errors import QAError
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Candidate, Outcome
from qa.evaluation.systems import CANDIDATES, RANKED_PASSAGES, MatchedDocuments, Mode, can_be_asked
from qa.types import Span
from qa.wire.questions import AnswerOut


class Server:
    """A running server, asked over HTTP: for answers end-to-end, and else for passages."""

    def __init__(self, url: str, index: str, dataset: Dataset, mode: Mode, key: str | None = None) -> None:
        """Look up which of the server's documents are contexts of the data set.

        Raises:
            Unavailable: the server does not answer, or not as this version does.
            QAError: it refuses; its own words are told.
        """
        self._client = Client(url, key=key)
        self._index = index
        self._mode = mode
        try:
            models = self._client.ready()
            self._documents = MatchedDocuments({id: self._client.text(id, index=index) for id in self._ids()}, dataset)
        except QAError:
            self.close()
            raise
        self.description: Mapping[str, object] = {
            "model": {"embedder": models.embedder, "reader": models.reader},
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
            found = self._client.search(
                question.text, index=self._index, top_k=RANKED_PASSAGES, rerank=self._mode is Mode.RERANKED
            )
            ranking = self._documents.contexts(passage.document_id for passage in found.passages)
            timings = found.timings_ms if question.id in timed else {}
            if not self._mode.gives_answers:
                yield Outcome(question.id, (), given=False, ranking=ranking, timings_ms=timings)
                continue
            made = self._client.query(question.text, index=self._index, top_k=CANDIDATES, include_passages=True)
            yield Outcome(
                question.id,
                tuple(map(self._candidate, made.answers or filter(None, [made.best_guess]))),
                made.has_answer,
                made.no_answer_score,
                ranking,
                self._documents.contexts(passage.document_id for passage in made.passages or ()),
                made.timings_ms if timings else {},
            )

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _candidate(self, answer: AnswerOut) -> Candidate:
        span = Span(answer.document_offset.start, answer.document_offset.end)
        place = self._documents.places.get(answer.document_id or "")
        return Candidate(answer.answer, answer.confidence, place, span)

    def _ids(self) -> Iterator[str]:
        cursor: str | None = None
        while True:
            page = self._client.documents(index=self._index, cursor=cursor)
            yield from (document.id for document in page.documents)
            cursor = page.next
            if cursor is None:
                return
