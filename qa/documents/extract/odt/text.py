"""The text of a paragraph of an OpenDocument text, as the reader of the document sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from qa.documents.extract.odt.styles import Styles
from qa.documents.extract.office.number_formats import is_page_label
from qa.documents.extract.office.styled_text import StyledText, TextStyle
from qa.documents.extract.office.xml_tree import Element, attribute, children, find, integer, names, qn

SKIPPED = names(
    "text:tracked-changes", "text:number", "text:hidden-text", "office:annotation", "office:event-listeners"
)
SKIPPED |= names("office:forms", "text:script", "svg:title", "svg:desc", "text:sequence-decls", "text:variable-decls")
SKIPPED |= names("text:user-field-decls", "text:dde-connection-decls", "office:binary-data", "draw:contour-polygon")
SKIPPED |= names("draw:glue-point", "draw:enhanced-geometry", "draw:image-map", "text:label")
DRAWINGS = names("draw:frame", "draw:g", "draw:custom-shape", "draw:rect", "draw:ellipse", "draw:circle", "draw:line")
DRAWINGS |= names("draw:polyline", "draw:polygon", "draw:path", "draw:connector", "draw:caption", "draw:a")
_PAGE_NUMBERS = names("text:page-number", "text:page-count")
# A count of spaces is a number that a file may set freely.
_MAX_SPACES = 100


@dataclass(slots=True)
class ParagraphText:
    """The text of a paragraph and what is anchored to it.

    Attributes:
        is_bold: whether all of the text is bold.
        notes: its notes.
        drawings: its frames and shapes.
    """

    text: str = ""
    is_bold: bool = False
    notes: list[Element] = field(default_factory=list)
    drawings: list[Element] = field(default_factory=list)


class TextReader:
    """Reads the paragraphs of a document."""

    def __init__(
        self,
        styles: Styles,
        controls: Mapping[str, str],
        read_formula: Callable[[Element], str | None],
        *,
        without_page_numbers: bool = False,
    ) -> None:
        """Prepare to read.

        Args:
            styles: the styles of the document.
            controls: what the controls of its forms show, by their identifiers.
            read_formula: returns the text of a frame that is a formula; None for other frames.
            without_page_numbers: skip the numbers of pages, as in running heads.
        """
        self._styles = styles
        self._controls = controls
        self._read_formula = read_formula
        self._without_page_numbers = without_page_numbers
        self._begin()

    def _begin(self) -> None:
        self._result = ParagraphText()
        self._text = StyledText()
        self._has_page_number = False

    def read(self, paragraph: Element) -> ParagraphText:
        """Return the text of a `text:p` or `text:h` element."""
        self._begin()
        self._read(paragraph, self._styles.text_style("paragraph", attribute(paragraph, "text:style-name")))
        text = self._text.finish().strip()
        self._result.text = "" if self._has_page_number and is_page_label(text) else text
        self._result.is_bold = self._text.is_bold
        return self._result

    def _read(self, element: Element, style: TextStyle) -> None:
        self._text.add(_collapse(element.text), style)
        for child in children(element):
            self._read_child(child, style)
            self._text.add(_collapse(child.tail), style)

    def _read_child(self, child: Element, style: TextStyle) -> None:
        tag = child.tag
        if tag == qn("text:span"):
            own = self._styles.text_style("text", attribute(child, "text:style-name"))
            self._read(child, own.over(style))
        elif tag == qn("text:s"):
            self._text.add(" " * min(integer(attribute(child, "text:c"), 1), _MAX_SPACES), style)
        elif tag == qn("text:tab"):
            self._text.add("\t", style)
        elif tag == qn("text:line-break"):
            self._text.add("\n", style)
        elif tag == qn("text:note"):
            if not style.is_hidden:
                self._result.notes.append(child)
        elif tag == qn("text:ruby"):
            self._read_ruby(child, style)
        elif tag == qn("draw:control"):
            self._text.add(self._controls.get(attribute(child, "draw:control") or "", ""), style)
        elif tag in DRAWINGS:
            formula = self._read_formula(child)
            if formula is not None:
                self._text.add(formula, style)
            elif not style.is_hidden:
                self._result.drawings.append(child)
        elif tag in _PAGE_NUMBERS and self._without_page_numbers:
            self._has_page_number = True
        elif tag not in SKIPPED and attribute(child, "text:is-hidden") != "true":
            self._read(child, style)

    def _read_ruby(self, element: Element, style: TextStyle) -> None:
        base, reading = find(element, "text:ruby-base"), find(element, "text:ruby-text")
        if base is not None:
            self._read(base, style)
        text = "" if reading is None else "".join(reading.itertext()).strip()
        space = " " if self._text.last.isascii() else ""
        self._text.add(f"{space}({text})" if text else "", style)


def _collapse(text: str | None) -> str:
    """Return text with each run of white space as one space, as OpenDocument defines it."""
    if not text:
        return ""
    words = " ".join(text.split())
    if not words:
        return " "
    return f"{' ' if text[0].isspace() else ''}{words}{' ' if text[-1].isspace() else ''}"
