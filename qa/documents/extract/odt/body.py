"""The body of an OpenDocument text: adds paragraphs, lists, tables, notes and frames to its text in their order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qa.documents.extract.odt.archive import OpenDocument
from qa.documents.extract.odt.forms import read_controls
from qa.documents.extract.odt.styles import List, Styles
from qa.documents.extract.odt.tables import Grid, count_header_rows, is_layout, row_cells, table_rows
from qa.documents.extract.odt.text import DRAWINGS, SKIPPED, TextReader
from qa.documents.extract.office.block_writer import BlockWriter
from qa.documents.extract.office.equations import read_mathml
from qa.documents.extract.office.merged_cells import PlacedCell, fill_columns
from qa.documents.extract.office.unreadable import Unreadable, centimetres
from qa.documents.extract.office.xml_tree import Element, attribute, children, find, integer, names, qn
from qa.documents.extract.table_headers import Cell, find_header_rows, is_labelled, texts_of

_CONTENTS = names("text:table-of-content", "text:alphabetical-index", "text:illustration-index", "text:table-index")
_CONTENTS |= names("text:object-index", "text:user-index")
_MAX_LEVEL = 10


class BodyReader:
    """Adds the parts of a document to its text.

    Attributes:
        writer: receives the text.
    """

    def __init__(self, document: OpenDocument, body: Element) -> None:
        self.writer = BlockWriter()
        self._document = document
        self._styles = Styles(document.content, document.styles)
        self._controls = read_controls(body)
        self._reader = self._text_reader()
        self._heading_counts: dict[int, int] = {}
        self._lists: dict[str, List] = {}
        self._last_list: dict[str, List] = {}
        self._contents_depth = 0
        self._note_label = ""
        self._cell_notes: list[Element] = []
        self._charts: set[Element] = set()
        self._unreadable = Unreadable()

    def _text_reader(self, *, without_page_numbers: bool = False) -> TextReader:
        return TextReader(self._styles, self._controls, self._read_formula, without_page_numbers=without_page_numbers)

    def add_running_head(self, head: Element) -> None:
        """Add a header or a footer, without page numbers."""
        with self._apart():
            self._reader = self._text_reader(without_page_numbers=True)
            self.add_blocks(head)

    def report_unread(self) -> None:
        """Record what cannot be read, after the last part."""
        self._unreadable.comments = sum(1 for _ in self._document.content.iter(qn("office:annotation")))
        self._unreadable.reasons += self._document.damaged
        self._unreadable.report(self.writer.builder)

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """Read blocks that are apart from the paragraph that they are anchored to."""
        previous = self._reader, self._note_label
        self._reader, self._note_label = self._text_reader(), ""
        self.writer.end_list()
        try:
            yield
        finally:
            self._reader, self._note_label = previous
            self.writer.end_list()

    def add_blocks(self, element: Element) -> None:
        """Add the paragraphs, lists, tables and frames in an element."""
        for child in children(element):
            self._add_block(child)

    def _add_block(self, block: Element) -> None:
        tag = block.tag
        if tag in (qn("text:p"), qn("text:h")):
            self._add_paragraph(block)
        elif tag == qn("text:list"):
            self._add_list(block, self._continued_list(block), 1)
        elif tag == qn("text:numbered-paragraph"):
            self._add_numbered_paragraph(block)
        elif tag == qn("table:table"):
            self._add_table(block)
        elif tag in DRAWINGS:
            self._add_drawing(block)
        elif tag in _CONTENTS:
            self._contents_depth += 1
            self.add_blocks(block)
            self._contents_depth -= 1
        elif tag not in SKIPPED and attribute(block, "text:display") != "none" and not tag.endswith("-source"):
            self.add_blocks(block)

    def _add_paragraph(self, paragraph: Element, label: str = "", level: int = 0) -> None:
        style = attribute(paragraph, "text:style-name")
        content = self._reader.read(paragraph)
        is_heading = paragraph.tag == qn("text:h")
        if is_heading and not label and content.text and attribute(paragraph, "text:is-list-header") != "true":
            outline = min(max(integer(attribute(paragraph, "text:outline-level"), 1), 1), _MAX_LEVEL)
            restart = attribute(paragraph, "text:restart-numbering") == "true"
            start = integer(attribute(paragraph, "text:start-value"), 1) if restart else None
            label = self._styles.heading_label(self._heading_counts, outline, start)
        text = content.text
        if text and self._note_label:
            text, self._note_label = f"{self._note_label} {text}", ""
        self.writer.add_paragraph(
            text,
            label,
            level,
            is_heading=is_heading,
            is_title=self._styles.is_named(style, "Title"),
            is_contents=self._contents_depth > 0,
            is_bold=content.is_bold,
        )
        for drawing in content.drawings:
            self._add_drawing(drawing)
        if self.writer.is_in_cell:
            self._cell_notes += content.notes
        else:
            self._add_notes(content.notes)

    def _add_notes(self, notes: list[Element]) -> None:
        for note in notes:
            citation = "".join(t for e in note.iterchildren(qn("text:note-citation")) for t in e.itertext()).strip()
            body = find(note, "text:note-body")
            if body is not None:
                with self._apart():
                    self._note_label = f"[{citation}]" if citation else ""
                    self.add_blocks(body)

    def _continued_list(self, element: Element) -> List:
        """Return the count that a list continues, or a new one."""
        style = attribute(element, "text:style-name") or ""
        continued = self._lists.get(attribute(element, "text:continue-list") or "")
        if continued is None and attribute(element, "text:continue-numbering") == "true":
            continued = self._last_list.get(style)
        counted = List(style) if continued is None else List(style or continued.style, continued.counts)
        if continued is not None and continued.style in counted.counts:
            # A list in another style continues the same count.
            counted.counts.setdefault(counted.style, counted.counts[continued.style])
        identifier = element.get("{http://www.w3.org/XML/1998/namespace}id")
        if identifier:
            self._lists[identifier] = counted
        self._last_list[style] = counted
        return counted

    def _add_list(self, element: Element, counted: List, level: int) -> None:
        for item in children(element):
            if item.tag not in (qn("text:list-item"), qn("text:list-header")):
                continue
            start = attribute(item, "text:start-value")
            # Only the first paragraph of an item has its number.
            has_label = item.tag == qn("text:list-item")
            for child in children(item):
                if child.tag == qn("text:list"):
                    style = attribute(child, "text:style-name") or counted.style
                    self._add_list(child, List(style, counted.counts), min(level + 1, _MAX_LEVEL))
                elif child.tag in (qn("text:p"), qn("text:h")):
                    label = ""
                    if has_label:
                        first = None if start is None else integer(start, 1)
                        style = attribute(item, "text:style-override") or counted.style
                        label = self._styles.list_label(List(style, counted.counts), level, first)
                        has_label = False
                    self._add_paragraph(child, label, level - 1)
                elif child.tag not in SKIPPED:
                    self._add_block(child)

    def _add_numbered_paragraph(self, element: Element) -> None:
        identifier = attribute(element, "text:list-id") or ""
        style = attribute(element, "text:style-name") or ""
        counted = self._lists.setdefault(identifier, List(style))
        level = min(max(integer(attribute(element, "text:level"), 1), 1), _MAX_LEVEL)
        start = attribute(element, "text:start-value")
        label = self._styles.list_label(counted, level, None if start is None else integer(start, 1))
        for child in children(element):
            if child.tag in (qn("text:p"), qn("text:h")):
                self._add_paragraph(child, label, level - 1)

    def _read_formula(self, frame: Element) -> str | None:
        if frame.tag != qn("draw:frame"):
            return None
        root = self._document.read_object(frame)
        return read_mathml(root).strip() if root is not None and root.tag == qn("math:math") else None

    def _add_drawing(self, drawing: Element) -> None:
        chart = self._document.read_object(drawing) if drawing.tag == qn("draw:frame") else None
        if chart is not None and next(chart.iter(qn("chart:chart")), None) is not None:
            self._add_chart(chart)
        elif find(drawing, "draw:object") is not None or find(drawing, "draw:object-ole") is not None:
            self._unreadable.objects[""] += 1
        elif find(drawing, "draw:image") is not None and find(drawing, "draw:text-box") is None:
            width, height = attribute(drawing, "svg:width"), attribute(drawing, "svg:height")
            self._unreadable.add_picture(centimetres(width), centimetres(height))
        else:
            with self._apart():
                self.add_blocks(drawing)

    def _add_chart(self, root: Element) -> None:
        # A small file may show a large chart many times.
        if root in self._charts:
            return
        self._charts.add(root)
        with self._apart():
            for title in root.iter(qn("chart:title")):
                self.add_blocks(title)
                break
            for table in root.iter(qn("table:table")):
                self._add_table(table, is_chart=True)
                break

    def _add_table(self, table: Element, *, is_chart: bool = False) -> None:
        self.writer.end_list()
        rows = list(table_rows(table))
        if self.writer.is_in_cell:
            for row in rows:
                for cell in row_cells(row):
                    self.add_blocks(cell)
            return
        grid = Grid(self._read_cell)
        is_column = all(len(row_cells(row)) == 1 for row in rows) and not is_chart
        cells: list[list[PlacedCell]] = []
        marked = count_header_rows(table)
        for row in rows:
            # One column is a frame.
            if is_column or (is_layout(row) and not is_chart):
                self._end_table(cells, marked)
                cells, marked = [], 0
                for cell in row_cells(row):
                    self.add_blocks(cell)
                    self.writer.end_list()
            else:
                cells += grid.read_row(row)
        self._end_table(cells, marked)

    def _end_table(self, placed: list[list[PlacedCell]], marked: int) -> None:
        if placed:
            rows = fill_columns(placed)
            header_rows = marked if 0 < marked < len(rows) else find_header_rows(rows)
            builder = self.writer.builder
            builder.start_kind("contents" if self._contents_depth else "text")
            builder.add_table(texts_of(rows), header_rows=header_rows, labelled=is_labelled(rows, header_rows))
        notes, self._cell_notes = self._cell_notes, []
        self._add_notes(notes)
        self.writer.end_list()

    def _read_cell(self, element: Element) -> Cell:
        with self.writer.cell() as cells:
            self.add_blocks(element)
        return cells[0]
