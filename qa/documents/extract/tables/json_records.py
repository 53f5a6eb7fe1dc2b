"""JSON: a document for each object of a list or of a line; other JSON is text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from qa.documents.extract.plain_text import decode_text
from qa.documents.extract.tables.columns import Columns
from qa.documents.extract.tables.rows import Row, extract_rows
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput


def extract_json_lines(data: bytes, name: str, columns: Columns) -> list[ExtractedText]:
    """Extract the objects of a file that has one JSON object on each line, or a list of objects.

    Args:
        data: the whole file.
        name: the file's name in error messages.
        columns: the names of the fields to read.

    Raises:
        InvalidInput: see `extract_rows`; or a line is not a JSON object. The message names the line.
    """
    decoded = decode_text(data, name)
    rows = _parse_list(decoded.text, name) or _parse_lines(decoded.text, name)
    return extract_rows(rows, columns, name, unread=decoded.unread)


def extract_json(data: bytes, name: str, columns: Columns) -> list[ExtractedText]:
    """Extract the objects of a list, or of lines if there are several; a file of anything else is one text.

    Raises:
        InvalidInput: see `extract_rows`.
    """
    decoded = decode_text(data, name)
    rows = _parse_list(decoded.text, name)
    if rows is None and "\n" in decoded.text.strip():
        try:
            rows = _parse_lines(decoded.text, name)
        except InvalidInput:
            # A single value on several lines.
            rows = None
    if not rows:
        return [ExtractedText(decoded.text, unread=decoded.unread)]
    return extract_rows(rows, columns, name, unread=decoded.unread)


def _parse_list(text: str, name: str) -> list[Row] | None:
    """Return the rows of a list of objects; None for anything else."""
    if not text.lstrip().startswith("["):
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not values or not all(isinstance(value, dict) for value in values):
        return None
    return _make_rows([(f"{name}: item {number}", value) for number, value in enumerate(values, 1)])


def _parse_lines(text: str, name: str) -> list[Row]:
    values: list[tuple[str, Mapping[str, object]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InvalidInput(f"{name}: line {number}: not valid JSON ({error})", field=name) from error
            if not isinstance(value, dict):
                raise InvalidInput(
                    f"{name}: line {number}: not a JSON object; write one object on each line", field=name
                )
            values.append((f"{name}: line {number}", value))
    return _make_rows(values)


def _make_rows(values: Sequence[tuple[str, Mapping[str, object]]]) -> list[Row]:
    return [Row(place, value) for place, value in values]
