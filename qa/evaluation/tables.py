"""Read CSV, TSV and JSON Lines tables with a question, its answer and its document in each row."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion, LabelProblem, check_dataset
from qa.evaluation.input_files import read_json_lines, read_text
from qa.types import Span

_COLUMNS = {"id", "question", "answer", "start", "document", "file"}
# The default limit of the csv module is shorter than a long document.
_MAX_CELL_LENGTH = 20_000_000


def load_table(path: Path) -> Dataset:
    """Read a table with a header (`.csv` or `.tsv`), or one object a line (`.jsonl`).

    In `.tsv` files quotation marks have no special meaning. The columns are:

    - `question`, and `answer` (empty: unanswerable);
    - `document` (the text) or `file` (a path relative to the table's folder);
    - optionally `id` (default: a hash of question and document);
    - optionally `start`, the answer's offset in code points (default: every occurrence of the answer as whole words).

    Raises:
        DatasetError: the file cannot be read, or has wrong rows; the message lists them.
    """
    contexts: dict[str, int] = {}
    questions: dict[str, LabelledQuestion] = {}
    problems: list[LabelProblem] = []
    for line, row in _read_rows(path):
        try:
            unknown = sorted(set(row) - _COLUMNS)
            if unknown:
                raise ValueError(f"unknown column {unknown[0]!r}; use {', '.join(sorted(_COLUMNS))}")
            text, document = _text(row, "question"), _read_document(path, row)
            if not text.strip():
                raise ValueError("question is blank")
            id = _derived_id(text, document) if row.get("id") in (None, "") else str(row["id"])
            if id in questions:
                raise ValueError(f"duplicate id {id!r}" if row.get("id") else "duplicate row")
            spans = _find_spans(document, row)
        except ValueError as error:
            problems.append(LabelProblem(f"line {line}", str(error)))
        else:
            questions[id] = LabelledQuestion(id, text, contexts.setdefault(document, len(contexts)), spans)
    return check_dataset(path, problems, Dataset(path.stem, tuple(contexts), tuple(questions.values())))


def _derived_id(question: str, document: str) -> str:
    """Return an id that does not depend on the order of the rows."""
    return hashlib.sha256(f"{question}\0{document}".encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each row's last line, and the row."""
    if path.suffix == ".jsonl":
        yield from read_json_lines(path)
        return
    csv.field_size_limit(_MAX_CELL_LENGTH)
    content = io.StringIO(read_text(path), newline="")
    tabs = path.suffix == ".tsv"
    reader = csv.DictReader(
        content, delimiter="\t" if tabs else ",", quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL, strict=True
    )
    try:
        for row in reader:
            if None in row or None in row.values():
                raise DatasetError(
                    f"{path}: line {reader.line_num}: the number of cells differs from the header", field="dataset"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise DatasetError(f"{path}: line {reader.reader.line_num}: {error}", field="dataset") from error


def _text(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str):
        raise ValueError(f"{column} is missing" if value is None else f"{column} is not a string")
    return value


def _read_document(path: Path, row: dict[str, Any]) -> str:
    document, name = (_read_file(path, row), "file") if row.get("file") else (_text(row, "document"), "document")
    if not document.strip():
        raise ValueError(f"{name} is blank")
    return document


def _read_file(path: Path, row: dict[str, Any]) -> str:
    name = _text(row, "file")
    try:
        return (path.parent / name).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"file {name!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"file {name!r}: not UTF-8") from error


def _find_spans(document: str, row: dict[str, Any]) -> tuple[Span, ...]:
    answer = _text(row, "answer").strip()
    if not answer:
        return ()
    if row.get("start") not in (None, ""):
        start = _parse_offset(row["start"])
        if document[start : start + len(answer)] != answer:
            raise ValueError(f"answer {answer!r} is not at offset {start}")
        return (Span(start, start + len(answer)),)
    starts = [match.start() for match in re.finditer(f"(?={re.escape(answer)})", document)]
    if not starts:
        raise ValueError(f"answer {answer!r} not found in the document")
    spans = [Span(start, start + len(answer)) for start in starts]
    return tuple(span for span in spans if span.is_of_whole_words(document)) or tuple(spans)


def _parse_offset(value: object) -> int:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"start {value!r} is not an offset")
    return value
