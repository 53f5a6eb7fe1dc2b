"""Our models as a system that is evaluated: the reader alone, or an index that is asked."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from qa.engine import Engine
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Candidate, Outcome
from qa.evaluation.systems import CANDIDATES, RANKED_PASSAGES, MatchedDocuments, Mode, Progress, can_be_asked
from qa.reading import reranking
from qa.reading.calibration import Scale
from qa.types import Document, QueryResult, SearchResult

# Together they keep all cores busy.
_ASKED_TOGETHER = 32
_DOCUMENTS_TOGETHER = 64


class ReaderSystem:
    """The reader on each question's own context."""

    def __init__(self, engine: Engine, dataset: Dataset) -> None:
        self._engine = engine
        self._dataset = dataset
        self.description: Mapping[str, object] = {"model": _models(engine), "index": None}
        self.fingerprint = repr((_models(engine), engine.calibration))

    def outcomes(self, questions: Sequence[LabelledQuestion], timed: Collection[str]) -> Iterator[Outcome]:
        """Yield outcomes without rankings; questions are read together, and some of them once more for the time."""
        for part in _parts(questions):
            pairs = [(q.text, self._dataset.contexts[q.context]) for q in part]
            results = self._engine.read_batch(pairs, top_k=CANDIDATES, min_confidence=0.0)
            for question, pair, result in zip(part, pairs, results, strict=True):
                candidates = tuple(Candidate(a.text, a.confidence, question.context, a.span) for a in result.answers)
                given = _sure(result, self._engine.calibration.read)
                timings = self._engine.read(*pair).timings_ms if question.id in timed else {}
                yield Outcome(question.id, candidates, given, result.no_answer_score, timings_ms=timings)


class IndexSystem:
    """An index that is asked: for answers end-to-end, and else for passages."""

    def __init__(self, engine: Engine, index: str, dataset: Dataset, mode: Mode) -> None:
        self._engine = engine
        self._index = index
        self._mode = mode
        texts = {info.id: engine.document(info.id, index=index)[0].text for info in engine.all_documents(index=index)}
        self._documents = MatchedDocuments(texts, dataset)
        documents, passages = engine.indexes.get(index).counts()
        self.description: Mapping[str, object] = {
            "model": _models(engine),
            "index": {"documents": documents, "passages": passages, "contexts_missing": self._documents.missing},
        }
        self.fingerprint = repr((_models(engine), engine.calibration, reranking.IDENTITY, index, self._documents))

    def outcomes(self, questions: Sequence[LabelledQuestion], timed: Collection[str]) -> Iterator[Outcome]:
        """Yield outcomes; questions are asked together, and some of them once more for the time.

        A question that may not be asked, as it is too long, gives nothing.
        """
        for part in _parts(questions):
            askable = {question.id: question.text for question in part if can_be_asked(question)}
            texts = list(askable.values())
            found = self._search(texts)
            made = self._ask(texts) if self._mode.gives_answers else [None] * len(texts)
            outcomes = dict(zip(askable, zip(found, made, strict=True), strict=True))
            for question in part:
                if question.id not in outcomes:
                    yield Outcome(question.id, (), given=False, ranking=self._documents.contexts(()))
                    continue
                timings = self._alone(question.text) if question.id in timed else {}
                yield self._outcome(question.id, *outcomes[question.id], timings)

    def _outcome(
        self, id: str, found: SearchResult, result: QueryResult | None, timings: Mapping[str, float]
    ) -> Outcome:
        ranking = self._documents.contexts(hit.passage.document_id for hit in found.hits)
        if result is None:
            return Outcome(id, (), given=False, ranking=ranking, timings_ms=timings)
        return Outcome(
            id,
            tuple(
                Candidate(a.text, a.confidence, self._documents.places.get(a.document_id), a.span)
                for a in result.answers
            ),
            _sure(result, self._engine.calibration.query),
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
            # What is read has the ranking that it is read in.
            by_sentence=not self._mode.gives_answers,
        )

    def _ask(self, questions: Sequence[str]) -> list[QueryResult]:
        return self._engine.ask_batch(
            questions, index=self._index, top_k=CANDIDATES, min_confidence=0.0, include_passages=True
        )

    def _alone(self, question: str) -> Mapping[str, float]:
        (made,) = self._ask([question]) if self._mode.gives_answers else self._search([question])
        return made.timings_ms


@contextmanager
def own_contexts(engine: Engine, dataset: Dataset, mode: Mode, progress: Progress) -> Iterator[IndexSystem]:
    """Put a data set's contexts into a throw-away index, one document each.

    Args:
        engine: its models are used, its indexes are not touched.
        dataset: where the contexts come from.
        mode: what is wanted of the index.
        progress: is told how many more contexts are in.
    """
    with tempfile.TemporaryDirectory(prefix="qa-eval-") as folder:
        ready = engine.in_folder(Path(folder))
        try:
            ready.indexes.get_or_create("default")
            documents = [Document(str(place), text) for place, text in enumerate(dataset.contexts)]
            for first in range(0, len(documents), _DOCUMENTS_TOGETHER):
                part = documents[first : first + _DOCUMENTS_TOGETHER]
                # Public corpora have blank documents; no question can find one.
                ready.add([document for document in part if document.text.strip()])
                progress(len(part))
            ready.indexes.get("default").catch_up()
            yield IndexSystem(ready, "default", dataset, mode)
        finally:
            ready.close()


def _parts(questions: Sequence[LabelledQuestion]) -> Iterator[Sequence[LabelledQuestion]]:
    for first in range(0, len(questions), _ASKED_TOGETHER):
        yield questions[first : first + _ASKED_TOGETHER]


def _models(engine: Engine) -> dict[str, str]:
    return {"embedder": engine.embedder.identity, "reader": engine.reader.identity}


def _sure(result: QueryResult, scale: Scale) -> bool:
    """Tell whether the best of all guesses would be given without being asked for."""
    return bool(result.answers) and not scale.refuses(result.no_answer_score)
