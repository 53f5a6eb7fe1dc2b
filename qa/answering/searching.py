"""Search the passages of an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from qa.answering.asking import Answerer
from qa.index.questions import search_questions
from qa.reading.reranking import RERANK_DEPTH, rerank_hits
from qa.results import Hit, SearchResult
from qa.stopwatch import Stopwatch
from qa.validation import check_top_k

# The cost of a reranked search in questions: a question reads 4.7 passages on average, a reranked search 20.
RERANKED_AS_QUESTIONS = 4


def search_passages(
    answerer: Answerer,
    questions: Sequence[str],
    index: str,
    top_k: int,
    filters: Mapping[str, object] | None,
    *,
    rerank: bool,
    by_sentence: bool,
) -> list[SearchResult]:
    """Search for several questions; arguments, results and errors are as for `Engine.search`."""
    check_top_k(top_k)
    clock = Stopwatch()
    depth = max(top_k, RERANK_DEPTH) if rerank else top_k
    asked, searches = search_questions(
        answerer.indexes, index, answerer.embedder, questions, depth, filters, clock.lap, by_sentence=by_sentence
    )
    hits: Sequence[Sequence[Hit]] = [search.hits for search in searches]
    if rerank:
        hits = rerank_hits(answerer.reader, asked, hits, answerer.calibration.retrieval_weight)
        clock.lap("read")
    return [
        replace(search, hits=ranked[:top_k], timings_ms=clock.timings_ms())
        for search, ranked in zip(searches, hits, strict=True)
    ]
