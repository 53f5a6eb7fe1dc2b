"""ODT: paragraphs, lists and tables in order, with headings as sections.

The text reads as it is shown: tracked changes are accepted, hidden text is left out, and automatic numbers, notes and
text boxes are included. Each running head is included once. Comments are left out and counted.
"""

from __future__ import annotations

from qa.documents.extract.odt.archive import OpenDocument
from qa.documents.extract.odt.body import BodyReader
from qa.documents.extract.office.xml_tree import Element, children, find, qn
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, UnsupportedFormat

_OTHER_FORMATS = {
    "spreadsheet": "an OpenDocument spreadsheet; name it .ods",
    "presentation": "an OpenDocument presentation; save it as PPTX or PDF",
    "drawing": "an OpenDocument drawing; save it as PDF",
}


def extract_odt(data: bytes, name: str) -> ExtractedText:
    """Extract the text of a file; its title is in its properties, or else on its title page.

    The other properties become its metadata.

    Args:
        data: the whole file: a document or a template, as an archive or as flat XML.
        name: the file's name, for error messages.

    Raises:
        InvalidInput: the file is not an OpenDocument text, is damaged or is encrypted.
        UnsupportedFormat: the file has another format of OpenDocument.
        TooLarge: the file is too large when unpacked.
    """
    document = OpenDocument(data, name)
    body = find(document.content, "office:body")
    text = find(body, "office:text")
    if text is None:
        kind = body[0].tag.rpartition("}")[2] if body is not None and len(body) else ""
        if kind in _OTHER_FORMATS:
            raise UnsupportedFormat(f"{name}: {_OTHER_FORMATS[kind]}", field=name)
        raise InvalidInput(f"{name}: not an ODT file; save it again as ODT", field=name)
    reader = BodyReader(document, text)
    heads = list(_running_heads(document.styles))
    for head in heads:
        if "header" in head.tag:
            reader.add_running_head(head)
    reader.add_blocks(text)
    for foot in heads:
        if "footer" in foot.tag:
            reader.add_running_head(foot)
    reader.report_unread()
    title, meta = document.properties()
    return reader.writer.build(title, meta)


def _running_heads(styles: Element | None) -> list[Element]:
    """Return the headers and footers of the pages, each text once."""
    heads: dict[tuple[str, str], Element] = {}
    for page in [] if styles is None else styles.iter(qn("style:master-page")):
        for head in children(page):
            kind = head.tag.rpartition("}")[2].partition("-")[0]
            if kind in ("header", "footer"):
                heads.setdefault((kind, " ".join("".join(head.itertext()).split())), head)
    return list(heads.values())
