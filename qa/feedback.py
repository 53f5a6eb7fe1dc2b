"""What people say of answers: kept with the index as a log, and exported as labels.

indexes/<name>/feedback.jsonl   a line for what was given together, in the order in which it came
               feedback.lock    held by whoever writes
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from qa.errors import InvalidInput, NotFound, Unavailable
from qa.evaluation.datasets import LabelProblem, check_dataset
from qa.evaluation.squad import load_squad
from qa.index.durable import file_lock, sync_folder, write_durably
from qa.indexing.indexer import Indexer
from qa.types import Document, Span
from qa.validation import MAX_ID, check_optional, check_question

Verdict = Literal["right", "wrong", "corrected", "unanswerable"]

_LOG, _LOCK = "feedback.jsonl", "feedback.lock"
MAX_COMMENT = 10_000


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody said of one question and one document.

    Attributes:
        question: as it was asked.
        document_id: where the answer stands, or was looked for.
        verdict: right or wrong: of the answer at `span`; corrected: `span` is the right one; unanswerable: the document
            does not say.
        span: in the document's text; None for unanswerable.
        comment: in free words.
        query_id: of the result that it is about.
    """

    question: str
    document_id: str
    verdict: Verdict
    span: Span | None = None
    comment: str | None = None
    query_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the log; the answer's text, or without one the hash of the document's, tells whether it still holds."""

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


def give_feedback(library: Indexer, given: Sequence[Feedback], *, index: str) -> list[str]:
    """Keep feedback, all or none; when this returns it is on disk.

    Returns:
        An id for each.

    Raises:
        NotFound: there is no such index or document.
        InvalidInput: a span is missing, outside the text, or ends inside a word or with white space.
        Unavailable: it cannot be written.
    """
    entries = [_entry(library, one, index) for one in given]
    folder = library.indexes.get(index).folder
    try:
        with file_lock(folder / _LOCK), (folder / _LOG).open("ab+") as file:
            # What a crash left unfinished was never acknowledged.
            size = _whole(file.seek(0, os.SEEK_END), folder / _LOG)
            try:
                file.truncate(size)
                file.write(_line(entries))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise
            sync_folder(folder)
    except OSError as error:
        raise Unavailable(f"{folder / _LOG}: {error.strerror}", field="index") from error
    return [entry.id for entry in entries]


def export_feedback(library: Indexer, *, index: str) -> dict[str, Any]:
    """Return the labels that follow from an index's feedback, in the layout of SQuAD 2.0.

    Of one question about one document the last word counts: a corrected span replaces those before it, a right one
    stands beside them, a wrong one is taken away. What no longer holds, as its document has gone or changed, is left
    out, and `left_out` tells how many questions that were.

    Raises:
        NotFound: there is no such index.
    """
    labels, articles, left_out = _labels(_entries(library.indexes.get(index).folder / _LOG)), [], 0
    for document_id, questions in labels.items():
        try:
            document, _ = library.get(document_id, index=index)
        except NotFound:
            left_out += len(questions)
            continue
        holding = [entries for entries in questions.values() if all(_holds(e, document) for e in entries)]
        left_out += len(questions) - len(holding)
        if holding:
            paragraph = {"context": document.text, "qas": [_as_squad(entries) for entries in holding]}
            articles.append({"title": document.title or document_id, "paragraphs": [paragraph]})
    return {"version": "v2.0", "data": articles, "left_out": left_out}


def import_feedback(library: Indexer, file: Path, *, index: str) -> int:
    """Take the labels of a SQuAD file for feedback on the documents whose texts are its contexts.

    Returns:
        The number of questions.

    Raises:
        DatasetError: the file has wrong labels, or answers that end inside a word or with white space: each is named.
        NotFound: there is no such index, or a context is no document's text; nothing is kept then.
    """
    dataset = load_squad(file)
    check_dataset(
        file,
        [
            LabelProblem(f"question {question.id!r}", f"answer {span.of(context)!r} {wrong}")
            for question in dataset.questions
            for context in (dataset.contexts[question.context],)
            for span in question.answers
            if (wrong := _wrong_ends(span, context))
        ],
        dataset,
    )
    wanted = set(dataset.contexts)
    with library.indexes.get(index).catalog.read() as transaction:
        ids = {text: id for id, text in transaction.texts() if text in wanted}
    given: list[Feedback] = []
    for question in dataset.questions:
        context = dataset.contexts[question.context]
        if context not in ids:
            raise NotFound(f"{file}: question {question.id!r}: no document has its context as text", field="file")
        if not question.answers:
            given.append(Feedback(question.text, ids[context], "unanswerable"))
        for place, span in enumerate(question.answers):
            given.append(Feedback(question.text, ids[context], "right" if place else "corrected", span))
    give_feedback(library, given, index=index)
    return len(dataset.questions)


def purge_feedback(library: Indexer, *, index: str) -> int:
    """Drop what was said of documents that are gone or changed, with what it quotes; return how many lines that were.

    Raises:
        NotFound: there is no such index.
    """
    opened = library.indexes.get(index)
    log = opened.folder / _LOG
    if not log.exists():
        return 0
    # Not on the log itself: it is replaced.
    with file_lock(opened.folder / _LOCK):
        entries = list(_entries(log))
        stored = {id: found[0] for id in {e.document_id for e in entries} if (found := opened.document(id))}
        # With one that goes, all that it overruled: else they would count again.
        kept, gone = list[_Entry](), set[tuple[str, str]]()
        for entry in reversed(entries):
            document = stored.get(entry.document_id)
            if document is None or not _holds(entry, document):
                gone.add(_asked(entry))
            if _asked(entry) not in gone:
                kept.insert(0, entry)
        write_durably(log, _line(kept) if kept else b"")
    return len(entries) - len(kept)


def _line(entries: Sequence[_Entry]) -> bytes:
    return json.dumps([asdict(entry) for entry in entries]).encode() + b"\n"


def _entry(library: Indexer, given: Feedback, index: str) -> _Entry:
    document, _ = library.get(given.document_id, index=index)
    check_question(given.question)
    check_optional(given.comment, "comment", MAX_COMMENT)
    check_optional(given.query_id, "query_id", MAX_ID)
    span = given.span
    if (span is None) != (given.verdict == "unanswerable"):
        told = "the span that it is about is missing" if span is None else "no span goes with it"
        raise InvalidInput(f"{given.verdict}: {told}", field="document_offset")
    if span is not None and not span.start < span.end <= len(document.text):
        raise InvalidInput(f"from 0 to {len(document.text):,}, and not empty", field="document_offset")
    if span is not None and (wrong := _wrong_ends(span, document.text)):
        raise InvalidInput(f"it {wrong}", field="document_offset")
    return _Entry(
        uuid.uuid4().hex,
        given.question,
        document.id,
        given.verdict,
        span,
        None if span is None else span.of(document.text),
        _hash(document),
        given.comment,
        given.query_id,
        datetime.now(UTC).isoformat(timespec="milliseconds"),
    )


def _whole(size: int, log: Path) -> int:
    """Return how many of a log's bytes are whole lines."""
    with log.open("rb") as file:
        while size > 0:
            first = max(0, size - 65_536)
            file.seek(first)
            end = file.read(size - first).rfind(b"\n")
            if end >= 0:
                return first + end + 1
            size = first
    return 0


def _entries(log: Path) -> Iterator[_Entry]:
    if not log.exists():
        return
    with log.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                for fields in json.loads(line):
                    yield _Entry(**{**fields, "span": fields["span"] and Span(**fields["span"])})


def _labels(entries: Iterator[_Entry]) -> dict[str, dict[str, list[_Entry]]]:
    """Return what holds in the end: by document and question, the entries with the right spans, or the unanswerable."""
    labels: dict[str, dict[str, list[_Entry]]] = {}
    for entry in entries:
        questions = labels.setdefault(entry.document_id, {})
        _, key = _asked(entry)
        before = [e for e in questions.pop(key, []) if e.span != entry.span]
        if entry.verdict == "wrong":
            kept = before
        elif entry.verdict == "right":
            kept = [*(e for e in before if e.span is not None), entry]
        else:
            kept = [entry]
        if kept:
            questions[key] = kept
    return labels


def _asked(entry: _Entry) -> tuple[str, str]:
    """Return what makes two entries about the same: the document, and the question however it is spaced."""
    return entry.document_id, " ".join(entry.question.lower().split())


def _hash(document: Document) -> str:
    return hashlib.sha256(document.text.encode()).hexdigest()


def _holds(entry: _Entry, document: Document) -> bool:
    if entry.span is None:
        return entry.text_sha256 == _hash(document)
    return entry.span.of(document.text) == entry.answer and not _wrong_ends(entry.span, document.text)


def _wrong_ends(span: Span, text: str) -> str:
    """Return what is wrong with where a span begins and ends; "" if nothing is."""
    if span.of(text) != span.of(text).strip():
        return "begins or ends with white space"
    return "" if span.is_of_whole_words(text) else "begins or ends inside a word"


def _as_squad(entries: Sequence[_Entry]) -> dict[str, Any]:
    answers = [{"text": e.answer, "answer_start": e.span.start} for e in entries if e.span is not None]
    return {"id": entries[-1].id, "question": entries[-1].question, "is_impossible": not answers, "answers": answers}
