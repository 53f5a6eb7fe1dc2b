"""Read labelled documents: SQuAD JSON whose articles name the file that their text was extracted from.

Each file is extracted as the product extracts it today, with its tables and marks, and the labels are found again in
the new text. Beside `answers`, a question may have `evidence` (whole sentences, list items, table rows or lines that
answer together), `items` (the parts of an answer that is several things), a `kind` and a `style`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qa.documents.extract.extractor import Extractor
from qa.documents.extract.formats import Extract
from qa.documents.files import read_documents
from qa.errors import DatasetError
from qa.evaluation.relocation import Relocation
from qa.evaluation.squad import read_articles
from qa.types import Document, Span

# Extraction chooses the character of a bullet.
_BULLET = re.compile(r"[*\-•:][ \t]+")
# A file in whose text fewer labels are found is another version of the document, or another document.
_MIN_SHARE_FOUND = 0.5


@dataclass(frozen=True, slots=True)
class DocumentQuestion:
    """A question on a document; its spans are in the document's text.

    Attributes:
        id: unique in the file.
        text: the question.
        answers: short answers that are right; empty where only evidence answers.
        evidence: the units that answer together; empty where the file labels none.
        items: the parts of an answer that is several things.
        answerable: whether the document answers the question.
        kind: what is asked for, such as `table` or `steps`; "" where the file has no kinds.
        style: how it is asked, such as `keywords` or `long`; "" where the file has no styles.
    """

    id: str
    text: str
    answers: tuple[Span, ...]
    evidence: tuple[Span, ...]
    items: tuple[Span, ...]
    answerable: bool
    kind: str
    style: str


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """A document with the questions on it.

    Attributes:
        document: the text as extracted, with title, marks and tables.
        file: name of the file.
        genre: kind of document, such as `manuals`.
        questions: those whose labels are in the text; labels have no bullets.
        lost: ids of the questions whose answers, or some of whose evidence, are not in the text any more.
        extracted: false where the file is missing or has another text; `document` is then the context of the JSON file.
    """

    document: Document
    file: str
    genre: str
    questions: tuple[DocumentQuestion, ...]
    lost: tuple[str, ...]
    extracted: bool


def names_files(articles: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the articles of a SQuAD file name the files that they were extracted from."""
    return bool(articles) and all("file" in article for article in articles)


def load_documents(path: Path, documents_folder: Path | None = None) -> tuple[LabelledDocument, ...]:
    """Read a file of labelled documents.

    Args:
        path: SQuAD JSON; each article has one paragraph, and the keys `file` and `genre`.
        documents_folder: folder of the files that the articles name; the folder `docs` beside `path` if None.

    Raises:
        DatasetError: the file is missing, has another format or wrong labels, or the folder does not exist.
    """
    folder = (path.parent / "docs" if documents_folder is None else documents_folder).resolve()
    if not folder.is_dir():
        raise DatasetError(f"{folder}: not a folder; name the folder of the documents", field="documents")
    articles = read_articles(path)
    ids: set[str] = set()
    with closing(Extractor()) as extractor:
        try:
            return tuple(_load(article, folder, extractor.extract, ids) for article in articles)
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"{path}: not a file of labelled documents ({error})", field="dataset") from error


def _load(article: Mapping[str, Any], folder: Path, extract: Extract, ids: set[str]) -> LabelledDocument:
    (paragraph,) = article["paragraphs"]
    file, genre, context = article["file"], article["genre"], paragraph["context"]
    id = article.get("id") or f"{genre}-{Path(file).stem}"
    labelled = [_parse(entry, context, id, ids) for entry in paragraph["qas"]]
    document = _extract(folder / file, extract, id)
    if document is not None:
        relocation = Relocation(context, document.text)
        found = [_relocate(question, relocation) for question in labelled]
        questions = tuple(question for question in found if question is not None)
        if len(questions) >= _MIN_SHARE_FOUND * len(labelled):
            lost = tuple(old.id for old, new in zip(labelled, found, strict=True) if new is None)
            return LabelledDocument(document, file, genre, questions, lost, extracted=True)
    as_labelled = Document(id, context, article.get("title"), file)
    return LabelledDocument(as_labelled, file, genre, tuple(labelled), (), extracted=False)


def _extract(path: Path, extract: Extract, id: str) -> Document | None:
    """Return the document of a file, with an id and an address that are the same on every machine; None without one."""
    if not path.is_file():
        return None
    documents = read_documents(path, extract)
    return replace(documents[0], id=id, uri=path.name, file=None) if len(documents) == 1 else None


def _parse(entry: Mapping[str, Any], context: str, document_id: str, ids: set[str]) -> DocumentQuestion:
    # Two documents of one name number their questions alike.
    id = entry["id"] if entry["id"] not in ids else f"{document_id}:{entry['id']}"
    if id in ids:
        raise ValueError(f"question {id!r}: duplicate id")
    ids.add(id)
    answers = tuple(_spans(entry, "answers", "answer_start", context))
    evidence = tuple(_spans(entry, "evidence", "start", context))
    return DocumentQuestion(
        id,
        entry["question"],
        answers,
        evidence,
        tuple(_spans(entry, "items", "start", context)),
        bool(answers or evidence),
        entry.get("kind", ""),
        entry.get("style", ""),
    )


def _spans(entry: Mapping[str, Any], key: str, start_key: str, context: str) -> Iterator[Span]:
    for label in entry.get(key, ()):
        start, text = label[start_key], label["text"]
        if not text or start < 0 or context[start : start + len(text)] != text:
            raise ValueError(f"question {entry['id']!r}: {key}: {text!r} is not at offset {start}")
        bullet = _BULLET.match(text)
        yield Span(start + (bullet.end() if bullet else 0), start + len(text))


def _relocate(question: DocumentQuestion, relocation: Relocation) -> DocumentQuestion | None:
    """Return the question with its spans in the new text; None if no answer, or not all evidence, is there."""
    answers, evidence, items = (
        tuple(span for old in spans if (span := relocation.find(old)) is not None)
        for spans in (question.answers, question.evidence, question.items)
    )
    if bool(answers) != bool(question.answers) or len(evidence) != len(question.evidence):
        return None
    return replace(question, answers=answers, evidence=evidence, items=items)
