"""Answer a question with the best answer of each of several documents."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from qa.answering.asking import Answerer, AskOptions
from qa.index.questions import encode, search_best_documents
from qa.reading.early_stopping import MAX_PASSAGES_READ
from qa.reading.evidence import MAX_UNITS
from qa.reading.selection import PASSAGES_WITHOUT_ANSWER
from qa.results import Answer, QueryResult, SearchResult, Status
from qa.search.filters import parse_filter
from qa.stopwatch import Stopwatch
from qa.validation import check_question


def answer_by_document(answerer: Answerer, question: str, options: AskOptions) -> QueryResult:
    """Answer a question from each of the `top_k` documents that match it best, as if it were asked of each alone.

    Errors are as for `Engine.ask`.
    """
    options.check()
    check_question(question)
    compiled = parse_filter(options.filters or {})
    clock = Stopwatch()
    index = answerer.indexes.get(options.index)
    (encoded,) = encode(index, answerer.embedder, [question], clock.lap)
    found, searches = search_best_documents(index, encoded, compiled, options.top_k, MAX_PASSAGES_READ)
    clock.lap("search")
    results = answerer.select([(question, encoded.text)] * len(searches), searches, replace(options, top_k=1))
    clock.lap("read")
    result = combine(question, found, results, include_passages=options.include_passages)
    return replace(result, index=options.index, timings_ms=clock.timings_ms())


def combine(
    question: str, found: SearchResult, results: Sequence[QueryResult], *, include_passages: bool
) -> QueryResult:
    """Return one result from those of several documents, with at most one answer of each (pure).

    Args:
        question: in plain language.
        found: the search of all documents.
        results: of the documents that were asked; none if there is nothing to search.
        include_passages: whether the results have the passages that were read.
    """
    answers = _rank(result.answers[:1] for result in results)
    guesses = _rank([result.best_guess] for result in results if result.best_guess) if not answers else []
    statuses: tuple[Status, ...] = ("answered", "unsure", "not_found")
    present = {result.status for result in results}
    units = sorted(
        chain.from_iterable(result.evidence for result in results), key=lambda u: (-u.score, u.document_id, u.span)
    )
    read = [hit for result in results for hit in result.passages] if include_passages else ()
    return QueryResult(
        query_id=uuid.uuid4().hex,
        question=question,
        status=next((status for status in statuses if status in present), "nothing_to_search"),
        answers=tuple(answers),
        no_answer_score=min((result.no_answer_score for result in results), default=1.0),
        best_guess=guesses[0] if guesses else None,
        passages=tuple(read if answers else found.hits[:PASSAGES_WITHOUT_ANSWER]),
        index="",
        generation=found.generation,
        revision=found.revision,
        timings_ms={},
        alternatives=tuple(guesses[1:]),
        corrected=found.corrected,
        evidence=tuple(units[:MAX_UNITS]),
    )


def _rank(answers: Iterable[Sequence[Answer]]) -> list[Answer]:
    """Return answers, best first. Scores of spans and of evidence are not comparable, so confidence comes first."""
    return sorted(chain.from_iterable(answers), key=lambda a: (-a.confidence, -a.score, a.document_id))
