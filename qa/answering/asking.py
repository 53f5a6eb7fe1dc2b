"""Answer questions from all documents of an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from qa.index.questions import search_questions
from qa.index.registry import Indexes
from qa.models.embedder import Embedder
from qa.reading.calibration import Calibration
from qa.reading.early_stopping import MAX_PASSAGES_READ, read_passages
from qa.reading.reader import Reader
from qa.reading.selection import select_from_search
from qa.results import QueryResult, SearchResult
from qa.stopwatch import Stopwatch
from qa.validation import check_confidence, check_top_k


@dataclass(frozen=True, slots=True)
class Answerer:
    """What answers questions from the indexes of a folder."""

    indexes: Indexes
    embedder: Embedder
    reader: Reader
    calibration: Calibration

    def select(
        self,
        questions: Sequence[tuple[str, str]],
        searches: Sequence[SearchResult],
        top_k: int,
        min_confidence: float | None,
        *,
        include_passages: bool = False,
    ) -> list[QueryResult]:
        """Read the passages that were found for each question, and select its answers.

        Args:
            questions: each as it was asked, and as it was searched.
            searches: what was found for each question.
            top_k: maximum number of answers to each question.
            min_confidence: minimum confidence of answers; None applies the calibrated thresholds.
            include_passages: also return the passages that were read.
        """
        weight, margin = self.calibration.retrieval_weight, self.calibration.stop_margin
        texts = [text for _, text in questions]
        readings = read_passages(self.reader, texts, [s.hits for s in searches], weight, margin, top_k + 1)
        return [
            replace(
                select_from_search(
                    asked,
                    search,
                    reading,
                    self.calibration,
                    top_k,
                    min_confidence,
                    include_passages=include_passages,
                ),
                corrected=search.corrected,
            )
            for (asked, _), search, reading in zip(questions, searches, readings, strict=True)
        ]


def answer_questions(
    answerer: Answerer,
    questions: Sequence[str],
    index: str,
    top_k: int,
    filters: Mapping[str, object] | None,
    min_confidence: float | None,
    *,
    include_passages: bool,
) -> list[QueryResult]:
    """Answer several questions; arguments, results and errors are as for `Engine.ask`."""
    check_top_k(top_k)
    check_confidence(min_confidence)
    clock = Stopwatch()
    texts, searches = search_questions(
        answerer.indexes, index, answerer.embedder, questions, MAX_PASSAGES_READ, filters, clock.lap
    )
    pairs = list(zip(questions, texts, strict=True))
    results = answerer.select(pairs, searches, top_k, min_confidence, include_passages=include_passages)
    clock.lap("read")
    return [replace(result, index=index, timings_ms=clock.timings_ms()) for result in results]
