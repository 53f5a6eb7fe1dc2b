"""CSV and JSON lines: a document for each row, with the other columns as its metadata."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from qa.documents.extract.plain import decoded
from qa.documents.extract.text import ExtractedText
from qa.errors import InvalidInput

_DELIMITERS = ",;\t|"
# A field may hold a whole book.
_FIELD = 10_000_000


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what: that of the text has to be there, others may be missing."""

    text: str = "text"
    title: str = "title"
    id: str = "id"


def extract_csv(data: bytes, name: str, columns: Columns) -> list[ExtractedText]:
    """Extract a table's rows; the first line names the columns, and tells whether commas, semicolons or tabs part them.

    Raises:
        InvalidInput: there is no such column, or a row has more fields than the first line; names the line.
    """
    text = decoded(data, name)
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(_FIELD)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="")
    made: list[ExtractedText] = []
    try:
        for row in reader:
            if "" in row:
                raise InvalidInput(f"{name}: line {reader.line_num}: more fields than columns", field=name)
            made += _extracted(row, columns, f"{name}: line {reader.line_num}", name)
    except csv.Error as error:
        raise InvalidInput(f"{name}: line {reader.line_num}: {error}", field=name) from error
    return made


def extract_json_lines(data: bytes, name: str, columns: Columns) -> list[ExtractedText]:
    """Extract the objects of a file that has one on each line.

    Raises:
        InvalidInput: a line is no JSON object, or has no such field; names the line.
    """
    made: list[ExtractedText] = []
    for number, line in enumerate(decoded(data, name).split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InvalidInput(f"{name}: line {number}: not JSON ({error})", field=name) from error
            if not isinstance(row, dict):
                raise InvalidInput(f"{name}: line {number}: not a JSON object", field=name)
            made += _extracted(row, columns, f"{name}: line {number}", name)
    return made


def _extracted(row: Mapping[str, object], columns: Columns, place: str, name: str) -> Iterator[ExtractedText]:
    """Yield a row's document, unless its text is blank."""
    if columns.text not in row:
        has = ", ".join(row)
        raise InvalidInput(f"{place}: no column {columns.text!r} for the text; there are: {has}", field=name)
    text = row[columns.text]
    if not isinstance(text, str | None):
        raise InvalidInput(f"{place}: {columns.text} is {type(text).__name__}, not text", field=name)
    if text and text.strip():
        title, id = row.get(columns.title), row.get(columns.id)
        known = {columns.text, columns.title, columns.id}
        meta = {key: _plain(value) for key, value in row.items() if key not in known and value not in (None, "")}
        yield ExtractedText(text, str(title) if title else None, meta, (), None if id in (None, "") else str(id))


def _plain(value: object) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else json.dumps(value, ensure_ascii=False)
