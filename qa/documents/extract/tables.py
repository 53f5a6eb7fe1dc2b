"""CSV and JSON lines: one document for each row, with the other columns as its metadata."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from qa.documents.extract.plain_text import decode
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput

_DELIMITERS = ",;\t|"
# In characters; a field may contain a whole book.
_MAX_FIELD = 10_000_000
# Smaller integers survive a client that parses all numbers as floats.
_MAX_EXACT = 10**15
# A record separator, which does not occur in text; it marks the end of the file.
_END = "\x1e"


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns of text, title and id; only the text column is required."""

    text: str = "text"
    title: str = "title"
    id: str = "id"


def extract_csv(data: bytes, name: str, columns: Columns) -> list[ExtractedText]:
    """Extract the rows of a table; its first line names the columns and decides the delimiter.

    A metadata column with only numbers, or only `true` and `false`, is converted, so that filters match its
    values. A column stays text if any value would change when written again, as in postcodes and versions.

    Args:
        data: the whole file.
        name: the file's name in error messages.
        columns: the names of the columns to read.

    Raises:
        InvalidInput: the text column is missing, a column name or an id occurs twice, a row has more fields than the
            header, or a quotation mark is not closed; the message names the row, counted from 1 below the header.
    """
    text = decode(data, name).lstrip("\r\n")
    first_line = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first_line.count)
    csv.field_size_limit(_MAX_FIELD)
    records: list[list[str]] = []
    try:
        records.extend(filter(None, csv.reader(io.StringIO(f"{text}\n{_END}", newline=""), delimiter=delimiter)))
    except csv.Error as error:
        raise InvalidInput(f"{_row_name(name, len(records))}: not valid CSV ({error})", field=name) from error
    # An unclosed quotation mark takes the rest of the file, and the end mark with it, into its field.
    if records.pop() != [_END]:
        row_name = _row_name(name, len(records))
        raise InvalidInput(f"{row_name}: unclosed quotation mark; close it, or double it inside a field", field=name)
    header, values = (records[0], records[1:]) if records else ([], [])
    names = Counter(filter(None, header))
    if duplicates := [column for column, count in names.items() if count > 1]:
        raise InvalidInput(f"{name}: two columns are named {duplicates[0]!r}; rename one", field=name)
    if too_long := next((number for number, row in enumerate(values, 1) if len(row) > len(header)), None):
        raise InvalidInput(
            f"{_row_name(name, too_long)}: more fields than columns; quote fields that contain {delimiter!r}",
            field=name,
        )
    rows: list[dict[str, Any]] = [dict(zip_longest(header, row)) for row in values]
    for column in names.keys() - {columns.text, columns.title, columns.id}:
        _convert_column(rows, column)
    return _extract_rows([(_row_name(name, number), row) for number, row in enumerate(rows, 1)], columns, name)


def _row_name(name: str, row: int) -> str:
    return f"{name}: row {row}" if row else f"{name}: header"


def _convert_column(rows: Sequence[dict[str, Any]], column: str) -> None:
    """Convert a column to numbers or truth values if all its texts are, and converting loses nothing."""
    values = {text: _parse_scalar(text) for text in {row[column] for row in rows} if text}
    kinds = {None if value is None else isinstance(value, bool) for value in values.values()}
    if len(kinds) == 1 and None not in kinds and all(json.dumps(value) == text for text, value in values.items()):
        for row in rows:
            row[column] = values.get(row[column])


def _parse_scalar(text: str) -> int | float | bool | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, int | float | bool) and abs(value) < _MAX_EXACT else None


def extract_json_lines(data: bytes, name: str, columns: Columns) -> list[ExtractedText]:
    """Extract the objects of a file that has one JSON object on each line.

    Args:
        data: the whole file.
        name: the file's name in error messages.
        columns: the names of the fields to read.

    Raises:
        InvalidInput: a line is not a JSON object, lacks the text field, or repeats an id; the message names the line.
    """
    rows: list[tuple[str, Mapping[str, object]]] = []
    for number, line in enumerate(decode(data, name).split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InvalidInput(f"{name}: line {number}: not valid JSON ({error})", field=name) from error
            if not isinstance(row, dict):
                raise InvalidInput(
                    f"{name}: line {number}: not a JSON object; write one object on each line", field=name
                )
            rows.append((f"{name}: line {number}", row))
    return _extract_rows(rows, columns, name)


def _extract_rows(rows: Sequence[tuple[str, Mapping[str, object]]], columns: Columns, name: str) -> list[ExtractedText]:
    """Return the document of each row, skipping rows whose text is blank."""
    documents: list[ExtractedText] = []
    seen: dict[str, str] = {}
    reserved = {columns.text, columns.title, columns.id}
    for number, (row_name, row) in enumerate(rows, 1):
        if columns.text not in row:
            raise InvalidInput(
                f"{row_name}: no column {columns.text!r}; name the text column, one of: {', '.join(row)}", field=name
            )
        text, title, raw_id = row[columns.text], row.get(columns.title), row.get(columns.id)
        if not isinstance(text, str | None):
            raise InvalidInput(
                f"{row_name}: column {columns.text!r} must hold text, got {type(text).__name__}", field=name
            )
        if not text or not text.strip():
            continue
        id = None if raw_id in (None, "") else str(raw_id)
        if id and seen.setdefault(id, row_name) != row_name:
            raise InvalidInput(f"{row_name}: id {id!r} is already used by an earlier row; make ids unique", field=name)
        meta = {key: _to_scalar(value) for key, value in row.items() if key not in reserved and value not in (None, "")}
        documents.append(ExtractedText(text, str(title) if title else None, meta, id=id, row=number))
    if not documents:
        raise InvalidInput(
            f"{name}: no row has text in column {columns.text!r}; name the column that holds the text", field=name
        )
    return documents


def _to_scalar(value: object) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else json.dumps(value, ensure_ascii=False)
