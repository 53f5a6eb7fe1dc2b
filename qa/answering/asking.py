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
class AskOptions:
    """The options of a question, as `Engine.ask` has them.

    Attributes:
        index: name of the index.
        top_k: maximum number of answers.
        filters: conditions on metadata that a document must meet.
        min_confidence: minimum confidence of answers; None applies the calibrated thresholds.
        include_passages: also return the passages that were read.
    """

    index: str
    top_k: int
    filters: Mapping[str, object] | None = None
    min_confidence: float | None = None
    include_passages: bool = False

    def check(self) -> None:
        """Raise InvalidInput if a number is out of range."""
        check_top_k(self.top_k)
        check_confidence(self.min_confidence)


@dataclass(frozen=True, slots=True)
class Answerer:
    """What answers questions from the indexes of a folder."""

    indexes: Indexes
    embedder: Embedder
    reader: Reader
    calibration: Calibration

    def select(
        self, questions: Sequence[tuple[str, str]], searches: Sequence[SearchResult], options: AskOptions
    ) -> list[QueryResult]:
        """Read the passages that were found for each question, and select its answers.

        Args:
            questions: each as it was asked, and as it was searched.
            searches: what was found for each question.
            options: of all questions.
        """
        calibration, top_k = self.calibration, options.top_k
        texts, hits = [text for _, text in questions], [search.hits for search in searches]
        weight, margin = calibration.retrieval_weight, calibration.stop_margin
        readings = read_passages(self.reader, texts, hits, weight, margin, top_k + 1)
        return [
            replace(
                select_from_search(
                    asked,
                    search,
                    reading,
                    calibration,
                    top_k,
                    options.min_confidence,
                    include_passages=options.include_passages,
                ),
                index=options.index,
                corrected=search.corrected,
            )
            for (asked, _), search, reading in zip(questions, searches, readings, strict=True)
        ]


def answer_questions(answerer: Answerer, questions: Sequence[str], options: AskOptions) -> list[QueryResult]:
    """Answer several questions; errors are as for `Engine.ask`."""
    options.check()
    clock = Stopwatch()
    texts, searches = search_questions(
        answerer.indexes, options.index, answerer.embedder, questions, MAX_PASSAGES_READ, options.filters, clock.lap
    )
    results = answerer.select(list(zip(questions, texts, strict=True)), searches, options)
    clock.lap("read")
    return [replace(result, timings_ms=clock.timings_ms()) for result in results]
