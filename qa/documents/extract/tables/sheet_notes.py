"""Texts on the sheets of an XLSX workbook that are not in cells: comments and text boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from qa.documents.extract.office.archive import OfficeArchive
from qa.documents.extract.office.xml_tree import Element, attribute

# What Excel writes before a comment for programs that know no threads of comments.
_THREAD_NOTICE = "[Threaded comment]"


def read_sheet_notes(data: bytes, name: str) -> Mapping[str, Sequence[str]]:
    """Return the comments and text boxes of each sheet that has any, by the name of the sheet.

    Raises:
        InvalidInput: the archive is damaged.
        TooLarge: the archive is too large when unpacked.
    """
    archive = OfficeArchive(data, name, "XLSX")
    parts = archive.relationships(archive.main_part)
    notes: dict[str, Sequence[str]] = {}
    for element in _iterate(archive.read_xml(archive.main_part), "sheet"):
        relationship = parts.get(attribute(element, "r:id") or "")
        if relationship and relationship.target in archive:
            texts = [*_comments(archive, relationship.target), *_text_boxes(archive, relationship.target)]
            if texts:
                notes[element.get("name", "")] = texts
    return notes


def _comments(archive: OfficeArchive, sheet: str) -> Iterator[str]:
    """Yield the comments on cells, with the reference of the cell."""
    for part in archive.related(sheet, "threadedComment"):
        for comment in _iterate(archive.read_xml(part), "threadedComment"):
            yield from _describe(comment, "text")
    for part in archive.related(sheet, "comments"):
        for comment in _iterate(archive.read_xml(part), "comment"):
            yield from (text for text in _describe(comment, "t") if _THREAD_NOTICE not in text)


def _describe(comment: Element, name: str) -> Iterator[str]:
    text = " ".join("".join(_text(element) for element in _iterate(comment, name)).split())
    if text:
        yield f"{comment.get('ref', '')}: {text}"


def _text_boxes(archive: OfficeArchive, sheet: str) -> Iterator[str]:
    for part in archive.related(sheet, "drawing"):
        for body in _iterate(archive.read_xml(part), "txBody"):
            paragraphs = ("".join(_text(run) for run in _iterate(p, "t")).strip() for p in _iterate(body, "p"))
            yield "\n".join(filter(None, paragraphs))


def _text(element: Element) -> str:
    return element.text or ""


def _iterate(element: Element, name: str) -> Iterator[Element]:
    """Yield the descendants with a local name, in either of the formats that differ only in their addresses."""
    return element.iter(f"{{*}}{name}")  # type: ignore[no-any-return]
