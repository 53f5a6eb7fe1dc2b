"""DOCX: paragraphs, lists and tables in order, with headings as sections.

The text reads as Word shows it: tracked changes are accepted, hidden text is left out, and automatic numbers, chosen
form values, notes and text boxes are included. Each running head is included once. Comments are left out and counted.
"""

from __future__ import annotations

from functools import partial

from qa.documents.extract.docx.body import BodyReader
from qa.documents.extract.office.archive import OfficeArchive
from qa.documents.extract.office.xml_tree import find, qn
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import UnsupportedFormat

# How many documents may be inserted into each other.
_MAX_DEPTH = 3
_OTHER_FORMATS = {"workbook": "an Excel workbook; name it .xlsx", "presentation": "a PowerPoint file; name it .pptx"}


def extract_docx(data: bytes, name: str, *, depth: int = 0) -> ExtractedText:
    """Extract the text of a file; its title is in its properties, or else on its title page.

    The other properties become its metadata.

    Args:
        data: the whole file: a document or a template, with or without macros.
        name: the file's name, for error messages.
        depth: how many documents this one is inserted into.

    Raises:
        InvalidInput: the file is not a Word document, is damaged or is encrypted.
        UnsupportedFormat: the file has another format of Office.
        TooLarge: the file is too large when unpacked.
    """
    archive = OfficeArchive(data, name, "DOCX")
    main = archive.main_part
    root = archive.read_xml(main)
    if root.tag != qn("w:document"):
        format = _OTHER_FORMATS.get(root.tag.rpartition("}")[2], "not a Word document; save it as DOCX")
        raise UnsupportedFormat(f"{name}: {format}", field=name)
    title, meta = archive.properties()
    body = find(root, "w:body")
    inner = partial(extract_docx, depth=depth + 1) if depth < _MAX_DEPTH else None
    reader = BodyReader(archive, main, inner)
    reader.add_running_heads(body, "header")
    if body is not None:
        reader.add_blocks(body)
    reader.add_running_heads(body, "footer")
    reader.report_unread()
    return reader.writer.build(title, meta)
