"""Drawings of a Word document: text boxes, charts and diagrams, and the pictures and objects that cannot be read."""

from __future__ import annotations

from collections.abc import Callable

from qa.documents.extract.office.archive import OfficeArchive
from qa.documents.extract.office.drawings import anchored_text, body_text
from qa.documents.extract.office.graphics import add_graphic
from qa.documents.extract.office.unreadable import Unreadable
from qa.documents.extract.office.xml_tree import Element, integer, qn
from qa.documents.extract.text_builder import TextBuilder

# In English Metric Units, 360,000 to the centimetre. A smaller picture is an icon, a logo or a signature.
_MIN_PICTURE = (4 * 360_000) * (3 * 360_000)


class DrawingReader:
    """Adds the text of drawings to a document."""

    def __init__(self, archive: OfficeArchive, unreadable: Unreadable, add_blocks: Callable[[Element], None]) -> None:
        """Prepare to read.

        Args:
            archive: the document.
            unreadable: receives what cannot be read.
            add_blocks: adds the paragraphs and tables of a text box.
        """
        self._archive = archive
        self._unreadable = unreadable
        self._add_blocks = add_blocks

    def add(self, drawing: Element, part: str, builder: TextBuilder) -> None:
        """Add the text of a `w:drawing`, `w:pict` or `w:object` element of a part."""
        objects = [*drawing.iter(qn("o:OLEObject"))]
        for element in objects:
            self._unreadable.objects[element.get("ProgID") or "unknown"] += 1
        extents = [integer(e.get("cx")) * integer(e.get("cy")) for e in drawing.iter(qn("wp:extent"))]
        is_large = max(extents, default=_MIN_PICTURE) >= _MIN_PICTURE

        def visit(element: Element) -> bool:
            tag = element.tag
            if tag == qn("w:txbxContent"):
                self._add_blocks(element)
            elif tag == qn("a:txBody"):
                builder.add_block(body_text(element))
            elif tag == qn("v:textpath"):
                builder.add_block(element.get("string") or "")
            elif tag in (qn("pic:pic"), qn("v:imagedata")):
                self._unreadable.pictures += int(is_large and not objects)
            else:
                fault = add_graphic(element, part, self._archive, builder)
                self._unreadable.reasons += [fault] if fault else []
                return fault is not None
            return True

        anchored_text(drawing, visit)
