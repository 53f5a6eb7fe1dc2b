"""The engine: models and indexes behind one object. Front ends call this and `engine.documents`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from qa.answering.asking import Answerer, AskOptions, answer_questions
from qa.answering.extraction import Extraction, begin, extract_batches
from qa.answering.grouping import answer_by_document
from qa.answering.searching import search_passages
from qa.deprecation import forward_renamed
from qa.index.quotations import verify_quotes
from qa.index.registry import DEFAULT_INDEX, Indexes
from qa.indexing.indexer import Indexer
from qa.models.embedder import Embedder
from qa.quotations import Quote, QuoteResult
from qa.reading.calibration import Calibration
from qa.reading.early_stopping import MAX_PASSAGES_READ
from qa.reading.highlight_texts import TextOrDocument, choose_texts, highlight_texts
from qa.reading.highlighting import DEFAULT_MAX_HIGHLIGHTS, HighlightOptions
from qa.reading.reader import Reader
from qa.reading.single_texts import read_texts
from qa.reports import AddedDocument, IngestionReport
from qa.results import Granularity, HighlightResult, QueryResult, SearchResult
from qa.rows import ExtractedRow, Questions, name_questions
from qa.types import Document, Mark, Passage, Span, Table
from qa.validation import check_group_by

DEFAULT_TOP_K = 3
# Methods of version 0.1, with their names on `engine.documents`.
_RENAMED = {"all_documents": "all", "describe": "update", "document": "get"}
_RENAMED |= {name: name for name in ("preview", "rebuild", "rollback")}


class Engine:
    """Answers questions from indexed documents. Thread-safe.

    Attributes:
        documents: adds, lists, changes and removes documents; see `Indexer`.
        reader: finds answer spans in passages.
        calibration: turns the reader's logits and retrieval scores into confidences.
    """

    def __init__(self, documents: Indexer, reader: Reader, calibration: Calibration, *, ocr: bool = True) -> None:
        """Put the parts together; with `ocr`, `add_files` recognises text in pictures."""
        self.documents = documents
        self.reader = reader
        self.calibration = calibration
        self._ocr = ocr

    @property
    def indexes(self) -> Indexes:
        """The named indexes."""
        return self.documents.indexes

    @property
    def embedder(self) -> Embedder:
        """Turns passages and questions into vectors."""
        return self.documents.embedder

    @property
    def answerer(self) -> Answerer:
        """Answers questions from the indexes."""
        return Answerer(self.indexes, self.embedder, self.reader, self.calibration)

    def ask(
        self,
        question: str,
        *,
        index: str = DEFAULT_INDEX,
        top_k: int = DEFAULT_TOP_K,
        filters: Mapping[str, object] | None = None,
        min_confidence: float | None = None,
        include_passages: bool = False,
        group_by: Literal["document"] | None = None,
    ) -> QueryResult:
        """Answer a question from the documents of an index.

        Args:
            question: in plain language.
            index: name of the index.
            top_k: maximum number of answers, and of alternatives where none is certain enough.
            filters: conditions on metadata that a document must meet, such as `{"source": "manual"}`.
            min_confidence: return answers from this confidence upwards; None applies the calibrated thresholds, 0
                returns every guess.
            include_passages: also return the passages that were read. Without an answer, the result always has the
                first three that were found.
            group_by: `document` returns the best answer of each of the `top_k` documents that match best, each asked as
                if alone.

        Raises:
            InvalidInput: the question is blank or too long, an argument is out of range, or a filter is not valid.
            NotFound: the index does not exist.
        """
        options = AskOptions(index, top_k, filters, min_confidence, include_passages)
        if check_group_by(group_by):
            return answer_by_document(self.answerer, question, options)
        return answer_questions(self.answerer, [question], options)[0]

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
        """Answer several questions; arguments, results and errors are as for `ask`."""
        options = AskOptions(index, top_k, filters, min_confidence, include_passages)
        return answer_questions(self.answerer, questions, options)

    def read(
        self,
        question: str,
        text: str,
        *,
        top_k: int = DEFAULT_TOP_K,
        min_confidence: float | None = None,
        marks: Sequence[Mark] = (),
        boxes: bytes = b"",
        tables: Sequence[Table] = (),
    ) -> QueryResult:
        """Answer a question from one text, without an index.

        Args:
            question: in plain language.
            text: at most 100,000 characters.
            top_k: maximum number of answers.
            min_confidence: as for `ask`.
            marks: pages and sections of the text, ascending.
            boxes: word boxes of the text; see `qa.text.boxes`.
            tables: tables of the text, ascending.

        Raises:
            InvalidInput: the question or the text is blank or too long, or an argument is out of range.
        """
        passage = Passage("", Span(0, len(text)), text, marks=marks, boxes=boxes, tables=tables)
        (result,) = read_texts(self.reader, self.calibration, [(question, passage)], top_k, min_confidence)
        return result

    def read_batch(
        self, pairs: Sequence[tuple[str, str]], *, top_k: int = DEFAULT_TOP_K, min_confidence: float | None = None
    ) -> list[QueryResult]:
        """Answer each question from its own text; the pairs are (question, text)."""
        passages = [(question, Passage("", Span(0, len(text)), text)) for question, text in pairs]
        return read_texts(self.reader, self.calibration, passages, top_k, min_confidence)

    def highlight(
        self,
        question: str,
        texts: Sequence[TextOrDocument] = (),
        *,
        document_ids: Sequence[str] = (),
        index: str = DEFAULT_INDEX,
        granularity: Granularity = "sentence",
        threshold: float | None = None,
        max_highlights: int = DEFAULT_MAX_HIGHLIGHTS,
        prune: bool = False,
    ) -> list[HighlightResult]:
        """Find the words that answer a question in each of several texts, in order; errors are as for `ask`.

        Args:
            question: in plain language.
            texts: up to 64 pairs of id and text, or documents; 200,000 characters in all.
            document_ids: read these documents of the index instead of `texts`, within the same limits.
            index: name of the index.
            granularity: `sentence` for sentences, list items and rows of tables; `span` for short answers.
            threshold: minimum score of a highlight; None applies the calibrated thresholds.
            max_highlights: maximum number of highlights in each text.
            prune: also return each text cut down to its highlighted units and the headings above them.
        """
        chosen = choose_texts(texts, document_ids, lambda name: self.documents.get(name, index=index)[0])
        options = HighlightOptions(granularity, threshold, max_highlights, prune)
        return highlight_texts(self.reader, self.calibration, self.embedder.token_starts, question, chosen, options)

    def verify_quotes(
        self, quotes: Sequence[str | Quote], *, index: str = DEFAULT_INDEX, filters: Mapping[str, object] | None = None
    ) -> list[QuoteResult]:
        """Find where quotations are in the documents, or the nearest text; errors are as for `ask`.

        Args:
            quotes: 1 to 64 texts of 3 to 2,000 characters; a `Quote` may name its document.
            index: name of the index.
            filters: conditions on metadata that a document must meet.
        """
        return verify_quotes(self.indexes, index, quotes, filters)

    def extract(
        self,
        questions: Questions,
        *,
        index: str = DEFAULT_INDEX,
        filters: Mapping[str, object] | None = None,
        document_ids: Sequence[str] | None = None,
        min_confidence: float | None = None,
    ) -> Iterator[ExtractedRow]:
        """Ask the same questions of every document; return an iterator of rows, in the order of the document ids.

        A cell is the first answer of asking with a filter on its document. Documents that are added after this call are
        left out; see `ExtractedRow.revision`.

        Args:
            questions: at most 32, by the name of their column, or a list of questions that are their own names.
            index: name of the index.
            filters: conditions on metadata that a document must meet.
            document_ids: ask only these documents, at most 1,000.
            min_confidence: as for `ask`.

        Raises:
            InvalidInput: there is no question or too many, a name is used twice, or as for `ask`.
            NotFound: the index or a document does not exist.
        """
        named = name_questions(questions)
        extraction = Extraction(named, index, filters or {}, document_ids, min_confidence)
        begun, _ = begin(self.answerer, extraction)
        return chain.from_iterable(extract_batches(self.answerer, extraction, begun.revision))

    def search(
        self,
        question: str,
        *,
        index: str = DEFAULT_INDEX,
        top_k: int = MAX_PASSAGES_READ,
        filters: Mapping[str, object] | None = None,
        rerank: bool = False,
        by_sentence: bool = True,
    ) -> SearchResult:
        """Find the passages that most likely answer a question; errors are as for `ask`.

        Args:
            question: in plain language.
            index: name of the index.
            top_k: maximum number of passages.
            filters: conditions on metadata that a document must meet.
            rerank: have the reader reorder the first 20 passages, which is slower.
            by_sentence: also score how much of the question a single sentence covers. Without this and without
                `rerank`, the hits are the passages that `ask` reads, in the same order.
        """
        return self.search_batch(
            [question], index=index, top_k=top_k, filters=filters, rerank=rerank, by_sentence=by_sentence
        )[0]

    def search_batch(
        self,
        questions: Sequence[str],
        *,
        index: str = DEFAULT_INDEX,
        top_k: int = MAX_PASSAGES_READ,
        filters: Mapping[str, object] | None = None,
        rerank: bool = False,
        by_sentence: bool = True,
    ) -> list[SearchResult]:
        """Search for several questions; arguments, results and errors are as for `search`."""
        return search_passages(self.answerer, questions, index, top_k, filters, rerank=rerank, by_sentence=by_sentence)

    def add(self, documents: Sequence[Document], *, index: str = DEFAULT_INDEX) -> list[AddedDocument]:
        """Add or replace documents, all or none; the next query finds them. Raises NotFound for an unknown index."""
        return self.documents.add(documents, index=index)

    def add_files(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        index: str = DEFAULT_INDEX,
        meta: Mapping[str, object] | None = None,
        text_column: str | None = None,
        title_column: str | None = None,
        id_column: str | None = None,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> IngestionReport:
        """Add files to an index, which is created if it does not exist.

        A file that was added before is replaced if it has changed. A file that cannot be read does not stop the
        others; the report has its error.

        Args:
            paths: one or several files, folders, or patterns such as `reports/**/*.pdf`.
            index: name of the index.
            meta: metadata added to each document's own.
            text_column: column of a table that holds the text; None for `text`, or for all columns without one.
            title_column: column that holds the title; None for `title`.
            id_column: column that holds the document's id; None for `id`.
            dry_run: report what would change, without writing.
            progress: called with the number of files just finished.
        """
        from qa.documents.extract.extractor import Extractor
        from qa.documents.extract.tables.columns import Columns
        from qa.indexing.ingestion import Ingestion

        with closing(Extractor(ocr=self._ocr)) as extractor:
            ingestion = Ingestion(self.documents, extractor.extract, index, dry_run)
            return ingestion.add_paths(paths, Columns(text_column, title_column, id_column), meta or {}, progress)

    def remove(self, ids: str | Sequence[str], *, index: str = DEFAULT_INDEX) -> None:
        """Remove one document or several, all or none. Raises NotFound if the index or a document does not exist."""
        self.documents.remove(ids, index=index)

    def in_folder(self, folder: Path) -> Engine:
        """Return an engine with the same models whose indexes are in another folder."""
        return Engine(self.documents.in_folder(folder), self.reader, self.calibration, ocr=self._ocr)

    def close(self) -> None:
        """Close all files."""
        self.indexes.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    if not TYPE_CHECKING:
        __getattr__ = forward_renamed("engine", "documents", _RENAMED)
