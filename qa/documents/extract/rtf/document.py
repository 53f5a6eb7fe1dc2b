"""RTF: paragraphs, lists and tables in order, with headings as sections.

The text reads as a word processor shows it: hidden and deleted text is left out; notes, text boxes and chosen form
values are included.
"""

from __future__ import annotations

from dataclasses import replace

from qa.documents.extract.office.archive import parse_date
from qa.documents.extract.office.block_writer import BULLET, BlockWriter
from qa.documents.extract.office.merged_cells import PlacedCell, fill_columns, repeatable
from qa.documents.extract.office.number_formats import is_page_label, to_roman
from qa.documents.extract.rtf.blocks import Block, Note, Paragraph, Story, Table, TableRow
from qa.documents.extract.rtf.reader import RtfReader
from qa.documents.extract.table_headers import find_header_rows, is_labelled, lays_out_page, texts_of
from qa.documents.extract.text_builder import ExtractedText, clean_properties
from qa.errors import InvalidInput

_START = b"{\\rtf"


def extract_rtf(data: bytes, name: str) -> ExtractedText:
    """Extract the text of a file; its title is in its properties, or else on its title page.

    The other properties become its metadata.

    Raises:
        InvalidInput: the file is not RTF.
    """
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not data[: len(_START)].lower() == _START:
        raise InvalidInput(f"{name}: not an RTF file, or damaged; save it again as RTF", field=name)
    reader = RtfReader()
    reader.read(data)
    writer = _Writer()
    for story in reader.headers:
        writer.add_running_head(story)
    writer.add(reader.body)
    for story in reader.footers:
        writer.add_running_head(story)
    reader.unreadable.report(writer.blocks.builder)
    info = reader.info
    meta = clean_properties(
        author=info.get("author"),
        subject=info.get("subject"),
        keywords=info.get("keywords"),
        created=parse_date(info.get("creatim", "")),
        modified=parse_date(info.get("revtim", "")),
    )
    return writer.blocks.build(info.get("title", ""), meta)


class _Writer:
    """Adds the blocks of a document to its text."""

    def __init__(self) -> None:
        self.blocks = BlockWriter()
        self._seen_heads = set[str]()
        self._notes = {"footnote": 0, "endnote": 0}

    def add_running_head(self, story: Story) -> None:
        """Add a header or a footer, unless an equal one has been added or it is only the number of a page."""
        text = " ".join(p.text for block in story.blocks for p in block.paragraphs())
        if text in self._seen_heads or (story.has_page_number and is_page_label(text)):
            return
        self._seen_heads.add(text)
        self.add(story)
        self.blocks.end_list()

    def add(self, story: Story) -> None:
        """Add the blocks of a story."""
        for block in story.blocks:
            self._add_block(block)

    def _add_block(self, block: Block) -> None:
        if isinstance(block, Table):
            self._add_table(block)
        else:
            self._add_paragraph(block)

    def _add_paragraph(self, paragraph: Paragraph, prefix: str = "") -> None:
        label = paragraph.label
        if label and not any(map(str.isalnum, label)):
            label = BULLET
        self.blocks.add_paragraph(
            f"{prefix}{paragraph.text}" if paragraph.text else "",
            label,
            paragraph.level,
            is_heading=paragraph.is_heading,
            is_title=paragraph.is_title,
            is_contents=paragraph.is_contents,
            is_bold=paragraph.is_bold,
        )
        if not self.blocks.is_in_cell:
            self._add_anchored([paragraph])

    def _add_anchored(self, paragraphs: list[Paragraph]) -> None:
        for note in (note for paragraph in paragraphs for note in paragraph.anchored):
            self.blocks.end_list()
            self._add_note(note)
            self.blocks.end_list()

    def _add_note(self, note: Note) -> None:
        prefix = ""
        if note.kind in self._notes and note.is_numbered:
            self._notes[note.kind] += 1
            number = self._notes[note.kind]
            prefix = f"[{number if note.kind == 'footnote' else to_roman(number)}] "
        for block in note.story.blocks:
            if isinstance(block, Table):
                self._add_table(block)
            else:
                self._add_paragraph(block, prefix)
                prefix = "" if block.text else prefix

    def _add_table(self, table: Table) -> None:
        self.blocks.end_list()
        if self.blocks.is_in_cell:
            for paragraph in table.paragraphs():
                self._add_paragraph(paragraph)
            return
        is_column = all(len(row.cells) == 1 for row in table.rows)
        rows: list[list[PlacedCell]] = []
        marked = 0
        anchored: list[Paragraph] = []
        for row, spans in zip(table.rows, table.column_spans(), strict=True):
            # One column is a frame.
            if is_column or _is_layout(row):
                self._end_table(rows, marked)
                rows, marked = [], 0
                for cell in row.cells:
                    for block in cell:
                        self._add_block(block)
                    self.blocks.end_list()
                continue
            marked += row.is_header and marked == len(rows)
            rows.append(self._read_row(row.cells, row.continued(), spans, rows[-1] if rows else []))
            anchored += [paragraph for cell in row.cells for block in cell for paragraph in block.paragraphs()]
        self._end_table(rows, marked)
        self._add_anchored(anchored)

    def _read_row(
        self, cells: list[list[Block]], continued: list[str], spans: list[int], above: list[PlacedCell]
    ) -> list[PlacedCell]:
        row: list[PlacedCell] = []
        covering = {placed.column: placed.cell for placed in above}
        column = 0
        for content, merge, span in zip(cells, continued, spans, strict=True):
            with self.blocks.cell() as read:
                for block in content:
                    self._add_block(block)
            if merge == "left" and row:
                row[-1] = replace(row[-1], span=row[-1].span + span)
            else:
                cell = repeatable(covering.get(column, read[0])) if merge == "above" else read[0]
                row.append(PlacedCell(cell, column, span))
            column += span
        return row

    def _end_table(self, placed: list[list[PlacedCell]], marked: int) -> None:
        if placed:
            rows = fill_columns(placed)
            header_rows = marked if 0 < marked < len(rows) else find_header_rows(rows)
            self.blocks.builder.add_table(
                texts_of(rows), header_rows=header_rows, labelled=is_labelled(rows, header_rows)
            )
        self.blocks.end_list()


def _is_layout(row: TableRow) -> bool:
    """Return whether the cells of a row are parts of the page: tables, or much text."""
    counts = []
    for cell in row.cells:
        lengths = [len(paragraph.text) for block in cell for paragraph in block.paragraphs()]
        counts.append((sum(map(bool, lengths)), sum(lengths)))
    has_grid = any(isinstance(block, Table) and block.is_grid() for cell in row.cells for block in cell)
    return has_grid or lays_out_page(counts)
