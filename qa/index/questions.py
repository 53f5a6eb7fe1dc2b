"""Search an index for questions, after their spelling has been corrected from the words of its documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from qa.index.local import LocalIndex
from qa.index.registry import Indexes
from qa.models.embedder import Embedder
from qa.results import SearchResult
from qa.search.filters import Filter, parse_filter, restrict
from qa.search.long_questions import encode_questions
from qa.types import DocumentInfo
from qa.validation import check_question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa.index.snapshot import LocalSnapshot

# Passages among which the documents that best match a question are looked for first.
_FIRST_DEPTH = 100


class EncodedQuestion(NamedTuple):
    """A question, ready to be searched.

    Attributes:
        text: the question as it is searched and read.
        vector: its unit vector, shape (dimension,).
        corrected: the same as `text` if its spelling was corrected, else None.
    """

    text: str
    vector: NDArray[np.float32]
    corrected: str | None


class DocumentSearches(NamedTuple):
    """A document, and for each question what a search of this document alone finds."""

    info: DocumentInfo
    searches: Sequence[SearchResult]


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
    encoded = encode(index, embedder, questions, lap)
    searches = [
        replace(index.search(text, vector, top_k, compiled, by_sentence=by_sentence), corrected=corrected)
        for text, vector, corrected in encoded
    ]
    lap("search")
    return [question.text for question in encoded], searches


def encode(
    index: LocalIndex, embedder: Embedder, questions: Sequence[str], lap: Callable[[str], None] = lambda _: None
) -> list[EncodedQuestion]:
    """Correct the spelling of questions, and embed them.

    Args:
        index: the index whose words corrections come from.
        embedder: turns questions into vectors.
        questions: in plain language.
        lap: as for `search_questions`.
    """
    corrected = [index.correct_spelling(question, embedder.token_starts) for question in questions]
    lap("search")
    texts = [correction or question for correction, question in zip(corrected, questions, strict=True)]
    vectors = encode_questions(embedder.encode_questions, texts)
    lap("embed")
    return list(map(EncodedQuestion, texts, vectors, corrected))


def search_documents(
    index: LocalIndex,
    questions: Sequence[EncodedQuestion],
    revision: int,
    filter: Filter | None,
    after: str | None,
    limit: int,
    top_k: int,
) -> list[DocumentSearches]:
    """Search documents one by one, all in one snapshot of the newest revision.

    Args:
        index: the index.
        questions: the questions.
        revision: documents added after it are left out.
        filter: condition that the documents pass; None for all.
        after: the id after which the documents start, in the order of their ids; None for the first.
        limit: maximum number of documents.
        top_k: maximum number of passages for each document and question.
    """
    from qa.index.snapshot import LocalSnapshot

    return index.derived.query(
        lambda view, transaction: [
            DocumentSearches(info, _search_within(LocalSnapshot(view, transaction), info.id, questions, top_k))
            for info in transaction.documents_at(revision, filter, after, limit)
        ]
    )


def search_best_documents(
    index: LocalIndex, question: EncodedQuestion, filter: Filter | None, limit: int, top_k: int
) -> tuple[SearchResult, list[SearchResult]]:
    """Search the documents whose passages match a question best, all in one snapshot of the newest revision.

    Args:
        index: the index.
        question: the question.
        filter: condition that the documents pass; None for all.
        limit: maximum number of documents.
        top_k: maximum number of passages of each document.

    Returns:
        The search of all documents, and for each of the best documents, the search of it alone.
    """
    from qa.index.snapshot import LocalSnapshot
    from qa.search.hybrid import search

    def search_all_then_each(snapshot: LocalSnapshot) -> tuple[SearchResult, list[SearchResult]]:
        depth = _FIRST_DEPTH
        while True:
            found = search(snapshot, question.text, question.vector, depth, filter)
            ids = list(dict.fromkeys(hit.document_id for hit in found.hits))
            if len(ids) >= limit or len(found.hits) < depth:
                break
            # A long document may have all of these passages.
            depth *= 4
        searches = [_search_within(snapshot, id, [question], top_k)[0] for id in ids[:limit]]
        return replace(found, corrected=question.corrected), searches

    return index.derived.query(lambda *pinned: search_all_then_each(LocalSnapshot(*pinned)))


def _search_within(
    snapshot: LocalSnapshot, document_id: str, questions: Sequence[EncodedQuestion], top_k: int
) -> list[SearchResult]:
    """Return for each question the passages of a document that a search with a filter on this document finds."""
    from qa.search.hybrid import search

    only = restrict(None, [document_id])
    return [
        replace(search(snapshot, text, vector, top_k, only), corrected=corrected)
        for text, vector, corrected in questions
    ]
