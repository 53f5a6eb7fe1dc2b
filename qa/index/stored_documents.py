"""Documents from rows of the catalogue (pure)."""

from __future__ import annotations

import json
import sqlite3

from qa.index.rows import parse_marks, parse_tables, parse_unread
from qa.types import Document, DocumentInfo, SourceFile


def document_info(row: sqlite3.Row) -> DocumentInfo:
    """Return what a listing of documents has of a row."""
    return DocumentInfo(
        id=row["id"],
        title=row["title"],
        uri=row["uri"],
        meta=json.loads(row["meta"]),
        characters=row["characters"],
        passages=row["passages"],
        sha256=row["sha256"],
        added_at=row["added_at"],
        revision=row["revision"],
        unread=parse_unread(row["unread"]),
        file=_file(row),
    )


def stored_document(row: sqlite3.Row) -> Document:
    """Return the document of a row, with a file without its data."""
    return Document(
        id=row["id"],
        text=row["text"],
        title=row["title"],
        uri=row["uri"],
        meta=json.loads(row["meta"]),
        marks=parse_marks(row["marks"]),
        boxes=row["boxes"],
        tables=parse_tables(row["tables"]),
        unread=parse_unread(row["unread"]),
        file=_file(row),
    )


def _file(row: sqlite3.Row) -> SourceFile | None:
    """Return a document's file without its data; None if the document has none."""
    return SourceFile(row["file_name"], row["media_type"], row["file"], row["size"]) if row["file"] else None
