"""The text of a paragraph of a Word document, as the reader of the document sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from qa.documents.extract.docx.fields import CHECKED, UNCHECKED, Field, read_form
from qa.documents.extract.docx.styles import Styles
from qa.documents.extract.office.equations import read_omml
from qa.documents.extract.office.styled_text import PLAIN, StyledText, TextStyle
from qa.documents.extract.office.symbols import is_symbol_font, symbol
from qa.documents.extract.office.xml_tree import Element, alternative, attribute, children, find, names, qn

# Deleted and moved text, properties, and what only other programs read.
SKIPPED = names("w:del", "w:moveFrom", "w:pPr", "w:rPr", "w:tblPr", "w:tblGrid", "w:tcPr", "w:trPr", "w:sdtPr") | names(
    "w:sdtEndPr", "w:customXmlPr", "w:smartTagPr", "w:sectPr", "w:instrText", "w:delText", "w:delInstrText"
)
_CHARACTERS = {qn("w:tab"): "\t", qn("w:ptab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_DRAWINGS = names("w:drawing", "w:pict", "w:object")
# Fields within fields.
_MAX_FIELDS = 50
_PAGE_NUMBER = re.compile(r"\s*(?:PAGE|NUMPAGES|SECTIONPAGES)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NoteReference:
    """The mark of a footnote or an endnote.

    Attributes:
        kind: `footnote` or `endnote`.
        has_own_mark: whether the author wrote the mark, rather than Word counting it.
    """

    kind: str
    id: str
    has_own_mark: bool


@dataclass(slots=True)
class ParagraphText:
    """The text of a paragraph and what is anchored to it.

    Attributes:
        is_bold: whether all of the text is bold.
        has_page_number: whether it shows the number of its page.
        notes: the notes that it cites.
        drawings: its pictures, text boxes, diagrams and embedded objects.
    """

    text: str = ""
    is_bold: bool = False
    has_page_number: bool = False
    notes: list[NoteReference] = field(default_factory=list)
    drawings: list[Element] = field(default_factory=list)


class TextReader:
    """Reads the paragraphs of one part of a document in their order; fields may extend over several."""

    def __init__(self, styles: Styles, *, without_page_numbers: bool = False) -> None:
        """Begin a part; without page numbers, as in running heads, fields with the number of the page are empty."""
        self._styles = styles
        self._without_page_numbers = without_page_numbers
        self._fields: list[Field] = []
        self._begin_paragraph(PLAIN)
        self._readers: dict[str, Callable[[Element, TextStyle], None]] = {
            qn("w:r"): self._read_run,
            qn("w:t"): lambda element, style: self._add(element.text or "", style),
            qn("w:sym"): self._read_symbol,
            qn("w:fldChar"): self._read_field_mark,
            qn("w:instrText"): self._read_instruction,
            qn("w:fldSimple"): self._read_simple_field,
            qn("w:ruby"): self._read_ruby,
            qn("w:sdt"): self._read_control,
            qn("m:oMath"): self._read_equation,
            qn("m:oMathPara"): self._read_equation,
            qn("mc:AlternateContent"): self._read_alternative,
            qn("w:footnoteReference"): self._read_note_mark,
            qn("w:endnoteReference"): self._read_note_mark,
        }

    def read(self, paragraph: Element) -> ParagraphText:
        """Return the text of a `w:p` element, with the white space around it."""
        style = self._styles.paragraph_text_style(find(paragraph, "w:pPr"))
        self._begin_paragraph(style)
        # An equation or a run may be outside any paragraph.
        self._readers.get(paragraph.tag, self._read_children)(paragraph, style)
        for open_field in self._fields:
            # A field that never reaches its result must not hide the rest of the document.
            open_field.in_result = True
        self._result.text = self._text.finish()
        self._result.is_bold = self._text.is_bold
        return self._result

    def _begin_paragraph(self, style: TextStyle) -> None:
        self._paragraph_style = style
        self._result = ParagraphText()
        self._text = StyledText()

    def _read_children(self, element: Element, style: TextStyle) -> None:
        for child in children(element):
            tag = child.tag
            reader = self._readers.get(tag)
            if reader:
                reader(child, style)
            elif tag in _CHARACTERS:
                self._add(_CHARACTERS[tag], style)
            elif tag in _DRAWINGS:
                if not style.is_hidden:
                    self._result.drawings.append(child)
            elif tag not in SKIPPED:
                self._read_children(child, style)

    def _add(self, text: str, style: TextStyle) -> None:
        """Add text unless it is hidden or belongs to the instruction of a field."""
        if not text or style.is_hidden or not all(open_field.in_result for open_field in self._fields):
            return
        for open_field in self._fields:
            open_field.has_text = True
        self._text.add(text, style)

    def _read_run(self, run: Element, _: TextStyle) -> None:
        self._read_children(run, self._styles.run_style(find(run, "w:rPr"), self._paragraph_style))

    def _read_alternative(self, element: Element, style: TextStyle) -> None:
        chosen = alternative(element)
        if chosen is not None:
            self._read_children(chosen, style)

    def _read_symbol(self, element: Element, style: TextStyle) -> None:
        self._add(_symbol(element, style.font or ""), style)

    def _read_control(self, element: Element, style: TextStyle) -> None:
        box = find(element, "w:sdtPr/w14:checkbox")
        if box is None:
            self._read_children(element, style)
        else:
            is_checked = attribute(find(box, "w14:checked"), "w14:val") in ("1", "true", "on")
            self._add(CHECKED if is_checked else UNCHECKED, style)

    def _read_ruby(self, element: Element, style: TextStyle) -> None:
        base, reading = find(element, "w:rubyBase"), find(element, "w:rt")
        if base is not None:
            self._read_children(base, style)
        if reading is not None:
            text = plain_text(reading).strip()
            space = " " if self._text.last.isascii() else ""
            self._add(f"{space}({text})" if text else "", style)

    def _read_equation(self, element: Element, style: TextStyle) -> None:
        text = read_omml(element, plain_text)
        # A displayed equation is a line.
        is_displayed = element.tag == qn("m:oMathPara") and self._text.last[-1:] not in ("", "\n")
        self._add(f"\n{text}\n" if is_displayed else text, style)

    def _read_note_mark(self, element: Element, style: TextStyle) -> None:
        if not style.is_hidden:
            kind = element.tag.rpartition("}")[2].removesuffix("Reference")
            own_mark = attribute(element, "w:customMarkFollows") not in (None, "0", "false", "off")
            self._result.notes.append(NoteReference(kind, attribute(element, "w:id") or "", own_mark))

    def _read_field_mark(self, element: Element, style: TextStyle) -> None:
        match attribute(element, "w:fldCharType"):
            case "begin":
                if len(self._fields) < _MAX_FIELDS:
                    self._fields.append(Field(read_form(find(element, "w:ffData"))))
            case "separate" if self._fields:
                self._fields[-1].in_result = not self._is_page_number(self._fields[-1].instruction)
            case "end" if self._fields:
                self._add(self._fields.pop().shown(), style)

    def _read_instruction(self, element: Element, _: TextStyle) -> None:
        if self._fields and not self._fields[-1].in_result:
            self._fields[-1].instruction += element.text or ""

    def _read_simple_field(self, element: Element, style: TextStyle) -> None:
        if not self._is_page_number(attribute(element, "w:instr") or ""):
            self._read_children(element, style)

    def _is_page_number(self, instruction: str) -> bool:
        is_page_number = self._without_page_numbers and bool(_PAGE_NUMBER.match(instruction))
        self._result.has_page_number |= is_page_number
        return is_page_number


def plain_text(element: Element) -> str:
    """Return the text of an element, whatever its style."""
    if element.tag == qn("w:t"):
        return element.text or ""
    if element.tag == qn("w:sym"):
        return _symbol(element, "")
    return "" if element.tag in SKIPPED else "".join(map(plain_text, children(element)))


def _symbol(element: Element, font_of_run: str) -> str:
    """Return the character of a `w:sym` element."""
    font = attribute(element, "w:font") or ""
    try:
        code = int(attribute(element, "w:char") or "", 16)
    except ValueError:
        return ""
    return symbol(font if is_symbol_font(font) else font_of_run or font, code)
