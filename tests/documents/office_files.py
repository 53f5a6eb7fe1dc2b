"""Build small office files from XML: only what a test needs, which no library writes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

from qa.documents.extract.office.xml_tree import PREFIXES

_RELATIONSHIPS = PREFIXES["r"]
_STRICT = "http://purl.oclc.org/ooxml"
_OPEN_DOCUMENT = ("office", "text", "table", "style", "draw", "meta", "xlink", "dc", "svg", "chart")
_FO = "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"
_FORM = "urn:oasis:names:tc:opendocument:xmlns:form:1.0"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def namespaces(*prefixes: str) -> str:
    """Return the declarations of prefixes, for the root element of a part."""
    return " ".join(f'xmlns:{prefix}="{PREFIXES[prefix]}"' for prefix in prefixes)


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    """Return a ZIP archive of parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return file.getvalue()


def relationships(targets: Mapping[str, tuple[str, str]], base: str = _RELATIONSHIPS) -> str:
    """Return a part of relationships: for each id, its kind and its target."""
    entries = "".join(
        f'<Relationship Id="{id}" Type="{base}/{kind}" Target="{target}"/>' for id, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{PREFIXES["pr"]}">{entries}</Relationships>'


def part(root: str, content: str) -> str:
    """Return a part of an office file with this root element, of Word if it has no prefix."""
    root = root if ":" in root else f"w:{root}"
    prefixes = namespaces("w", "r", "m", "a", "c", "dgm", "wp", "pic", "mc", "v", "o")
    return f'<{root} {prefixes} xmlns:wps="urn:wps">{content}</{root}>'


def docx_file(body: str, parts: Mapping[str, str | bytes] | None = None, *, strict: bool = False) -> bytes:
    """Return a Word document.

    Args:
        body: the XML in the body.
        parts: other parts by the kind of their relationship (`styles`), with an id that is the same; a number at the
            end (`header1`) distinguishes parts of a kind.
        strict: whether names are those of strict Office Open XML.
    """
    parts = parts or {}
    targets = {name: (name.rstrip("0123456789"), f"{name}.xml") for name in parts}
    document = part("document", f"<w:body>{body}</w:body>")
    if strict:
        document = document.replace(PREFIXES["w"], f"{_STRICT}/wordprocessingml/main")
        document = document.replace(PREFIXES["r"], f"{_STRICT}/officeDocument/relationships")
    base = f"{_STRICT}/officeDocument/relationships" if strict else _RELATIONSHIPS
    return archive(
        {
            "_rels/.rels": relationships({"rId1": ("officeDocument", "word/document.xml")}, base),
            "word/document.xml": document,
            "word/_rels/document.xml.rels": relationships(targets, base),
            **{f"word/{name}.xml": content for name, content in parts.items()},
        }
    )


def paragraph(text: str, properties: str = "") -> str:
    """Return a paragraph of a Word document with one run of text."""
    return f"<w:p><w:pPr>{properties}</w:pPr>{run(text)}</w:p>"


def run(text: str, properties: str = "") -> str:
    """Return a run of text of a Word document."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def numbered(text: str, level: int = 0, list_id: int = 1) -> str:
    """Return a paragraph of a numbered list of a Word document."""
    return paragraph(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>')


def table(*rows: str, properties: str = "") -> str:
    """Return a table of a Word document."""
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr>{''.join(rows)}</w:tbl>"


def row(*cells: str, properties: str = "") -> str:
    """Return a row of a table of a Word document; cells are texts, or XML that begins with `<`."""
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(c if c.startswith('<') else cell(c) for c in cells)}</w:tr>"


def cell(text: str, properties: str = "", run_properties: str = "") -> str:
    """Return a cell of a table of a Word document."""
    return f"<w:tc><w:tcPr>{properties}</w:tcPr><w:p>{run(text, run_properties)}</w:p></w:tc>"


def odt_file(body: str, *, automatic: str = "", styles: str = "", **parts: str | bytes) -> bytes:
    """Return an OpenDocument text.

    Args:
        body: the XML in the text.
        automatic: its automatic styles.
        styles: the content of the styles part.
        parts: other parts; two underscores in a name stand for a slash, and `.xml` is added.
    """
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": _open_document("document-content", body, automatic),
            "styles.xml": f"<office:document-styles {_open_document_names()}>{styles}</office:document-styles>",
            **{f"{name.replace('__', '/')}.xml": content for name, content in parts.items()},
        }
    )


def fodt_file(body: str) -> bytes:
    """Return an OpenDocument text as flat XML."""
    return _open_document("document", body, "").encode()


def _open_document(root: str, body: str, automatic: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:{root} {_open_document_names()}>'
        f"<office:automatic-styles>{automatic}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:{root}>"
    )


def _open_document_names() -> str:
    return f'{namespaces(*_OPEN_DOCUMENT)} xmlns:fo="{_FO}" xmlns:form="{_FORM}"'
