"""Which format a file has, and what extracts it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from qa.documents.extract.plain_text import extract_plain
from qa.documents.extract.tables import Columns, extract_csv, extract_json_lines
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, UnsupportedFormat

Extract = Callable[[bytes, str, Columns | None], list[ExtractedText]]
"""Extracts a file's documents, of its bytes, its name and the columns of a table."""

_Format = Callable[[bytes, str], ExtractedText]
_ROWS = {".csv": extract_csv, ".tsv": extract_csv, ".jsonl": extract_json_lines, ".ndjson": extract_json_lines}
_CONVERT, _PICTURE, _PACKED = "convert it to PDF or DOCX first", "pictures are not read", "unpack it first"
_REFUSED = {
    **dict.fromkeys((".doc", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".rtf", ".epub"), _CONVERT),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".webp"), _PICTURE),
    **dict.fromkeys((".zip", ".gz", ".tar", ".7z"), _PACKED),
}


def extract(data: bytes, name: str, columns: Columns | None = None) -> list[ExtractedText]:
    """Extract a file's documents: one, or one for each row of a table.

    Args:
        data: the whole file.
        name: its name or path, whose ending tells the format; it is also what errors call it.
        columns: of a table.

    Raises:
        UnsupportedFormat: it is of a format that cannot be read.
        InvalidInput: it is damaged.
    """
    ending = PurePath(name).suffix.lower()
    if ending in _REFUSED:
        raise UnsupportedFormat(f"{name}: {ending} cannot be read: {_REFUSED[ending]}", field=name)
    if ending in _ROWS:
        return _ROWS[ending](data, name, columns or Columns())
    try:
        return [_extractor(ending, data)(data, name)]
    except (QAError, MemoryError):
        raise
    except Exception as error:
        # Parsers of other people's files fail in more ways than they tell; the file is to blame, and is named.
        raise InvalidInput(f"{name}: damaged ({type(error).__name__}: {error})", field=name) from error


def _extractor(ending: str, data: bytes) -> _Format:
    """Return what extracts a format. It is loaded here, so that nobody waits for a format of which there is no file."""
    start = data[:512].lstrip().lower()
    if ending == ".pdf" or start.startswith(b"%pdf-"):
        from qa.documents.extract.pdf import extract_pdf

        return extract_pdf
    if ending == ".docx":
        from qa.documents.extract.docx import extract_docx

        return extract_docx
    if ending in (".html", ".htm", ".xhtml") or (not ending and start.startswith((b"<!doctype html", b"<html"))):
        from qa.documents.extract.html import extract_html

        return extract_html
    if ending in (".md", ".markdown"):
        from qa.documents.extract.markdown import extract_markdown

        return extract_markdown
    return extract_plain
