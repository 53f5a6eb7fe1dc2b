"""The body of a Word document: adds paragraphs, lists, tables, notes and drawings to its text in their order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qa.documents.extract.docx.drawings import DrawingReader
from qa.documents.extract.docx.numbering import Numbering
from qa.documents.extract.docx.parts import (
    ExtractInserted,
    Notes,
    add_extracted,
    count_comments,
    read_chunk,
    read_optional,
    running_heads,
)
from qa.documents.extract.docx.styles import Styles, is_on
from qa.documents.extract.docx.tables import (
    Grid,
    count_header_rows,
    has_row_labels,
    is_layout,
    row_cells,
    table_rows,
)
from qa.documents.extract.docx.text import SKIPPED, NoteReference, ParagraphText, TextReader
from qa.documents.extract.office.archive import OfficeArchive
from qa.documents.extract.office.block_writer import BULLET, BlockWriter
from qa.documents.extract.office.merged_cells import PlacedCell, fill_columns
from qa.documents.extract.office.number_formats import is_page_label
from qa.documents.extract.office.unreadable import Unreadable
from qa.documents.extract.office.xml_tree import Element, alternative, attribute, children, find, qn
from qa.documents.extract.table_headers import Cell, texts_of
from qa.errors import QAError

_PARAGRAPH, _TABLE, _CONTROL, _CHUNK = qn("w:p"), qn("w:tbl"), qn("w:sdt"), qn("w:altChunk")


class BodyReader:
    """Adds the parts of a document to its text.

    Attributes:
        writer: receives the text.
    """

    def __init__(self, archive: OfficeArchive, main: str, extract_inserted: ExtractInserted | None) -> None:
        """Read styles, numbering and notes.

        Args:
            archive: the document.
            main: its main part.
            extract_inserted: extracts a document that is inserted into this one; None if this one is inserted too
                deeply itself.
        """
        self.writer = BlockWriter()
        self._archive = archive
        self._part = main
        self._extract_inserted = extract_inserted
        self._unreadable = Unreadable()
        styles = read_optional(archive, main, "styles", self._unreadable.reasons)
        self._styles = Styles(styles[1] if styles else None)
        numbering = read_optional(archive, main, "numbering", self._unreadable.reasons)
        self._numbering = Numbering(numbering[1] if numbering else None, self._styles.list_of_style)
        self._notes = Notes(archive, main)
        self._unreadable.reasons += self._notes.unread
        self._drawings = DrawingReader(archive, self._unreadable, self._add_text_box)
        self._reader = TextReader(self._styles)
        # Text of a paragraph whose end is deleted, or the label of a note: the next paragraph continues it.
        self._prefix = ""
        self._contents_depth = 0
        self._cell_notes: list[NoteReference] = []

    def add_running_heads(self, body: Element | None, kind: str) -> None:
        """Add each header or footer (`kind`) once, without page numbers."""
        unread = self._unreadable.reasons
        for part, root in running_heads(self._archive, self._part, body, kind, unread):
            with self._other_part(part, without_page_numbers=True):
                self.add_blocks(root)

    def report_unread(self) -> None:
        """Record what cannot be read, after the last part."""
        self._end_story()
        self._unreadable.comments = count_comments(self._archive, self._part, self._unreadable.reasons)
        self._unreadable.report(self.writer.builder)

    @contextmanager
    def _other_part(self, part: str, *, without_page_numbers: bool = False) -> Iterator[None]:
        """Read paragraphs of another part; fields do not extend from one part to another."""
        previous = self._part, self._reader, self._prefix
        self._part, self._reader = part, TextReader(self._styles, without_page_numbers=without_page_numbers)
        self._prefix = ""
        self.writer.end_list()
        try:
            yield
            self._end_story()
        finally:
            self._part, self._reader, self._prefix = previous
            self.writer.end_list()

    def add_blocks(self, element: Element) -> None:
        """Add the paragraphs and tables in an element, also those in content controls and tracked insertions."""
        for child in children(element):
            tag = child.tag
            if tag == _PARAGRAPH:
                self._add_paragraph(child)
            elif tag == _TABLE:
                self._add_table(child)
            elif tag == _CHUNK:
                self._add_chunk(attribute(child, "r:id"))
            elif tag == _CONTROL:
                self._add_control(child)
            elif tag == qn("mc:AlternateContent"):
                chosen = alternative(child)
                if chosen is not None:
                    self.add_blocks(chosen)
            elif tag in (qn("m:oMathPara"), qn("m:oMath"), qn("w:r")):
                # Some programs write these without a paragraph.
                self._add_loose(child)
            elif tag not in SKIPPED:
                self.add_blocks(child)

    def _add_loose(self, element: Element) -> None:
        content = self._reader.read(element)
        content.text = content.text.strip()
        self._add_text(content)

    def _add_control(self, control: Element) -> None:
        gallery = attribute(find(control, "w:sdtPr/w:docPartObj/w:docPartGallery"), "w:val")
        is_contents = gallery == "Table of Contents"
        self._contents_depth += is_contents
        self.add_blocks(control)
        self._contents_depth -= is_contents

    def _add_paragraph(self, paragraph: Element) -> None:
        properties = find(paragraph, "w:pPr")
        content = self._reader.read(paragraph)
        if content.has_page_number and is_page_label(content.text):
            content.text = ""
        mark = find(properties, "w:rPr")
        is_blank = not content.text.strip()
        if is_blank and (find(mark, "w:del") is not None or is_on(find(mark, "w:vanish"))):
            content.text = ""
            self._add_anchored(content)
            return
        position = self._styles.list_position(properties)
        label = self._numbering.next_label(position)
        if position is None and self._styles.is_list(properties):
            label = BULLET, 0
        if not is_blank:
            text = content.text.lstrip() if self._prefix.endswith(" ") else content.text
            content.text, self._prefix = self._prefix + text, ""
        is_drop_cap = attribute(find(properties, "w:framePr"), "w:dropCap") in ("drop", "margin")
        if is_drop_cap or find(mark, "w:del") is not None:
            # The next paragraph continues this one.
            self._prefix, content.text = self._prefix + content.text, ""
        content.text = content.text.strip()
        self._add_text(content, properties, label)

    def _end_story(self) -> None:
        """Add the text of a paragraph that no other continues."""
        content = ParagraphText(self._prefix.strip())
        self._prefix = ""
        self._add_text(content)

    def _add_text(
        self, content: ParagraphText, properties: Element | None = None, label: tuple[str, int] | None = None
    ) -> None:
        number, level = label or ("", 0)
        self.writer.add_paragraph(
            content.text,
            number,
            level,
            is_heading=self._styles.is_heading(properties),
            is_title=self._styles.is_title(properties),
            is_contents=self._contents_depth > 0 or self._styles.is_contents(properties),
            is_bold=content.is_bold,
        )
        self._add_anchored(content)

    def _add_anchored(self, content: ParagraphText) -> None:
        """Add what is anchored to a paragraph: drawings, then notes; those of a table follow the table."""
        for drawing in content.drawings:
            self._drawings.add(drawing, self._part, self.writer.builder)
        if self.writer.is_in_cell:
            self._cell_notes += content.notes
            return
        self._add_notes(content.notes)

    def _add_notes(self, references: list[NoteReference]) -> None:
        for reference in references:
            note = self._notes.find(reference)
            if note:
                label, element, part = note
                with self._other_part(part):
                    self._prefix = f"{label} " if label else ""
                    self.add_blocks(element)

    def _add_text_box(self, content: Element) -> None:
        with self._other_part(self._part):
            self.add_blocks(content)

    def _add_table(self, table: Element) -> None:
        rows = table_rows(table)
        self._end_story()
        self.writer.end_list()
        if self.writer.is_in_cell:
            for row in rows:
                for cell in row_cells(row):
                    self.add_blocks(cell)
            return
        grid = Grid(self._read_cell)
        is_column = all(len(row_cells(row)) == 1 for row in rows)
        elements: list[Element] = []
        cells: list[list[PlacedCell]] = []
        for row in rows:
            # One column is a frame.
            if is_column or is_layout(row):
                self._end_table(table, elements, cells)
                elements, cells = [], []
                for cell in row_cells(row):
                    self.add_blocks(cell)
                    self.writer.end_list()
            else:
                elements.append(row)
                cells.append(grid.read_row(row))
        self._end_table(table, elements, cells)

    def _end_table(self, table: Element, elements: list[Element], placed: list[list[PlacedCell]]) -> None:
        if placed:
            rows = fill_columns(placed)
            header_rows = count_header_rows(table, elements, rows, self._styles)
            labelled = has_row_labels(table, rows, header_rows, self._styles)
            self.writer.builder.start_kind("contents" if self._contents_depth else "text")
            self.writer.builder.add_table(texts_of(rows), header_rows=header_rows, labelled=labelled)
        notes, self._cell_notes = self._cell_notes, []
        self._add_notes(notes)
        self.writer.end_list()

    def _read_cell(self, element: Element) -> Cell:
        with self.writer.cell() as cells:
            self.add_blocks(element)
            self._end_story()
        return cells[0]

    def _add_chunk(self, relationship_id: str | None) -> None:
        relationship = self._archive.relationships(self._part).get(relationship_id or "")
        part = relationship.target if relationship else "missing"
        if part in self._archive.shown:
            return
        self._archive.shown.add(part)
        try:
            if self._extract_inserted is None:
                raise ValueError("inserted too deeply")
            add_extracted(self.writer.builder, read_chunk(self._archive.read(part), part, self._extract_inserted))
        except (QAError, ValueError, LookupError):
            self._unreadable.reasons.append(f"an inserted part that cannot be read ({part})")
