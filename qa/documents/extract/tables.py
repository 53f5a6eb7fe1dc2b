"""CSV and JSON lines: a document for each row, with the other columns as its metadata."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from qa.documents.extract.plain_text import decoded
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput

_DELIMITERS = ",;\t|"
# A field may hold a whole book.
_FIELD = 10_000_000
# Numbers below it are told apart by whoever reads them as floats.
_EXACT = 10**15
# No text has it.
_END = "\x1e"


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what: that of the text has to be there, others may be missing."""

    text: str = "text"
    title: str = "title"
    id: str = "id"


def extract_csv(data: bytes, name: str, columns: Columns) -> list[ExtractedText]:
    """Extract a table's rows; the first line names the columns, and tells whether commas, semicolons or tabs part them.

    A column of metadata that has nothing but numbers, or nothing but `true` and `false`, has them as such, so that
    filters find them; unless one is not written as it would be written again, as in postcodes or versions.

    Raises:
        InvalidInput: there is no such column or a name twice, a row has more fields than the first line or an id that
            was there before, or a quotation mark is left open; names the row, of which the first is the one below the
            names.
    """
    text = decoded(data, name).lstrip("\r\n")
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(_FIELD)
    read: list[list[str]] = []
    try:
        read.extend(filter(None, csv.reader(io.StringIO(f"{text}\n{_END}", newline=""), delimiter=delimiter)))
    except csv.Error as error:
        raise InvalidInput(f"{_place(name, len(read))}: {error}", field=name) from error
    # A quotation mark that is left open takes all that follows into its field.
    if read.pop() != [_END]:
        raise InvalidInput(f"{_place(name, len(read))}: a quotation mark is left open", field=name)
    header, fields = (read[0], read[1:]) if read else ([], [])
    names = Counter(filter(None, header))
    if twice := [column for column, count in names.items() if count > 1]:
        raise InvalidInput(f"{name}: two columns are called {twice[0]!r}", field=name)
    if long := next((number for number, row in enumerate(fields, 1) if len(row) > len(header)), None):
        raise InvalidInput(f"{_place(name, long)}: more fields than columns", field=name)
    rows: list[dict[str, Any]] = [dict(zip_longest(header, row)) for row in fields]
    for column in names.keys() - {columns.text, columns.title, columns.id}:
        _read_as_such(rows, column)
    return _extracted([(_place(name, number), row) for number, row in enumerate(rows, 1)], columns, name)


def _place(name: str, row: int) -> str:
    return f"{name}: row {row}" if row else f"{name}: the names of the columns"


def _read_as_such(rows: Sequence[dict[str, Any]], column: str) -> None:
    """Make the texts of a column the numbers or truth values that they all are, if nothing is lost by that."""
    read = {text: _scalar(text) for text in {row[column] for row in rows} if text}
    kinds = {None if value is None else isinstance(value, bool) for value in read.values()}
    if len(kinds) == 1 and None not in kinds and all(json.dumps(value) == text for text, value in read.items()):
        for row in rows:
            row[column] = read.get(row[column])


def _scalar(text: str) -> int | float | bool | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, int | float | bool) and abs(value) < _EXACT else None


def extract_json_lines(data: bytes, name: str, columns: Columns) -> list[ExtractedText]:
    """Extract the objects of a file that has one on each line.

    Raises:
        InvalidInput: a line is no JSON object, has no such field, or has an id that was there before; names the line.
    """
    rows: list[tuple[str, Mapping[str, object]]] = []
    for number, line in enumerate(decoded(data, name).split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InvalidInput(f"{name}: line {number}: not JSON ({error})", field=name) from error
            if not isinstance(row, dict):
                raise InvalidInput(f"{name}: line {number}: not a JSON object", field=name)
            rows.append((f"{name}: line {number}", row))
    return _extracted(rows, columns, name)


def _extracted(rows: Sequence[tuple[str, Mapping[str, object]]], columns: Columns, name: str) -> list[ExtractedText]:
    """Return each row's document; rows whose text is blank have none."""
    made: list[ExtractedText] = []
    seen: dict[str, str] = {}
    known = {columns.text, columns.title, columns.id}
    for number, (place, row) in enumerate(rows, 1):
        if columns.text not in row:
            has = ", ".join(row)
            raise InvalidInput(f"{place}: no column {columns.text!r} for the text; there are: {has}", field=name)
        text, title, id = row[columns.text], row.get(columns.title), row.get(columns.id)
        if not isinstance(text, str | None):
            raise InvalidInput(f"{place}: {columns.text} is {type(text).__name__}, not text", field=name)
        if not text or not text.strip():
            continue
        named = None if id in (None, "") else str(id)
        if named and seen.setdefault(named, place) != place:
            raise InvalidInput(f"{place}: id {named!r} is that of an earlier row", field=name)
        meta = {key: _plain(value) for key, value in row.items() if key not in known and value not in (None, "")}
        made.append(ExtractedText(text, str(title) if title else None, meta, id=named, row=number))
    if not made:
        raise InvalidInput(f"{name}: no row has a text", field=name)
    return made


def _plain(value: object) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else json.dumps(value, ensure_ascii=False)
