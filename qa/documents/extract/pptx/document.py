"""PPTX: a slide is a page, its title a section; text, tables, charts, diagrams and notes in reading order.

Hidden slides are included, because a reader of the file sees them. Dates, footers and slide numbers are left out.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from qa.documents.extract.office.archive import OfficeArchive
from qa.documents.extract.office.drawings import body_text
from qa.documents.extract.office.graphics import add_graphic
from qa.documents.extract.office.merged_cells import PlacedCell, fill_columns, repeatable
from qa.documents.extract.office.unreadable import count
from qa.documents.extract.office.xml_tree import Element, attribute, find, find_all, integer, qn
from qa.documents.extract.pdf.titles import clean_title
from qa.documents.extract.pptx.shapes import (
    TITLES,
    Frame,
    Layout,
    in_reading_order,
    placeholder_type,
    shapes_of,
    text_of,
)
from qa.documents.extract.table_headers import Cell, guess_header_rows, guess_labelled, texts_of
from qa.documents.extract.text_builder import ExtractedText, TextBuilder
from qa.errors import InvalidInput, UnsupportedFormat
from qa.text.tables import CELL_SEPARATOR

_OTHER_FORMATS = {"workbook": "an Excel workbook; name it .xlsx", "document": "a Word document; name it .docx"}
_DEFAULT_SIZE = 9_144_000, 6_858_000
# Shapes that begin within this share of the slide's height are beside each other.
_SAME_HEIGHT = 0.04
# A slide with less text, and pictures on at least this share of it, may show text in them.
_LITTLE_TEXT, _MUCH_PICTURE = 100, 0.2


def extract_pptx(data: bytes, name: str) -> ExtractedText:
    """Extract the text of a presentation; its title is in its properties, or else on its first slide.

    Args:
        data: the whole file: a presentation, a show or a template, with or without macros.
        name: the file's name, for error messages.

    Raises:
        InvalidInput: the file is not a presentation, is damaged or is encrypted.
        UnsupportedFormat: the file has another format of Office.
        TooLarge: the file is too large when unpacked.
    """
    archive = OfficeArchive(data, name, "PPTX")
    main = archive.main_part
    root = archive.read_xml(main)
    if root.tag != qn("p:presentation"):
        format = _OTHER_FORMATS.get(root.tag.rpartition("}")[2], "not a presentation; save it as PPTX")
        raise UnsupportedFormat(f"{name}: {format}", field=name)
    size = find(root, "p:sldSz")
    width, height = _DEFAULT_SIZE if size is None else (integer(size.get("cx")), integer(size.get("cy")))
    relationships = archive.relationships(main)
    builder = TextBuilder()
    layouts: dict[str | None, Layout] = {}
    titles: list[str] = []
    for number, slide in enumerate(find_all(root, "p:sldIdLst/p:sldId"), 1):
        builder.start_page(number)
        relationship = relationships.get(attribute(slide, "r:id") or "")
        part = relationship.target if relationship else "missing"
        if part in archive.shown:
            continue
        archive.shown.add(part)
        try:
            tree = find(archive.read_xml(part), "p:cSld/p:spTree")
            layout = next(archive.related(part, "slideLayout"), None)
        except InvalidInput:
            builder.report_unread("a damaged slide", number)
            continue
        if layout not in layouts:
            layouts[layout] = Layout(archive, layout)
        reader = _SlideReader(archive, part, number, width * height, builder, layouts[layout])
        titles.append(reader.read(tree, int(height * _SAME_HEIGHT)))
    title, meta = archive.properties()
    return builder.build(clean_title(title, builder.build().text) or next(iter(titles), ""), meta)


class _SlideReader:
    """Adds the text of a slide."""

    def __init__(
        self, archive: OfficeArchive, part: str, number: int, area: int, builder: TextBuilder, layout: Layout
    ) -> None:
        self._archive = archive
        self._part = part
        self._number = number
        self._area = area
        self._builder = builder
        self._layout = layout
        self._pictures = self._characters = 0

    def read(self, tree: Element | None, tolerance: int) -> str:
        """Add a slide and return its title.

        Args:
            tree: the shapes of the slide.
            tolerance: shapes whose upper edges differ by less are beside each other.
        """
        shapes = list(shapes_of(tree))
        title_shape = next((shape for shape in shapes if placeholder_type(shape) in TITLES), None)
        title = "" if title_shape is None else " ".join(text_of(title_shape, self._layout).split())
        self._builder.start_section(title or f"Slide {self._number}")
        self._builder.add_heading(title)
        self._add_shapes([shape for shape in shapes if shape is not title_shape or not title], tolerance)
        if self._characters < _LITTLE_TEXT and self._pictures >= _MUCH_PICTURE * self._area > 0:
            self._builder.report_unread("a picture, perhaps of text", self._number)
        try:
            self._add_related()
        except InvalidInput:
            self._builder.report_unread("damaged notes or comments", self._number)
        return title

    def _add_related(self) -> None:
        for notes in self._archive.related(self._part, "notesSlide"):
            if notes not in self._archive.shown:
                self._archive.shown.add(notes)
                self._add_notes(notes)
        for comments in self._archive.related(self._part, "comments"):
            number = len(self._archive.read_xml(comments))
            self._builder.report_unread(f"{count(number, 'comment')}, which the text leaves out", self._number)

    def _add_shapes(self, shapes: list[Element], tolerance: int) -> None:
        placed = [(self._layout.frame(shape), shape) for shape in shapes]
        for shape in in_reading_order(placed, tolerance):
            if shape.tag == qn("p:grpSp"):
                self._add_shapes(list(shapes_of(shape)), tolerance)
            elif shape.tag == qn("p:graphicFrame"):
                self._add_frame(shape)
            elif shape.tag == qn("p:pic"):
                self._add_picture(shape)
            else:
                self._add_text(text_of(shape, self._layout))

    def _add_text(self, text: str) -> None:
        self._characters += len(text)
        self._builder.add_block(text)

    def _add_picture(self, shape: Element) -> None:
        frame: Frame = self._layout.frame(shape)
        self._pictures += frame.width * frame.height
        properties = find(shape, "p:nvPicPr/p:nvPr")
        for kind in ("video", "audio"):
            if find(properties, f"a:{kind}File") is not None:
                self._builder.report_unread(f"{'a' if kind == 'video' else 'an'} {kind}", self._number)

    def _add_frame(self, shape: Element) -> None:
        report = partial(self._builder.report_unread, page=self._number)
        for element in shape.iter("*"):
            fault = add_graphic(element, self._part, self._archive, self._builder)
            if fault:
                report(fault)
            if fault is not None:
                self._characters += _LITTLE_TEXT
                return
            if element.tag == qn("a:tbl"):
                self._add_table(element)
                return
            if element.tag == qn("p:oleObj"):
                report(f"an embedded object ({element.get('progId') or 'unknown'})")
                return

    def _add_table(self, table: Element) -> None:
        rows: list[list[PlacedCell]] = []
        for row in find_all(table, "a:tr"):
            cells: list[PlacedCell] = []
            above = {placed.column: placed for placed in rows[-1]} if rows else {}
            for column, cell in enumerate(find_all(row, "a:tc")):
                if cell.get("hMerge") in ("1", "true") and cells:
                    cells[-1] = replace(cells[-1], span=column + 1 - cells[-1].column)
                elif cell.get("vMerge") in ("1", "true") and column in above:
                    cells.append(replace(above[column], cell=repeatable(above[column].cell), span=1))
                else:
                    text = body_text(find(cell, "a:txBody"))
                    cells.append(PlacedCell(Cell(" ".join(text.replace(CELL_SEPARATOR, " ").split())), column))
            rows.append(cells)
        self._add_rows(texts_of(fill_columns(rows)), find(table, "a:tblPr"))

    def _add_rows(self, rows: list[list[str]], properties: Element | None) -> None:
        marked = {
            name
            for name in ("firstRow", "firstCol")
            if properties is not None and properties.get(name) in ("1", "true")
        }
        header_rows = max(guess_header_rows(rows), int("firstRow" in marked and len(rows) > 1))
        self._builder.add_table(
            rows, header_rows=header_rows, labelled="firstCol" in marked or guess_labelled(rows, header_rows)
        )
        self._characters += sum(len(cell) for row in rows for cell in row)

    def _add_notes(self, part: str) -> None:
        for shape in shapes_of(find(self._archive.read_xml(part), "p:cSld/p:spTree")):
            if placeholder_type(shape) == "body":
                text = body_text(find(shape, "p:txBody"))
                self._builder.add_block(f"Notes: {text}" if text else "")
