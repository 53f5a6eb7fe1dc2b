"""Feedback on answers: an append-only log beside the index, exported as labelled questions.

indexes/<name>/feedback.jsonl   one line for each write, oldest first
               feedback.lock    held by the process that writes
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from qa.errors import InvalidInput, NotFound, Unavailable
from qa.evaluation.datasets import LabelProblem, check_dataset
from qa.evaluation.squad import load_squad
from qa.index.durable import PRIVATE_FILE, file_lock, sync_folder, write_durably
from qa.indexing.indexer import Indexer
from qa.types import Document, Span
from qa.validation import MAX_ID, check_optional, check_question

Verdict = Literal["right", "wrong", "corrected", "unanswerable"]

_LOG, _LOCK = "feedback.jsonl", "feedback.lock"
MAX_COMMENT = 10_000

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Feedback:
    """A judgement of one question about one document.

    Attributes:
        question: as the user asked it.
        document_id: the document that the answer is from, or that has no answer.
        verdict: `right` or `wrong` judges the answer at `span`; `corrected` names the right span; `unanswerable` says
            that the document does not answer.
        span: place in the document's text; None for `unanswerable`.
        comment: free text.
        query_id: the result that the feedback is about.
    """

    question: str
    document_id: str
    verdict: Verdict
    span: Span | None = None
    comment: str | None = None
    query_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """One judgement in the log.

    It is valid while the document has `answer` at `span` or, without an answer, while its text has the hash
    `text_sha256`.
    """

    id: str
    question: str
    document_id: str
    verdict: Verdict
    span: Span | None
    answer: str | None
    text_sha256: str
    comment: str | None
    query_id: str | None
    given_at: str


_LINE = TypeAdapter(list[_Entry])


def give_feedback(documents: Indexer, feedback: Sequence[Feedback], *, index: str) -> list[str]:
    """Store feedback, all or none; when this returns, it is on disk.

    Returns:
        One id for each judgement.

    Raises:
        NotFound: the index or a document does not exist.
        InvalidInput: a span is missing, outside the text, or starts or ends inside a word or with white space.
        Unavailable: the log cannot be written.
    """
    entries = [_create_entry(documents, judgement, index) for judgement in feedback]
    folder = documents.indexes.get(index).folder
    try:
        with file_lock(folder / _LOCK), (folder / _LOG).open("ab+") as file:
            os.fchmod(file.fileno(), PRIVATE_FILE)
            # A partial last line is from a crash, and was never acknowledged.
            size = _complete_bytes(file.seek(0, os.SEEK_END), folder / _LOG)
            try:
                file.truncate(size)
                file.write(_to_line(entries))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise
            sync_folder(folder)
    except OSError as error:
        raise Unavailable(f"{folder / _LOG}: {error.strerror}", field="index") from error
    return [entry.id for entry in entries]


def export_feedback(documents: Indexer, *, index: str) -> dict[str, Any]:
    """Return the labels from an index's feedback, in the SQuAD 2.0 format.

    For one question about one document the latest judgement counts: a corrected span replaces earlier spans, a right
    span is added to them, and a wrong span is removed. Questions whose document was removed or changed are left
    out; `left_out` counts them.

    Raises:
        NotFound: the index does not exist.
    """
    labels, articles, left_out = _current_labels(_read_entries(documents.indexes.get(index).folder / _LOG)), [], 0
    for document_id, questions in labels.items():
        try:
            document, _ = documents.get(document_id, index=index)
        except NotFound:
            left_out += len(questions)
            continue
        valid = [entries for entries in questions.values() if all(_is_valid(e, document) for e in entries)]
        left_out += len(questions) - len(valid)
        if valid:
            paragraph = {"context": document.text, "qas": [_as_squad(entries) for entries in valid]}
            articles.append({"title": document.title or document_id, "paragraphs": [paragraph]})
    return {"version": "v2.0", "data": articles, "left_out": left_out}


def import_feedback(documents: Indexer, file: Path, *, index: str) -> int:
    """Store the labels of a SQuAD file as feedback on the documents whose texts are its contexts, all or none.

    Returns:
        The number of questions.

    Raises:
        DatasetError: the file has invalid labels, or answers that start or end inside a word or with white space; the
            message names each.
        NotFound: the index does not exist, or no document has a context as its text.
    """
    dataset = load_squad(file)
    check_dataset(
        file,
        [
            LabelProblem(f"question {question.id!r}", f"answer {span.of(context)!r} {problem}")
            for question in dataset.questions
            for context in (dataset.contexts[question.context],)
            for span in question.answers
            if (problem := _boundary_problem(span, context))
        ],
        dataset,
    )
    contexts = set(dataset.contexts)
    with documents.indexes.get(index).catalog.read() as transaction:
        ids = {text: id for id, text in transaction.texts() if text in contexts}
    feedback: list[Feedback] = []
    for question in dataset.questions:
        context = dataset.contexts[question.context]
        if context not in ids:
            raise NotFound(
                f"{file}: question {question.id!r}: no document of the index has its context as text; add it first",
                field="file",
            )
        if not question.answers:
            feedback.append(Feedback(question.text, ids[context], "unanswerable"))
        for position, span in enumerate(question.answers):
            feedback.append(Feedback(question.text, ids[context], "right" if position else "corrected", span))
    give_feedback(documents, feedback, index=index)
    return len(dataset.questions)


def purge_feedback(documents: Indexer, *, index: str) -> int:
    """Permanently erase feedback on removed or changed documents; return the number of judgements erased.

    Raises:
        NotFound: the index does not exist.
    """
    opened = documents.indexes.get(index)
    log = opened.folder / _LOG
    if not log.exists():
        return 0
    # The lock is not on the log itself, which is replaced.
    with file_lock(opened.folder / _LOCK):
        entries = list(_read_entries(log))
        stored = {id: pair[0] for id in {e.document_id for e in entries} if (pair := opened.document(id))}
        # Also erase the entries that an erased entry overruled, or they would count again.
        kept, erased = list[_Entry](), set[tuple[str, str]]()
        for entry in reversed(entries):
            document = stored.get(entry.document_id)
            if document is None or not _is_valid(entry, document):
                erased.add(_subject(entry))
            if _subject(entry) not in erased:
                kept.insert(0, entry)
        write_durably(log, _to_line(kept) if kept else b"")
    return len(entries) - len(kept)


def _to_line(entries: Sequence[_Entry]) -> bytes:
    return json.dumps([asdict(entry) for entry in entries]).encode() + b"\n"


def _create_entry(documents: Indexer, feedback: Feedback, index: str) -> _Entry:
    document, _ = documents.get(feedback.document_id, index=index)
    check_question(feedback.question)
    check_optional(feedback.comment, "comment", MAX_COMMENT)
    check_optional(feedback.query_id, "query_id", MAX_ID)
    span = feedback.span
    if (span is None) != (feedback.verdict == "unanswerable"):
        problem = "needs document_offset" if span is None else "takes no document_offset"
        raise InvalidInput(f"verdict {feedback.verdict!r} {problem}", field="document_offset")
    if span is not None and not span.start < span.end <= len(document.text):
        raise InvalidInput(
            f"document_offset must be a non-empty range from 0 to {len(document.text):,}", field="document_offset"
        )
    if span is not None and (problem := _boundary_problem(span, document.text)):
        raise InvalidInput(f"document_offset {problem}", field="document_offset")
    return _Entry(
        uuid.uuid4().hex,
        feedback.question,
        document.id,
        feedback.verdict,
        span,
        None if span is None else span.of(document.text),
        _hash(document),
        feedback.comment,
        feedback.query_id,
        datetime.now(UTC).isoformat(timespec="milliseconds"),
    )


def _complete_bytes(size: int, log: Path) -> int:
    """Return the length of a log's complete lines in bytes."""
    with log.open("rb") as file:
        while size > 0:
            first = max(0, size - 65_536)
            file.seek(first)
            end = file.read(size - first).rfind(b"\n")
            if end >= 0:
                return first + end + 1
            size = first
    return 0


def _read_entries(log: Path) -> Iterator[_Entry]:
    if not log.exists():
        return
    with log.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):
                try:
                    yield from _LINE.validate_json(line)
                except ValidationError as error:
                    _logger.warning("%s: line %d is damaged, and is skipped: %s", log, number, error.errors()[0]["msg"])


def _current_labels(entries: Iterator[_Entry]) -> dict[str, dict[str, list[_Entry]]]:
    """Return, by document and question, the entries that count: those with right spans, or the unanswerable one."""
    labels: dict[str, dict[str, list[_Entry]]] = {}
    for entry in entries:
        questions = labels.setdefault(entry.document_id, {})
        _, key = _subject(entry)
        earlier = [e for e in questions.pop(key, []) if e.span != entry.span]
        if entry.verdict == "wrong":
            kept = earlier
        elif entry.verdict == "right":
            kept = [*(e for e in earlier if e.span is not None), entry]
        else:
            kept = [entry]
        if kept:
            questions[key] = kept
    return labels


def _subject(entry: _Entry) -> tuple[str, str]:
    """Return the document and the normalised question; entries with equal subjects overrule each other."""
    return entry.document_id, " ".join(entry.question.lower().split())


def _hash(document: Document) -> str:
    return hashlib.sha256(document.text.encode()).hexdigest()


def _is_valid(entry: _Entry, document: Document) -> bool:
    if entry.span is None:
        return entry.text_sha256 == _hash(document)
    return entry.span.of(document.text) == entry.answer and not _boundary_problem(entry.span, document.text)


def _boundary_problem(span: Span, text: str) -> str:
    """Return what is wrong with the ends of a span; "" if they are valid."""
    if span.of(text) != span.of(text).strip():
        return "starts or ends with white space"
    return "" if span.is_of_whole_words(text) else "starts or ends inside a word"


def _as_squad(entries: Sequence[_Entry]) -> dict[str, Any]:
    answers = [{"text": e.answer, "answer_start": e.span.start} for e in entries if e.span is not None]
    return {"id": entries[-1].id, "question": entries[-1].question, "is_impossible": not answers, "answers": answers}
