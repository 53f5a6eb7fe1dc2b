"""Evaluate models in this process: the reader alone, or the engine on an index."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from qa.engine import DEFAULT_TOP_K, Engine
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Candidate, MarkedUnit, Outcome
from qa.evaluation.systems import CANDIDATES, RANKED_PASSAGES, MatchedDocuments, Mode, Progress, is_askable
from qa.reading import reranking
from qa.reading.calibration import Scale
from qa.results import QueryResult, SearchResult
from qa.types import Document

# Large enough to keep all cores busy.
_QUESTION_BATCH = 32
_DOCUMENT_BATCH = 64

_Batch = Sequence[LabelledQuestion]
_Filters = Mapping[str, object] | None


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
    """An engine on an index, queried for answers and evidence, or for passages in the modes that rank.

    A data set of texts is asked for every candidate. One of extracted documents is asked as people ask, with the
    engine's defaults: its outcomes are what a result shows.
    """

    def __init__(self, engine: Engine, index: str, dataset: Dataset, mode: Mode) -> None:
        self._engine = engine
        self._index = index
        self._mode = mode
        self._as_shown = bool(dataset.documents)
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

        Questions asked within their documents get no ranking. One that is too long to ask gets an empty outcome, and so
        does one whose document is not in the index.
        """
        for batch, filters in self._filtered_batches(questions):
            has_document = filters is None or bool(filters["document_id"])
            askable = {question.id: question.text for question in batch if has_document and is_askable(question)}
            texts = list(askable.values())
            searches = [None] * len(texts) if self._mode.names_document else self._search(texts)
            answers = [None] * len(texts) if self._mode.ranks or not texts else self._ask(texts, filters)
            results = dict(zip(askable, zip(searches, answers, strict=True), strict=True))
            for question in batch:
                if question.id not in results:
                    no_ranking = None if self._mode.names_document else self._documents.contexts(())
                    yield Outcome(question.id, (), given=False, ranking=no_ranking)
                    continue
                timings = self._time_alone(question.text, filters) if question.id in timed else {}
                yield self._build_outcome(question.id, *results[question.id], timings)

    def _filtered_batches(self, questions: Sequence[LabelledQuestion]) -> Iterator[tuple[_Batch, _Filters]]:
        """Yield batches, with a filter on the questions' own document where they are asked within it."""
        if not self._mode.names_document:
            yield from ((batch, None) for batch in _batches(questions))
            return
        for context, group in groupby(questions, key=lambda question: question.context):
            for batch in _batches(list(group)):
                yield batch, {"document_id": self._documents.at(context)}

    def _build_outcome(
        self, id: str, search: SearchResult | None, result: QueryResult | None, timings: Mapping[str, float]
    ) -> Outcome:
        ranking = None
        if search is not None:
            ranking = self._documents.contexts(hit.passage.document_id for hit in search.hits)
        if result is None:
            return Outcome(id, (), given=False, ranking=ranking, timings_ms=timings)
        guesses = (*([result.best_guess] if result.best_guess else ()), *result.alternatives)
        position = self._documents.positions.get
        # A result without an answer has the first passages that were found, whether or not they were read.
        reports_read = result.has_answer or not self._as_shown
        read = self._documents.contexts(hit.passage.document_id for hit in result.passages) if reports_read else None
        return Outcome(
            id,
            tuple(
                Candidate(a.text, a.confidence, position(a.document_id), a.span, tuple(item.text for item in a.items))
                for a in result.answers or guesses
            ),
            result.has_answer if self._as_shown else _is_given(result, self._engine.calibration.query),
            result.no_answer_score,
            ranking,
            read,
            timings,
            result.status if self._as_shown else None,
            tuple(MarkedUnit(position(unit.document_id), unit.span, unit.score) for unit in result.evidence),
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

    def _ask(self, questions: Sequence[str], filters: _Filters) -> list[QueryResult]:
        top_k, min_confidence = (DEFAULT_TOP_K, None) if self._as_shown else (CANDIDATES, 0.0)
        return self._engine.ask_batch(
            questions,
            index=self._index,
            top_k=top_k,
            filters=filters,
            min_confidence=min_confidence,
            include_passages=True,
        )

    def _time_alone(self, question: str, filters: _Filters) -> Mapping[str, float]:
        (result,) = self._search([question]) if self._mode.ranks else self._ask([question], filters)
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
            texts = [Document(str(position), text) for position, text in enumerate(dataset.contexts)]
            documents = dataset.documents or texts
            for first in range(0, len(documents), _DOCUMENT_BATCH):
                batch = documents[first : first + _DOCUMENT_BATCH]
                # Public corpora contain blank documents, which cannot be indexed and match no question.
                temporary.add([document for document in batch if document.text.strip()])
                progress(len(batch))
            temporary.indexes.get("default").catch_up()
            yield IndexSystem(temporary, "default", dataset, mode)
        finally:
            temporary.close()


def _batches(questions: Sequence[LabelledQuestion]) -> Iterator[_Batch]:
    for first in range(0, len(questions), _QUESTION_BATCH):
        yield questions[first : first + _QUESTION_BATCH]


def _models(engine: Engine) -> dict[str, str]:
    return {"embedder": engine.embedder.identity, "reader": engine.reader.identity}


def _is_given(result: QueryResult, scale: Scale) -> bool:
    """Return whether the best candidate would be given without a minimum confidence."""
    return bool(result.answers) and scale.status(result.answers[0].confidence) == "answered"
