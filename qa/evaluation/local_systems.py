"""Evaluate models in this process: the reader alone, or the engine on an index."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from qa.engine import Engine
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Candidate, Outcome
from qa.evaluation.systems import CANDIDATES, RANKED_PASSAGES, MatchedDocuments, Mode, Progress, is_askable
from qa.reading import reranking
from qa.reading.calibration import Scale
from qa.results import QueryResult, SearchResult
from qa.types import Document

# Large enough to keep all cores busy.
_QUESTION_BATCH = 32
_DOCUMENT_BATCH = 64


class ReaderSystem:
    """The reader, given each question with its labelled context."""

    def __init__(self, engine: Engine, dataset: Dataset) -> None:
        self._engine = engine
        self._dataset = dataset
        self.description: Mapping[str, object] = {"model": _models(engine), "index": None}
        self.fingerprint = repr((_models(engine), engine.calibration))

    def outcomes(self, questions: Sequence[LabelledQuestion], timed: Collection[str]) -> Iterator[Outcome]:
        """Yield outcomes without rankings; questions are read in batches, and the timed ones again alone."""
        for batch in _batches(questions):
            pairs = [(q.text, self._dataset.contexts[q.context]) for q in batch]
            results = self._engine.read_batch(pairs, top_k=CANDIDATES, min_confidence=0.0)
            for question, pair, result in zip(batch, pairs, results, strict=True):
                candidates = tuple(Candidate(a.text, a.confidence, question.context, a.span) for a in result.answers)
                is_given = _is_given(result, self._engine.calibration.read)
                timings = self._engine.read(*pair).timings_ms if question.id in timed else {}
                yield Outcome(question.id, candidates, is_given, result.no_answer_score, timings_ms=timings)


class IndexSystem:
    """An engine on an index, queried for answers in end-to-end mode and for passages in the other modes."""

    def __init__(self, engine: Engine, index: str, dataset: Dataset, mode: Mode) -> None:
        self._engine = engine
        self._index = index
        self._mode = mode
        texts = {
            info.id: engine.documents.get(info.id, index=index)[0].text for info in engine.documents.all(index=index)
        }
        self._documents = MatchedDocuments(texts, dataset)
        documents, passages = engine.indexes.get(index).counts()
        self.description: Mapping[str, object] = {
            "model": _models(engine),
            "index": {"documents": documents, "passages": passages, "contexts_missing": self._documents.missing},
        }
        self.fingerprint = repr((_models(engine), engine.calibration, reranking.IDENTITY, index, self._documents))

    def outcomes(self, questions: Sequence[LabelledQuestion], timed: Collection[str]) -> Iterator[Outcome]:
        """Yield outcomes; questions are asked in batches, and the timed ones again alone.

        A question that is too long to ask gets an empty outcome.
        """
        for batch in _batches(questions):
            askable = {question.id: question.text for question in batch if is_askable(question)}
            texts = list(askable.values())
            searches = self._search(texts)
            answers = self._ask(texts) if self._mode.gives_answers else [None] * len(texts)
            results = dict(zip(askable, zip(searches, answers, strict=True), strict=True))
            for question in batch:
                if question.id not in results:
                    yield Outcome(question.id, (), given=False, ranking=self._documents.contexts(()))
                    continue
                timings = self._time_alone(question.text) if question.id in timed else {}
                yield self._build_outcome(question.id, *results[question.id], timings)

    def _build_outcome(
        self, id: str, search: SearchResult, result: QueryResult | None, timings: Mapping[str, float]
    ) -> Outcome:
        ranking = self._documents.contexts(hit.passage.document_id for hit in search.hits)
        if result is None:
            return Outcome(id, (), given=False, ranking=ranking, timings_ms=timings)
        return Outcome(
            id,
            tuple(
                Candidate(a.text, a.confidence, self._documents.positions.get(a.document_id), a.span)
                for a in result.answers
            ),
            _is_given(result, self._engine.calibration.query),
            result.no_answer_score,
            ranking,
            self._documents.contexts(hit.passage.document_id for hit in result.passages),
            timings,
        )

    def _search(self, questions: Sequence[str]) -> list[SearchResult]:
        return self._engine.search_batch(
            questions,
            index=self._index,
            top_k=RANKED_PASSAGES,
            rerank=self._mode is Mode.RERANKED,
            # With answers, report the ranking in which the reader gets the passages.
            by_sentence=not self._mode.gives_answers,
        )

    def _ask(self, questions: Sequence[str]) -> list[QueryResult]:
        return self._engine.ask_batch(
            questions, index=self._index, top_k=CANDIDATES, min_confidence=0.0, include_passages=True
        )

    def _time_alone(self, question: str) -> Mapping[str, float]:
        (result,) = self._ask([question]) if self._mode.gives_answers else self._search([question])
        return result.timings_ms


@contextmanager
def temporary_index(engine: Engine, dataset: Dataset, mode: Mode, progress: Progress) -> Iterator[IndexSystem]:
    """Index a data set's contexts in a temporary folder, one document each.

    Args:
        engine: provides the models; its indexes stay unchanged.
        dataset: provides the contexts.
        mode: what to evaluate on the index.
        progress: called with the number of contexts just indexed.
    """
    with tempfile.TemporaryDirectory(prefix="qa-eval-") as folder:
        temporary = engine.in_folder(Path(folder))
        try:
            temporary.indexes.get_or_create("default")
            documents = [Document(str(position), text) for position, text in enumerate(dataset.contexts)]
            for first in range(0, len(documents), _DOCUMENT_BATCH):
                batch = documents[first : first + _DOCUMENT_BATCH]
                # Public corpora contain blank documents, which cannot be indexed and match no question.
                temporary.add([document for document in batch if document.text.strip()])
                progress(len(batch))
            temporary.indexes.get("default").catch_up()
            yield IndexSystem(temporary, "default", dataset, mode)
        finally:
            temporary.close()


def _batches(questions: Sequence[LabelledQuestion]) -> Iterator[Sequence[LabelledQuestion]]:
    for first in range(0, len(questions), _QUESTION_BATCH):
        yield questions[first : first + _QUESTION_BATCH]


def _models(engine: Engine) -> dict[str, str]:
    return {"embedder": engine.embedder.identity, "reader": engine.reader.identity}


def _is_given(result: QueryResult, scale: Scale) -> bool:
    """Return whether the best candidate would be given without a minimum confidence."""
    return bool(result.answers) and scale.status(result.answers[0].confidence) == "answered"
