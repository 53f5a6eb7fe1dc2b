"""Parts of a Word document beside its body: notes, running heads, comments and inserted files."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import PurePosixPath

from qa.documents.extract.docx.text import NoteReference
from qa.documents.extract.office.archive import OfficeArchive
from qa.documents.extract.office.number_formats import format_number
from qa.documents.extract.office.xml_tree import Element, attribute, find, find_all, integer, qn
from qa.documents.extract.text_builder import ExtractedText, TextBuilder
from qa.errors import InvalidInput
from qa.text.tables import CELL_SEPARATOR, table_span
from qa.types import Span, mark_at

ExtractInserted = Callable[[bytes, str], ExtractedText]
"""Extracts a Word document inside another one, given its bytes and name; raises QAError."""

_DEFAULT_FORMATS = {"footnote": "decimal", "endnote": "lowerRoman"}

_PARAGRAPH = re.compile(r"[^\n]+(?:\n[^\n]+)*")


class Notes:
    """The footnotes and endnotes of a document."""

    def __init__(self, archive: OfficeArchive, main: str) -> None:
        """Find the notes; damaged ones are missing, and listed in `unread`."""
        self.unread: list[str] = []
        self._notes: dict[tuple[str, str], tuple[Element, str]] = {}
        self._formats: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        settings = read_optional(archive, main, "settings", self.unread)
        for kind, default in _DEFAULT_FORMATS.items():
            own = find(settings[1], f"w:{kind}Pr") if settings else None
            self._formats[kind] = attribute(find(own, "w:numFmt"), "w:val") or default
            self._counts[kind] = integer(attribute(find(own, "w:numStart"), "w:val"), 1) - 1
            found = read_optional(archive, main, f"{kind}s", self.unread)
            if found:
                part, root = found
                notes = find_all(root, f"w:{kind}")
                self._notes |= {(kind, attribute(note, "w:id") or ""): (note, part) for note in notes}

    def find(self, reference: NoteReference) -> tuple[str, Element, str] | None:
        """Return the label, element and part of a note, called in the order of the text; None if it is missing."""
        label = ""
        if not reference.has_own_mark:
            self._counts[reference.kind] += 1
            label = f"[{format_number(self._counts[reference.kind], self._formats[reference.kind])}]"
        note = self._notes.pop((reference.kind, reference.id), None)
        return (label, *note) if note else None


def read_optional(archive: OfficeArchive, main: str, kind: str, unread: list[str]) -> tuple[str, Element] | None:
    """Return the name and root of a part that a document may have; list it in `unread` if it is damaged."""
    try:
        part = next(archive.related(main, kind), None)
        return (part, archive.read_xml(part)) if part else None
    except InvalidInput:
        unread.append(f"the {kind} of the document are damaged")
        return None


def count_comments(archive: OfficeArchive, main: str, unread: list[str]) -> int:
    """Return the number of comments in the margins of a document; list them in `unread` if they are damaged."""
    found = read_optional(archive, main, "comments", unread)
    return len(find_all(found[1], "w:comment")) if found else 0


def running_heads(
    archive: OfficeArchive, main: str, body: Element | None, kind: str, unread: list[str]
) -> Iterator[tuple[str, Element]]:
    """Yield the name and root of each header or footer of a document that differs from the others.

    Args:
        archive: the document.
        main: its main part.
        body: its body.
        kind: `header` or `footer`.
        unread: receives the damaged ones.
    """
    relationships = archive.relationships(main)
    seen = set[str]()
    for section in [] if body is None else body.iter(qn("w:sectPr")):
        has_first = find(section, "w:titlePg") is not None
        for reference in find_all(section, f"w:{kind}Reference"):
            relationship = relationships.get(attribute(reference, "r:id") or "")
            is_shown = attribute(reference, "w:type") != "first" or has_first
            if not relationship or not is_shown or relationship.target in seen:
                continue
            seen.add(relationship.target)
            try:
                root = archive.read_xml(relationship.target)
            except InvalidInput:
                unread.append(f"a damaged {kind}")
                continue
            text = " ".join("".join(root.itertext()).split())
            if text not in seen:
                seen.add(text)
                yield relationship.target, root


def read_chunk(data: bytes, part: str, extract_docx: ExtractInserted) -> ExtractedText:
    """Return the text of a file that is inserted into a document as an alternative format.

    Args:
        data: the inserted file.
        part: its name in the archive.
        extract_docx: extracts a file that is a Word document.

    Raises:
        QAError: it cannot be read.
    """
    suffix = PurePosixPath(part).suffix.lower()
    start = data[:200].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith(b"mime-version") or suffix in (".mht", ".mhtml"):
        message = email.message_from_bytes(data, _class=EmailMessage, policy=email.policy.default)
        page = message.get_body(("html", "plain"))
        content = page.get_content() if page else ""
        data, suffix = str(content).encode(), ".html"
    if data.startswith(b"PK"):
        return extract_docx(data, part)
    if start.startswith(b"{\\rtf"):
        from qa.documents.extract.rtf.document import extract_rtf

        return extract_rtf(data, part)
    if suffix in (".htm", ".html", ".xhtml") or b"<html" in start:
        from qa.documents.extract.html.page import extract_html

        return extract_html(data, part)
    from qa.documents.extract.plain_text import extract_plain

    return extract_plain(data, part)


def add_extracted(builder: TextBuilder, extracted: ExtractedText) -> None:
    """Add the text of another file with its sections, tables and what could not be read."""
    place = 0
    for table in extracted.tables:
        _add_paragraphs(builder, extracted, Span(place, table.start))
        rows, start = [], table.start
        for lengths in table.rows:
            row = []
            for length in lengths:
                row.append(extracted.text[start : start + length])
                start += length + len(CELL_SEPARATOR)
            # A line end is between two rows.
            start += 1 - len(CELL_SEPARATOR)
            rows.append(row)
        builder.add_table(rows, header_rows=table.header_rows, labelled=table.labelled)
        place = table_span(table).end
    _add_paragraphs(builder, extracted, Span(place, len(extracted.text)))
    for part in extracted.unread:
        builder.report_unread(part.reason)


def _add_paragraphs(builder: TextBuilder, extracted: ExtractedText, span: Span) -> None:
    for paragraph in _PARAGRAPH.finditer(extracted.text, span.start, span.end):
        mark = mark_at(extracted.marks, paragraph.start())
        if mark and mark.section:
            builder.start_section(mark.section)
        builder.start_kind(mark.kind if mark else "text")
        builder.add_block(paragraph[0])
    builder.start_kind("text")
