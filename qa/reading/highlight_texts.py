"""Read whole texts, and select the words that answer a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import get_args

from qa.documents.splitting import TokenStarts, split
from qa.errors import InvalidInput, NotFound, TooLarge
from qa.reading.calibration import Calibration
from qa.reading.early_stopping import build_pair
from qa.reading.highlighting import HighlightOptions, select_highlights
from qa.reading.reader import Reader
from qa.results import Granularity, HighlightResult, Hit
from qa.types import Document, Passage, Span
from qa.validation import (
    MAX_HIGHLIGHT_CHARACTERS,
    MAX_HIGHLIGHT_TEXTS,
    check_characters,
    check_confidence,
    check_question,
    check_text,
    check_top_k,
)

TextOrDocument = tuple[str, str] | Document
"""The id of a plain text with the text, or a document with sections and tables."""

# A question to an index reads about five passages, and each has about this many characters.
_PASSAGES_OF_QUESTION, _CHARACTERS_OF_PASSAGE = 5, 800


def highlight_texts(
    reader: Reader,
    calibration: Calibration,
    token_starts: TokenStarts,
    question: str,
    texts: Sequence[TextOrDocument],
    options: HighlightOptions,
) -> list[HighlightResult]:
    """Return what answers a question in each text.

    A plain text is read in the reader's windows. A document is read in the passages that an index would have of it.

    Args:
        reader: the reader.
        calibration: the reader's calibration.
        token_starts: the embedder's tokeniser, with which documents are split.
        question: in plain language.
        texts: plain texts or documents.
        options: what to highlight.

    Raises:
        InvalidInput: the question or a text is blank or too long, there are too many texts, or an option is out of
            range.
        ModelError: the reader does not mark evidence, and sentences are asked for.
    """
    check_question(question)
    check_confidence(options.threshold, "threshold")
    check_top_k(options.max_highlights, "max_highlights")
    if options.granularity not in get_args(Granularity):
        names = " or ".join(get_args(Granularity))
        raise InvalidInput(f"granularity must be {names}, got {options.granularity!r}", field="granularity")
    documents = [text if isinstance(text, Document) else Document(*text) for text in texts]
    _check_texts(documents)
    hits = [
        [_hit(document, passage) for passage in _passages(text, document, token_starts)]
        for text, document in zip(texts, documents, strict=True)
    ]
    logits = iter(reader.read_batch([build_pair(question, hit) for of_text in hits for hit in of_text]))
    return [
        select_highlights(
            question, document, list(zip(of_text, islice(logits, len(of_text)), strict=True)), calibration, options
        )
        for document, of_text in zip(documents, hits, strict=True)
    ]


def choose_texts(
    texts: Sequence[TextOrDocument], document_ids: Sequence[str], get: Callable[[str], Document]
) -> Sequence[TextOrDocument]:
    """Return the texts to highlight: those given, or documents of an index.

    Args:
        texts: plain texts or documents.
        document_ids: of documents, instead of `texts`; they are not loaded beyond the limits.
        get: returns a document of the index.

    Raises:
        InvalidInput: there are texts and documents, too many documents, or too long ones.
        NotFound: the index or a document does not exist.
    """
    if not document_ids:
        return texts
    field = "document_ids"
    if texts:
        raise InvalidInput("texts and document_ids exclude each other; send one of them", field=field)
    _check_count(len(document_ids), field)
    documents: list[Document] = []
    characters = 0
    for number, id in enumerate(document_ids):
        try:
            documents.append(get(id))
        except (NotFound, InvalidInput) as error:
            name = f"{field}.{number}" if error.field == "id" else error.field
            raise type(error)(error.message, field=name) from error
        characters += len(documents[-1].text)
        _check_characters_in_all(characters, field)
    return documents


def cost_in_questions(text_lengths: Sequence[int], documents: int) -> int:
    """Return how many questions to an index take as long as a call; a document counts as one question.

    Args:
        text_lengths: lengths of the plain texts, in characters.
        documents: number of documents.
    """
    passages = sum(1 + length // _CHARACTERS_OF_PASSAGE for length in text_lengths)
    return max(1, documents, passages // _PASSAGES_OF_QUESTION)


def _check_texts(documents: Sequence[Document]) -> None:
    field = "texts"
    _check_count(len(documents), field)
    for number, document in enumerate(documents):
        check_characters(document.id, f"{field}.{number}.id")
        check_text(document.text, f"{field}.{number}.text", MAX_HIGHLIGHT_CHARACTERS)
    _check_characters_in_all(sum(len(document.text) for document in documents), field)


def _check_count(count: int, field: str) -> None:
    if not 1 <= count <= MAX_HIGHLIGHT_TEXTS:
        raise InvalidInput(f"{field} must have 1 to {MAX_HIGHLIGHT_TEXTS} entries, got {count}", field=field)


def _check_characters_in_all(characters: int, field: str) -> None:
    if characters > MAX_HIGHLIGHT_CHARACTERS:
        raise TooLarge(
            f"{field} have {characters:,} characters in all; at most {MAX_HIGHLIGHT_CHARACTERS:,} are allowed",
            field=field,
        )


def _passages(text: TextOrDocument, document: Document, token_starts: TokenStarts) -> list[Passage]:
    if isinstance(text, Document):
        return split(document, token_starts)
    return [Passage(document.id, Span(0, len(document.text)), document.text)]


def _hit(document: Document, passage: Passage) -> Hit:
    return Hit(None, passage, document.title, document.uri, document.meta, 0.0, 0.0, 0.0)
