"""Write a handbook in each format, each with its headings, tables and pages where the format has them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from contextlib import closing
from email.message import EmailMessage
from xml.sax.saxutils import escape

import docx
import pptx
import pypdfium2 as pdfium
import xlsxwriter
from pptx.util import Inches
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from tests.documents.ole_files import Msg, write_msg
from tests.documents.test_spreadsheets import xls
from tests.quality.handbooks import Handbook, Section

_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"


def write_text(book: Handbook) -> bytes:
    parts = [book.title]
    for section in book.sections:
        parts += [section.heading, *section.paragraphs, *(["\n".join(" | ".join(row) for row in section.rows)])]
    return "\n\n".join(filter(None, parts)).encode()


def write_markdown(book: Handbook) -> bytes:
    parts = [f"# {book.title}"]
    for section in book.sections:
        parts += [f"## {section.heading}", *section.paragraphs]
        if section.rows:
            header, *rows = [f"| {' | '.join(row)} |" for row in section.rows]
            parts.append("\n".join([header, "|---" * len(section.rows[0]) + "|", *rows]))
    return "\n\n".join(parts).encode()


def _html_sections(book: Handbook) -> list[str]:
    return [f"<h2>{escape(section.heading)}</h2>{_html_body(section)}" for section in book.sections]


def _html_body(section: Section) -> str:
    body = "".join(f"<p>{escape(text)}</p>" for text in section.paragraphs)
    if section.rows:
        header, *rows = section.rows
        cells = "".join(f"<th>{escape(cell)}</th>" for cell in header)
        lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        body += f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>"
    return body


def write_html(book: Handbook) -> bytes:
    title = escape(book.title)
    return (
        f"<!doctype html><html><head><meta charset=utf-8><title>{title}</title></head><body>"
        f"<nav><a href=/>Home</a></nav><main><h1>{title}</h1>{''.join(_html_sections(book))}</main></body></html>"
    ).encode()


class _Heading(Paragraph):  # type: ignore[misc]  # reportlab has no types
    """A heading with an entry in the outline."""

    def draw(self) -> None:
        self.canv.bookmarkPage(self.text)
        self.canv.addOutlineEntry(self.text, self.text)
        super().draw()


def write_pdf(book: Handbook) -> bytes:
    styles = getSampleStyleSheet()
    story: list[Flowable] = [Paragraph(book.title, styles["Title"])]
    for number, section in enumerate(book.sections):
        story += [PageBreak()] if number else []
        story += [_Heading(section.heading, styles["Heading1"])]
        story += [Paragraph(text, styles["Normal"]) for text in section.paragraphs]
        if section.rows:
            grid = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black)])
            story += [Spacer(1, 12), Table([list(row) for row in section.rows], style=grid)]
    file = io.BytesIO()
    SimpleDocTemplate(file, pagesize=A4, title=book.title).build(story)
    return file.getvalue()


def write_docx(book: Handbook) -> bytes:
    document = docx.Document()
    document.add_heading(book.title, 0)
    for section in book.sections:
        document.add_heading(section.heading, 1)
        for text in section.paragraphs:
            document.add_paragraph(text)
        if section.rows:
            table = document.add_table(0, len(section.rows[0]))
            for row in section.rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def write_pptx(book: Handbook) -> bytes:
    presentation = pptx.Presentation()
    presentation.core_properties.title = book.title
    for section in book.sections:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = section.heading
        slide.placeholders[1].text = "\n".join(section.paragraphs)
        if section.rows:
            shape = slide.shapes.add_table(
                len(section.rows), len(section.rows[0]), Inches(1), Inches(3), Inches(8), Inches(2)
            )
            for number, row in enumerate(section.rows):
                for column, text in enumerate(row):
                    shape.table.cell(number, column).text = text
    file = io.BytesIO()
    presentation.save(file)
    return file.getvalue()


def write_xlsx(book: Handbook) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as workbook:
        workbook.set_properties({"title": book.title})
        for section in book.sections:
            sheet = workbook.add_worksheet(section.heading)
            for number, row in enumerate(sheet_rows(section)):
                for column, text in enumerate(row):
                    sheet.write_string(number + 2, column + 1, text)
    return file.getvalue()


def sheet_rows(section: Section) -> list[tuple[str, ...]]:
    """Return the rows of a section's sheet; they begin at B3."""
    numbered = [(str(number), text) for number, text in enumerate(section.paragraphs, 1)]
    return [("Rule", "Text"), *numbered] if numbered else list(section.rows)


def write_ods(book: Handbook) -> bytes:
    sheets = []
    for section in book.sections:
        rows = "".join(
            "<table:table-row><table:table-cell/>"
            + "".join(
                f"<table:table-cell office:value-type='string'><text:p>{escape(cell)}</text:p></table:table-cell>"
                for cell in row
            )
            + "</table:table-row>"
            for row in sheet_rows(section)
        )
        blank = "<table:table-row table:number-rows-repeated='2'><table:table-cell/></table:table-row>"
        sheets.append(f"<table:table table:name='{escape(section.heading)}'>{blank}{rows}</table:table>")
    return _opendocument("spreadsheet", f"<office:spreadsheet>{''.join(sheets)}</office:spreadsheet>", book.title)


def write_odt(book: Handbook) -> bytes:
    parts = []
    for section in book.sections:
        parts.append(f"<text:h text:outline-level='1'>{escape(section.heading)}</text:h>")
        parts += [f"<text:p>{escape(text)}</text:p>" for text in section.paragraphs]
        if section.rows:
            rows = "".join(
                "<table:table-row>"
                + "".join(f"<table:table-cell><text:p>{escape(cell)}</text:p></table:table-cell>" for cell in row)
                + "</table:table-row>"
                for row in section.rows
            )
            parts.append(f"<table:table>{rows}</table:table>")
    return _opendocument("text", f"<office:text>{''.join(parts)}</office:text>", book.title)


def _opendocument(kind: str, body: str, title: str) -> bytes:
    spaces = f"xmlns:office='{_OFFICE}' xmlns:text='{_TEXT}' xmlns:table='{_TABLE}'"
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", media_type)
        archive.writestr(
            "META-INF/manifest.xml",
            f"<m:manifest xmlns:m='{manifest}'><m:file-entry m:full-path='/' m:media-type='{media_type}'/>"
            "<m:file-entry m:full-path='content.xml' m:media-type='text/xml'/></m:manifest>",
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body>{body}</office:body></office:document-content>",
        )
        archive.writestr(
            "meta.xml",
            f"<office:document-meta {spaces} xmlns:dc='http://purl.org/dc/elements/1.1/'><office:meta>"
            f"<dc:title>{escape(title)}</dc:title></office:meta></office:document-meta>",
        )
    return file.getvalue()


def write_rtf(book: Handbook) -> bytes:
    parts = [rf"{{\rtf1\ansi{{\info{{\title {book.title}}}}}"]
    for section in book.sections:
        parts.append(rf"\pard\outlinelevel0\b {section.heading}\b0\par")
        parts += [rf"\pard {text}\par" for text in section.paragraphs]
        for row in section.rows:
            edges = "".join(rf"\cellx{2000 * (n + 1)}" for n in range(len(row)))
            parts.append(rf"\trowd{edges}" + "".join(rf"\pard\intbl {cell}\cell" for cell in row) + r"\row")
    return ("\n".join(parts) + "\n}").encode()


def write_epub(book: Handbook) -> bytes:
    numbers = range(1, len(book.sections) + 1)
    items = "".join(f"<item id='c{n}' href='c{n}.xhtml' media-type='application/xhtml+xml'/>" for n in numbers)
    spine = "".join(f"<itemref idref='c{n}'/>" for n in numbers)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container' version='1.0'><rootfiles>"
            "<rootfile full-path='book.opf' media-type='application/oebps-package+xml'/></rootfiles></container>",
        )
        archive.writestr(
            "book.opf",
            "<package xmlns='http://www.idpf.org/2007/opf' version='3.0' unique-identifier='i'>"
            f"<metadata xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title>{escape(book.title)}</dc:title>"
            f"<dc:identifier id='i'>{book.name}</dc:identifier><dc:language>en</dc:language></metadata>"
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        for number, section in enumerate(book.sections, 1):
            archive.writestr(
                f"c{number}.xhtml",
                "<html xmlns='http://www.w3.org/1999/xhtml'><head><title/></head><body>"
                f"<h1>{escape(section.heading)}</h1>{_html_body(section)}</body></html>",
            )
    return file.getvalue()


def write_eml(book: Handbook) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = book.title, "office@example.org", "all@example.org"
    message.set_content("This message has an HTML part.")
    message.add_alternative(write_html(book).decode(), subtype="html")
    return message.as_bytes()


def write_mbox(book: Handbook) -> bytes:
    return b"From office@example.org Mon May  6 08:15:00 2024\n" + write_eml(book) + b"\n"


def write_outlook(book: Handbook) -> bytes:
    subject, body, html = 0x0037, 0x1000, 0x1013
    return write_msg(Msg({subject: book.title, body: write_text(book).decode()}, {html: write_html(book)}))


def write_xls(book: Handbook) -> bytes:
    """Write the table alone; it begins at B3."""
    rows = book.sections[-1].rows
    return xls([(n + 2, column + 1, text) for n, row in enumerate(rows) for column, text in enumerate(row)])


def write_scan(book: Handbook) -> bytes:
    """Write the pages of the PDF as pictures."""
    with closing(pdfium.PdfDocument(write_pdf(book))) as pdf:
        first, *others = [page.render(scale=200 / 72, grayscale=True).to_pil() for page in pdf]
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=others, dpi=(200, 200), compression="tiff_deflate")
    return file.getvalue()


def write_notebook(book: Handbook) -> bytes:
    cell = {"cell_type": "markdown", "metadata": {}, "source": write_markdown(book).decode()}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


def write_csv(book: Handbook) -> bytes:
    """Write the table alone."""
    file = io.StringIO()
    csv.writer(file).writerows(book.sections[-1].rows)
    return file.getvalue().encode()


WRITERS: dict[str, Callable[[Handbook], bytes]] = {
    "txt": write_text,
    "md": write_markdown,
    "html": write_html,
    "pdf": write_pdf,
    "docx": write_docx,
    "pptx": write_pptx,
    "xlsx": write_xlsx,
    "ods": write_ods,
    "odt": write_odt,
    "rtf": write_rtf,
    "epub": write_epub,
    "eml": write_eml,
    "mbox": write_mbox,
    "msg": write_outlook,
    "ipynb": write_notebook,
    "xls": write_xls,
    "tif": write_scan,
    "csv": write_csv,
}
