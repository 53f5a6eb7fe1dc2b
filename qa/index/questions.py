"""Search an index for questions, after their spelling has been corrected from the words of its documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from qa.index.registry import Indexes
from qa.models.embedder import Embedder
from qa.results import SearchResult
from qa.search.filters import parse_filter
from qa.search.long_questions import encode_questions
from qa.validation import check_question


def search_questions(
    indexes: Indexes,
    name: str,
    embedder: Embedder,
    questions: Sequence[str],
    top_k: int,
    filters: Mapping[str, object] | None,
    lap: Callable[[str], None],
    *,
    by_sentence: bool = False,
) -> tuple[list[str], list[SearchResult]]:
    """Return the questions as they were searched, and the passages that were found for each.

    Args:
        indexes: the named indexes.
        name: name of the index.
        embedder: turns questions into vectors.
        questions: in plain language.
        top_k: maximum number of passages for each question.
        filters: conditions on metadata that a document must meet.
        lap: called with the name of each stage when it ends.
        by_sentence: also score how much of the question a single sentence covers.

    Raises:
        InvalidInput: a question is blank or too long, or a filter is not valid.
        NotFound: the index does not exist.
    """
    for question in questions:
        check_question(question)
    compiled = parse_filter(filters or {})
    index = indexes.get(name)
    corrected = [index.correct_spelling(question, embedder.token_starts) for question in questions]
    lap("search")
    asked = [correction or question for correction, question in zip(corrected, questions, strict=True)]
    vectors = encode_questions(embedder.encode_questions, asked)
    lap("embed")
    searches = [
        replace(index.search(question, vector, top_k, compiled, by_sentence=by_sentence), corrected=correction)
        for question, vector, correction in zip(asked, vectors, corrected, strict=True)
    ]
    lap("search")
    return asked, searches
