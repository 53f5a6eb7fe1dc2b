"""The two ways through the house: documents in, and answers out. Front ends call this and nothing deeper."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from qa.index.registry import DEFAULT_INDEX, Indexes
from qa.indexing.indexer import Indexer
from qa.models.embedder import Embedder
from qa.reading.answers import Ranked, candidates, located, rank_answers
from qa.reading.calibration import Calibration, Scale
from qa.reading.early_stopping import PASSAGES_READ, read_until_settled
from qa.reading.reader import Pair, Reader
from qa.reading.reranking import RERANKED, reranked
from qa.reading.spans import PassageLogits
from qa.search.filters import compile_filter
from qa.types import Hit, Mark, Passage, QueryResult, SearchResult, Span
from qa.validation import MAX_READ_TEXT, check_confidence, check_question, check_text, check_top_k

DEFAULT_TOP_K = 3
# A reranked search reads as much as so many questions: of each 4.7 passages are read on the mean.
RERANKED_AS_QUESTIONS = 4


class Engine(Indexer):
    """Models and indexes, put together. Safe to share between threads."""

    def __init__(self, indexes: Indexes, embedder: Embedder, reader: Reader, calibration: Calibration) -> None:
        super().__init__(indexes, embedder)
        self.reader = reader
        self.calibration = calibration

    def ask(self, question: str, **options: Any) -> QueryResult:
        """Answer one question: `ask_batch([question])[0]`."""
        return self.ask_batch([question], **options)[0]

    def ask_batch(
        self,
        questions: Sequence[str],
        *,
        index: str = DEFAULT_INDEX,
        top_k: int = DEFAULT_TOP_K,
        filters: Mapping[str, object] | None = None,
        min_confidence: float | None = None,
        include_passages: bool = False,
    ) -> list[QueryResult]:
        """Answer questions from the documents of an index, each as if it were asked alone.

        Args:
            questions: in plain language.
            index: its name.
            top_k: at most so many answers for each.
            filters: metadata that a document must have to be considered.
            min_confidence: give answers from this confidence on; None as calibrated, 0 for every guess.
            include_passages: return the passages that were read, too.

        Raises:
            InvalidInput: a question is blank or too long, `top_k` or `min_confidence` out of range, or a filter not
                understood.
            NotFound: there is no such index.
        """
        check_top_k(top_k)
        check_confidence(min_confidence)
        clock = _Clock()
        found = self._search(questions, index, PASSAGES_READ, filters, clock)
        weight, margin = self.calibration.retrieval_weight, self.calibration.stop_margin
        read = read_until_settled(self.reader, questions, [result.hits for result in found], weight, margin, top_k)
        clock.lap("read")
        results = []
        for question, result, passages_read in zip(questions, found, read, strict=True):
            ranked = rank_answers(passages_read, weight, self.calibration.query, top_k)
            made = _result(question, ranked, self.calibration.query, min_confidence)
            passages = tuple(result.hits[: len(passages_read)]) if include_passages else ()
            results.append(
                replace(
                    made,
                    passages=passages,
                    index=index,
                    generation=result.generation,
                    revision=result.revision,
                    timings_ms=clock.finish(),
                )
            )
        return results

    def read(
        self,
        question: str,
        text: str,
        *,
        top_k: int = DEFAULT_TOP_K,
        min_confidence: float | None = None,
        marks: Sequence[Mark] = (),
        boxes: bytes = b"",
    ) -> QueryResult:
        """Answer a question from one text, without an index; `marks` and `boxes` tell where it stands in its file.

        Raises:
            InvalidInput: the question or the text cannot be used, or `min_confidence` is out of range.
        """
        found = self.read_batch([(question, text)], top_k=top_k, min_confidence=min_confidence)[0]
        guess = found.best_guess and located(found.best_guess, marks, boxes)
        answers = tuple(located(answer, marks, boxes) for answer in found.answers)
        return replace(found, answers=answers, best_guess=guess)

    def read_batch(
        self, pairs: Sequence[tuple[str, str]], *, top_k: int = DEFAULT_TOP_K, min_confidence: float | None = None
    ) -> list[QueryResult]:
        """Answer each question from its own text."""
        for question, text in pairs:
            check_question(question)
            check_text(text, limit=MAX_READ_TEXT)
        check_top_k(top_k)
        check_confidence(min_confidence)
        clock = _Clock()
        logits = self.reader.read_batch([Pair(question, text) for question, text in pairs])
        clock.lap("read")
        timings = clock.finish()
        return [
            replace(self._read_result(question, text, read, top_k, min_confidence), timings_ms=timings)
            for (question, text), read in zip(pairs, logits, strict=True)
        ]

    def _read_result(
        self, question: str, text: str, logits: PassageLogits, top_k: int, min_confidence: float | None
    ) -> QueryResult:
        hit = Hit(None, Passage("", Span(0, len(text)), text), None, None, {}, 0.0, 0.0, 0.0)
        found = [candidates(hit, logits, top_k)]
        ranked = rank_answers(found, self.calibration.retrieval_weight, self.calibration.read, top_k)
        return _result(question, ranked, self.calibration.read, min_confidence)

    def search(self, question: str, **options: Any) -> SearchResult:
        """Find passages for one question: `search_batch([question])[0]`."""
        return self.search_batch([question], **options)[0]

    def search_batch(
        self,
        questions: Sequence[str],
        *,
        index: str = DEFAULT_INDEX,
        top_k: int = PASSAGES_READ,
        filters: Mapping[str, object] | None = None,
        rerank: bool = False,
        by_sentence: bool = True,
    ) -> list[SearchResult]:
        """Find the passages that most likely answer each question.

        Args:
            questions: in plain language.
            index: its name.
            top_k: at most so many passages for each.
            filters: metadata that a document must have to be considered.
            rerank: let the reader read the first ones, and put those first that answer: it takes longer.
            by_sentence: let count how much of the question one sentence covers. Without it, and not reranked, they are
                those that `ask` reads, in that order: there the reader sees it itself.

        Raises:
            InvalidInput: a question is blank or too long, `top_k` out of range, or a filter not understood.
            NotFound: there is no such index.
        """
        check_top_k(top_k)
        clock = _Clock()
        depth = max(top_k, RERANKED) if rerank else top_k
        found = self._search(questions, index, depth, filters, clock, by_sentence=by_sentence)
        hits: Sequence[Sequence[Hit]] = [result.hits for result in found]
        if rerank:
            hits = reranked(self.reader, questions, hits, self.calibration.retrieval_weight)
            clock.lap("read")
        timings = clock.finish()
        return [
            replace(result, hits=ranked[:top_k], timings_ms=timings) for result, ranked in zip(found, hits, strict=True)
        ]

    def _search(
        self,
        questions: Sequence[str],
        index: str,
        top_k: int,
        filters: Mapping[str, object] | None,
        clock: _Clock,
        *,
        by_sentence: bool = False,
    ) -> list[SearchResult]:
        for question in questions:
            check_question(question)
        compiled = compile_filter(filters or {})
        opened = self.indexes.get(index)
        vectors = self.embedder.encode_questions(questions)
        clock.lap("embed")
        found = [
            opened.search(q, v, top_k, compiled, by_sentence=by_sentence)
            for q, v in zip(questions, vectors, strict=True)
        ]
        clock.lap("search")
        return found

    def in_folder(self, folder: Path) -> Engine:
        """Return an engine with the same models whose indexes are in another folder."""
        return Engine(self.indexes.in_folder(folder), self.embedder, self.reader, self.calibration)

    def close(self) -> None:
        """Let go of all files."""
        self.indexes.close()


class _Clock:
    def __init__(self) -> None:
        self._began = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._laps[stage] = round((now - self._last) * 1000, 3)
        self._last = now

    def finish(self) -> dict[str, float]:
        return {**self._laps, "total": round((time.perf_counter() - self._began) * 1000, 3)}


def _result(question: str, ranked: Ranked, scale: Scale, min_confidence: float | None) -> QueryResult:
    """Give what the bound or the calibration lets through; where that is nothing, the first is the best guess."""
    if min_confidence is not None:
        given = tuple(answer for answer in ranked.answers if answer.confidence >= min_confidence)
    elif scale.refuses(ranked.no_answer):
        given = ()
    else:
        others = (answer for answer in ranked.answers[1:] if answer.confidence >= scale.threshold)
        given = (ranked.answers[0], *others)
    return QueryResult(
        query_id=uuid.uuid4().hex,
        question=question,
        answers=given,
        no_answer_score=ranked.no_answer,
        best_guess=None if given or not ranked.answers else ranked.answers[0],
        passages=(),
        index="",
        generation=0,
        revision=0,
        timings_ms={},
    )
