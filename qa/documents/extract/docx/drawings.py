"""Drawings of a Word document: text boxes, charts and diagrams, and the pictures and objects that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable

from qa.documents.extract.office.archive import OfficeArchive
from qa.documents.extract.office.drawings import anchored_text, body_text
from qa.documents.extract.office.graphics import add_graphic
from qa.documents.extract.office.unreadable import Unreadable, centimetres
from qa.documents.extract.office.xml_tree import Element, integer, qn
from qa.documents.extract.text_builder import TextBuilder

# English Metric Units in a centimetre.
_UNITS = 360_000
_WIDTH, _HEIGHT = re.compile(r"(?:^|;)\s*width:([^;]*)"), re.compile(r"(?:^|;)\s*height:([^;]*)")


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
        has_picture = False

        def visit(element: Element) -> bool:
            nonlocal has_picture
            tag = element.tag
            if tag == qn("w:txbxContent"):
                self._add_blocks(element)
            elif tag == qn("a:txBody"):
                builder.add_block(body_text(element))
            elif tag == qn("v:textpath"):
                builder.add_block(element.get("string") or "")
            elif tag in (qn("pic:pic"), qn("v:imagedata")):
                has_picture = True
            else:
                fault = add_graphic(element, part, self._archive, builder)
                self._unreadable.reasons += [fault] if fault else []
                return fault is not None
            return True

        anchored_text(drawing, visit)
        if has_picture and not objects:
            self._unreadable.add_picture(*_size(drawing))


def _size(drawing: Element) -> tuple[float, float]:
    """Return the width and height of a drawing in centimetres; 0 if it has none."""
    sizes = [(integer(e.get("cx")) / _UNITS, integer(e.get("cy")) / _UNITS) for e in drawing.iter(qn("wp:extent"))]
    for shape in [] if sizes else drawing.iter(qn("v:shape"), qn("v:rect")):
        style = shape.get("style") or ""
        width, height = _WIDTH.search(style), _HEIGHT.search(style)
        sizes.append((centimetres(width and width[1]), centimetres(height and height[1])))
    return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
