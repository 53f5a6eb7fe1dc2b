"""CSV, TSV and JSON Lines files with a question, its answer and its document in each row ─► labelled questions."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion, LabelProblem, checked
from qa.evaluation.input_files import content_of, json_lines
from qa.types import Span

_COLUMNS = {"id", "question", "answer", "start", "document", "file"}
# The csv module's own limit is below the length of a long document.
_LONGEST_CELL = 20_000_000


def load_table(path: Path) -> Dataset:
    """Read a table with a header (`.csv`; `.tsv`, where quotes mean nothing), or one object a line (`.jsonl`).

    Columns: `question`; `answer` (empty: unanswerable); `document` (its text) or `file` (its path, from the table's
    folder); and, if wanted, `id` (else one made of question and document) and `start` (the answer's offset; else every
    place where the answer stands as whole words counts).

    Raises:
        DatasetError: the file cannot be read, or has wrong rows: every one of them is named.
    """
    contexts: dict[str, int] = {}
    questions: dict[str, LabelledQuestion] = {}
    problems: list[LabelProblem] = []
    for line, row in _rows(path):
        try:
            unknown = sorted(set(row) - _COLUMNS)
            if unknown:
                raise ValueError(f"unknown column {unknown[0]!r}; there are {', '.join(sorted(_COLUMNS))}")
            text, document = _text(row, "question"), _document(path, row)
            if not text.strip():
                raise ValueError("question is blank")
            id = _derived_id(text, document) if row.get("id") in (None, "") else str(row["id"])
            if id in questions:
                raise ValueError(f"id {id!r} occurs twice" if row.get("id") else "the same row occurs twice")
            spans = _spans(document, row)
        except ValueError as error:
            problems.append(LabelProblem(f"line {line}", str(error)))
        else:
            questions[id] = LabelledQuestion(id, text, contexts.setdefault(document, len(contexts)), spans)
    return checked(path, problems, Dataset(path.stem, tuple(contexts), tuple(questions.values())))


def _derived_id(question: str, document: str) -> str:
    """Return an id that stays the same when rows are moved."""
    return hashlib.sha256(f"{question}\0{document}".encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each row with the number of its last line."""
    if path.suffix == ".jsonl":
        yield from json_lines(path)
        return
    csv.field_size_limit(_LONGEST_CELL)
    content = io.StringIO(content_of(path), newline="")
    tabs = path.suffix == ".tsv"
    reader = csv.DictReader(
        content, delimiter="\t" if tabs else ",", quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL, strict=True
    )
    try:
        for row in reader:
            if None in row or None in row.values():
                raise DatasetError(f"{path}: line {reader.line_num}: not as many cells as the header", field="dataset")
            yield reader.line_num, row
    except csv.Error as error:
        raise DatasetError(f"{path}: line {reader.reader.line_num}: {error}", field="dataset") from error


def _text(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str):
        raise ValueError(f"{column} is missing" if value is None else f"{column} is not a text")
    return value


def _document(path: Path, row: dict[str, Any]) -> str:
    document, name = (_of_file(path, row), "file") if row.get("file") else (_text(row, "document"), "document")
    if not document.strip():
        raise ValueError(f"{name} is blank")
    return document


def _of_file(path: Path, row: dict[str, Any]) -> str:
    name = _text(row, "file")
    try:
        return (path.parent / name).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"file {name!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"file {name!r}: not UTF-8") from error


def _spans(document: str, row: dict[str, Any]) -> tuple[Span, ...]:
    answer = _text(row, "answer").strip()
    if not answer:
        return ()
    if row.get("start") not in (None, ""):
        start = _offset(row["start"])
        if document[start : start + len(answer)] != answer:
            raise ValueError(f"answer {answer!r} is not at offset {start}")
        return (Span(start, start + len(answer)),)
    places = [match.start() for match in re.finditer(f"(?={re.escape(answer)})", document)]
    if not places:
        raise ValueError(f"answer {answer!r} does not stand in the document")
    spans = [Span(start, start + len(answer)) for start in places]
    return tuple(span for span in spans if span.is_of_whole_words(document)) or tuple(spans)


def _offset(value: object) -> int:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"start {value!r} is not an offset")
    return value
