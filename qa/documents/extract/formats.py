"""Choose the extractor for a file's format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from qa.documents.extract.plain_text import extract_plain
from qa.documents.extract.tables import Columns, extract_csv, extract_json_lines
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, UnsupportedFormat

Extract = Callable[[bytes, str, Columns | None], list[ExtractedText]]
"""Extracts the documents of a file, given its bytes, its name and the columns of a table."""

_Extractor = Callable[[bytes, str], ExtractedText]
_TABLES = {".csv": extract_csv, ".tsv": extract_csv, ".jsonl": extract_json_lines, ".ndjson": extract_json_lines}
_CONVERT = "convert it to PDF or DOCX first"
_PICTURE = "run OCR and save it as PDF with text"
_ARCHIVE = "unpack it first"
_UNSUPPORTED = {
    **dict.fromkeys((".doc", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".rtf", ".epub"), _CONVERT),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".webp"), _PICTURE),
    **dict.fromkeys((".zip", ".gz", ".tar", ".7z"), _ARCHIVE),
}


def extract(data: bytes, name: str, columns: Columns | None = None) -> list[ExtractedText]:
    """Extract the documents of a file: one, or one for each row of a table.

    Args:
        data: the whole file.
        name: the file's name or path; its suffix decides the format, and error messages name it.
        columns: the columns of a table; the default names if None.

    Raises:
        UnsupportedFormat: the format is not supported.
        InvalidInput: the file is damaged.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix in _UNSUPPORTED:
        raise UnsupportedFormat(f"{name}: {suffix} files are not supported; {_UNSUPPORTED[suffix]}", field=name)
    if suffix in _TABLES:
        return _TABLES[suffix](data, name, columns or Columns())
    try:
        return [_choose_extractor(suffix, data)(data, name)]
    except (QAError, MemoryError):
        raise
    except Exception as error:
        # Parsers raise undocumented exceptions on damaged files. The fault is the file's, so the error names it.
        raise InvalidInput(
            f"{name}: damaged ({type(error).__name__}: {error}); save or download the file again", field=name
        ) from error


def _choose_extractor(suffix: str, data: bytes) -> _Extractor:
    """Return the extractor for a format, imported here so that a parser is loaded only when a file needs it."""
    start = data[:512].lstrip().lower()
    if suffix == ".pdf" or start.startswith(b"%pdf-"):
        from qa.documents.extract.pdf import extract_pdf

        return extract_pdf
    if suffix == ".docx":
        from qa.documents.extract.docx import extract_docx

        return extract_docx
    if suffix in (".html", ".htm", ".xhtml") or (not suffix and start.startswith((b"<!doctype html", b"<html"))):
        from qa.documents.extract.html import extract_html

        return extract_html
    if suffix in (".md", ".markdown"):
        from qa.documents.extract.markdown import extract_markdown

        return extract_markdown
    return extract_plain
