"""CSV, TSV and JSON Lines files with a question, its answer and its document in each row ─► labelled questions."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion, LabelProblem, checked, content_of
from qa.types import Span

_COLUMNS = {"id", "question", "answer", "start", "document", "file"}


def load_table(path: Path) -> Dataset:
    """Read a table with a header (`.csv`, `.tsv`), or one object a line (`.jsonl`).

    Columns: `question`; `answer` (empty: unanswerable); `document` (its text) or `file` (its path, from the table's
    folder); and, if wanted, `id` (else the line's number) and `start` (the answer's offset; else every place where the
    answer's text stands counts).

    Raises:
        DatasetError: the file cannot be read, or has wrong rows: every one of them is named.
    """
    contexts: dict[str, int] = {}
    questions: dict[str, LabelledQuestion] = {}
    problems: list[LabelProblem] = []
    for line, row in _rows(path):
        id = str(row.get("id") or line)
        try:
            unknown = sorted(set(row) - _COLUMNS)
            if unknown:
                raise ValueError(f"unknown column {unknown[0]!r}; there are {', '.join(sorted(_COLUMNS))}")
            text, document = _text(row, "question"), _document(path, row)
            if not text.strip():
                raise ValueError("question is blank")
            if id in questions:
                raise ValueError(f"id {id!r} occurs twice")
            spans = _spans(document, row)
        except ValueError as error:
            problems.append(LabelProblem(f"line {line}", str(error)))
        else:
            questions[id] = LabelledQuestion(id, text, contexts.setdefault(document, len(contexts)), spans)
    return checked(path, problems, Dataset(path.stem, tuple(contexts), tuple(questions.values())))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each row with the number of its last line."""
    content = content_of(path)
    if path.suffix != ".jsonl":
        reader = csv.DictReader(io.StringIO(content, newline=""), delimiter="\t" if path.suffix == ".tsv" else ",")
        for row in reader:
            if None in row or None in row.values():
                raise DatasetError(f"{path}: line {reader.line_num}: not as many cells as the header", field="dataset")
            yield reader.line_num, row
        return
    for line, text in enumerate(content.split("\n"), 1):
        if text.strip():
            try:
                made = json.loads(text)
            except ValueError as error:
                raise DatasetError(f"{path}: line {line}: not JSON ({error})", field="dataset") from error
            if not isinstance(made, dict):
                raise DatasetError(f"{path}: line {line}: not a JSON object", field="dataset")
            yield line, made


def _text(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str):
        raise ValueError(f"{column} is missing" if value is None else f"{column} is not a text")
    return value


def _document(path: Path, row: dict[str, Any]) -> str:
    if row.get("file"):
        try:
            return (path.parent / _text(row, "file")).read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise ValueError(f"file {row['file']!r}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"file {row['file']!r}: not UTF-8") from error
    document = _text(row, "document")
    if not document.strip():
        raise ValueError("document is blank")
    return document


def _spans(document: str, row: dict[str, Any]) -> tuple[Span, ...]:
    answer = _text(row, "answer").strip()
    if not answer:
        return ()
    if row.get("start") not in (None, ""):
        start = int(row["start"])
        if start < 0 or document[start : start + len(answer)] != answer:
            raise ValueError(f"answer {answer!r} is not at offset {start}")
        return (Span(start, start + len(answer)),)
    starts = []
    start = document.find(answer)
    while start >= 0:
        starts.append(start)
        start = document.find(answer, start + 1)
    if not starts:
        raise ValueError(f"answer {answer!r} does not stand in the document")
    return tuple(Span(start, start + len(answer)) for start in starts)
