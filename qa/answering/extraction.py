"""Ask the same questions of every document: rows in the order of the document ids, read batch by batch.

Each question is corrected and embedded once. A batch of documents shares one snapshot, and its passages are read
together, so that no thread of the reader waits for a short document. Two batches are read at a time: while one is
tokenised or scored, the other keeps the reader busy. Every passage is a separate inference request, so a cell does not
depend on the rest of its batch.

A slow caller must not keep a transaction open, so each batch sees the newest revision. The documents are those that
were stored at the revision at which the extraction began: later ones are left out, and so are those removed meanwhile.
A document that was replaced meanwhile is read as it is now.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice

from qa.answering.asking import Answerer, AskOptions
from qa.answering.cursors import Begun, Cursor, fingerprint
from qa.errors import NotFound
from qa.index.local import LocalIndex
from qa.index.questions import DocumentSearches, EncodedQuestion, encode, search_documents
from qa.reading.early_stopping import MAX_PASSAGES_READ
from qa.results import QueryResult
from qa.rows import Cell, ExtractedRow, NamedQuestion, RowPage
from qa.search.filters import Filter, parse_filter, restrict
from qa.validation import check_confidence, check_document_ids, check_named_questions, check_row_limit

# Cells in a batch: enough to keep every thread of the reader busy, and little to lose when a job is killed.
_CELLS = 32
# Batches that are read at a time.
_LANES = 2


@dataclass(frozen=True, slots=True)
class Extraction:
    """What is asked of which documents.

    Attributes:
        questions: at most 32, with different names.
        index: name of the index.
        filters: conditions on metadata that a document must meet.
        document_ids: the documents; None for all.
        min_confidence: minimum confidence of answers; None applies the calibrated thresholds.
    """

    questions: Sequence[NamedQuestion]
    index: str
    filters: Mapping[str, object]
    document_ids: Sequence[str] | None = None
    min_confidence: float | None = None

    def filter(self) -> Filter | None:
        """Return the condition that the documents pass; None for all documents.

        Raises:
            InvalidInput: a filter is not valid.
        """
        compiled = parse_filter(self.filters)
        return compiled if self.document_ids is None else restrict(compiled, sorted(set(self.document_ids)))


def begin(answerer: Answerer, extraction: Extraction) -> tuple[Begun, int]:
    """Check an extraction, and return the revision at which it begins and the number of its documents.

    Raises:
        InvalidInput: a question, a name, a filter or the minimum confidence is not valid.
        NotFound: the index or one of `document_ids` does not exist.
    """
    filter = _check(extraction)
    index = answerer.indexes.get(extraction.index)
    ids = extraction.document_ids or ()
    present = index.present(ids)
    for number, id in enumerate(ids):
        if id not in present:
            raise NotFound(
                f"document {id!r} not found in index {extraction.index!r}; list its documents with `qa list`",
                field=f"document_ids.{number}",
            )
    with index.catalog.read() as transaction:
        return Begun(*transaction.last_change()), transaction.count_documents(filter)


def extract_batches(
    answerer: Answerer,
    extraction: Extraction,
    revision: int,
    after: str | None = None,
    limit: int | None = None,
    initializer: Callable[[], None] | None = None,
) -> Generator[list[ExtractedRow], None, None]:
    """Yield the rows of an extraction, some at a time.

    Args:
        answerer: the models and the indexes.
        extraction: as `begin` has checked it.
        revision: the revision at which it began.
        after: the document id after which the rows start; None for the first.
        limit: maximum number of rows; None for all.
        initializer: called in each thread that reads.
    """
    index = answerer.indexes.get(extraction.index)
    questions = encode(index, answerer.embedder, [question.question for question in extraction.questions])
    batches = _search_batches(index, extraction, questions, revision, after, limit)

    def read(batch: Sequence[DocumentSearches]) -> list[ExtractedRow]:
        return _read_rows(answerer, extraction, questions, revision, batch)

    executor = ThreadPoolExecutor(_LANES, thread_name_prefix="extract", initializer=initializer)
    try:
        pending: deque[Future[list[ExtractedRow]]] = deque(
            executor.submit(read, batch) for batch in islice(batches, _LANES + 1)
        )
        while pending:
            rows = pending.popleft().result()
            pending.extend(executor.submit(read, batch) for batch in islice(batches, 1))
            yield rows
    finally:
        executor.shutdown(cancel_futures=True)


def extract_page(answerer: Answerer, extraction: Extraction, limit: int, cursor: str | None) -> RowPage:
    """Return a page of an extraction.

    Args:
        answerer: the models and the indexes.
        extraction: what is asked of which documents.
        limit: maximum number of rows.
        cursor: `next_cursor` of the previous page; None for the first page.

    Raises:
        InvalidInput: as for `begin`, or the limit or the cursor is not valid, or the cursor is of another extraction.
        NotFound: as for `begin`.
    """
    check_row_limit(limit)
    identity = fingerprint(extraction)
    if cursor is None:
        begun, after = begin(answerer, extraction)[0], None
    else:
        _check(extraction)
        index = answerer.indexes.get(extraction.index)
        with index.catalog.read() as transaction:
            begun, after = Cursor.decode(cursor).check(identity, transaction.mark_of)
    rows = list(chain.from_iterable(extract_batches(answerer, extraction, begun.revision, after, limit)))
    next_cursor = None
    if rows and _has_more(answerer, extraction, begun.revision, rows[-1].document_id):
        next_cursor = Cursor(begun, rows[-1].document_id, identity).encode()
    return RowPage(rows, next_cursor, begun.revision)


def _check(extraction: Extraction) -> Filter | None:
    check_named_questions(extraction.questions)
    check_confidence(extraction.min_confidence)
    if extraction.document_ids is not None:
        check_document_ids(extraction.document_ids)
    return extraction.filter()


def _has_more(answerer: Answerer, extraction: Extraction, revision: int, after: str) -> bool:
    with answerer.indexes.get(extraction.index).catalog.read() as transaction:
        return bool(transaction.documents_at(revision, extraction.filter(), after, 1))


def _search_batches(
    index: LocalIndex,
    extraction: Extraction,
    questions: Sequence[EncodedQuestion],
    revision: int,
    after: str | None,
    limit: int | None,
) -> Iterator[list[DocumentSearches]]:
    filter, size = extraction.filter(), max(1, _CELLS // len(questions))
    while limit is None or limit > 0:
        count = size if limit is None else min(size, limit)
        batch = search_documents(index, questions, revision, filter, after, count, MAX_PASSAGES_READ)
        if batch:
            yield batch
        if len(batch) < count:
            return
        after = batch[-1].info.id
        limit = None if limit is None else limit - count


def _read_rows(
    answerer: Answerer,
    extraction: Extraction,
    questions: Sequence[EncodedQuestion],
    revision: int,
    batch: Sequence[DocumentSearches],
) -> list[ExtractedRow]:
    """Read what was found in the documents of a batch for all questions, together."""
    pairs = [(named.question, q.text) for named, q in zip(extraction.questions, questions, strict=True)]
    searches = [search for document in batch for search in document.searches]
    options = AskOptions(extraction.index, top_k=1, min_confidence=extraction.min_confidence)
    results = iter(answerer.select(pairs * len(batch), searches, options))
    names = [question.name for question in extraction.questions]
    return [
        ExtractedRow(
            info.id,
            info.title,
            info.uri,
            info.meta,
            {name: _cell(result) for name, result in zip(names, islice(results, len(names)), strict=True)},
            revision,
        )
        for info, _ in batch
    ]


def _cell(result: QueryResult) -> Cell:
    return Cell(result.status, result.answers[0] if result.answers else None, result.best_guess)
