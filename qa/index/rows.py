"""Columns of the catalogue that hold JSON: marks, tables, unread parts and metadata (pure).

Fields with their default are left out. A document that uses none of the newer fields is stored and hashed as by earlier
versions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from qa.types import Document, Mark, Table, Unread

_TABLE_DEFAULTS = {"header": [], "header_rows": 0, "labelled": False, "numbers": [], "first_column": 1}


def meta_json(document: Document) -> str:
    """Return a document's metadata."""
    return json.dumps(dict(document.meta), ensure_ascii=False, sort_keys=True)


def marks_json(marks: Sequence[Mark]) -> str:
    """Return marks."""
    return json.dumps([_mark_fields(mark) for mark in marks], ensure_ascii=False)


def parse_marks(text: str) -> tuple[Mark, ...]:
    """Return the marks of `marks_json`."""
    return tuple(Mark(*values) for values in json.loads(text))


def tables_json(tables: Sequence[Table]) -> str:
    """Return tables."""
    return json.dumps([_table_fields(table) for table in tables], ensure_ascii=False, separators=(",", ":"))


def parse_tables(text: str) -> tuple[Table, ...]:
    """Return the tables of `tables_json`."""
    return tuple(_parse_table(values) for values in json.loads(text))


def unread_json(unread: Sequence[Unread]) -> str:
    """Return the parts of a file that could not be read."""
    return json.dumps([(part.page, part.reason) for part in unread], ensure_ascii=False)


def parse_unread(text: str) -> tuple[Unread, ...]:
    """Return the parts of `unread_json`."""
    return tuple(Unread(page, reason) for page, reason in json.loads(text))


def content_hash(document: Document) -> str:
    """Return a hash of everything that a document holds: text, metadata, places, tables, unread parts and its file."""
    parts: list[object] = [document.text, document.title, document.uri, dict(document.meta)]
    # Earlier versions hashed only these four. Documents without the other fields keep their hashes.
    if document.marks:
        parts.append([_mark_fields(mark) for mark in document.marks])
    if document.boxes:
        parts.append(document.boxes.hex())
    if document.tables:
        parts.append({"tables": [_table_fields(table) for table in document.tables]})
    if document.unread:
        parts.append({"unread": [(part.page, part.reason) for part in document.unread]})
    if document.file:
        parts.append({"file": document.file.sha256})
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _mark_fields(mark: Mark) -> tuple[object, ...]:
    values = (mark.start, mark.page, mark.section)
    return values if mark.kind == "text" else (*values, mark.kind)


def _table_fields(table: Table) -> dict[str, object]:
    values = {
        "start": table.start,
        "rows": [list(row) for row in table.rows],
        "header": list(table.header),
        "header_rows": table.header_rows,
        "labelled": table.labelled,
        "numbers": list(table.numbers),
        "first_column": table.first_column,
    }
    return {name: value for name, value in values.items() if value != _TABLE_DEFAULTS.get(name)}


def _parse_table(values: Mapping[str, Any]) -> Table:
    sequences = {
        "rows": tuple(map(tuple, values["rows"])),
        "header": tuple(values.get("header", ())),
        "numbers": tuple(values.get("numbers", ())),
    }
    return Table(**{**values, **sequences})
