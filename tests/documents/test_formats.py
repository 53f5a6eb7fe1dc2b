"""The format of a file: its content decides, and its name only where the content does not."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from qa.documents.extract.formats import extract
from qa.documents.extract.signatures import Format, Unsupported
from qa.documents.extract.sniffing import sniff
from qa.errors import InvalidInput, UnsupportedFormat
from tests.documents.ole_files import write_compound_file

MAIL = (
    b"Received: from a by b; Mon, 4 May 2026 09:00:00 +0000\r\nFrom: Mara <mara@example.org>\r\nSubject: Pump\r\n"
    b"MIME-Version: 1.0\r\n\r\nThe pump is oiled.\r\n"
)
WEB_ARCHIVE = b'From: "Saved by Internet Explorer"\nSubject: Pump\nMIME-Version: 1.0\n\n<p>The pump</p>\n'
NOTEBOOK = json.dumps({"cells": [{"cell_type": "markdown", "source": "Oil"}], "nbformat": 4}).encode()
WORD_HTML = b"<html xmlns:o='urn:schemas-microsoft-com:office:office'>\r\n<head><title>Pump</title></head><body><p>Oil."
FLAT_ODT = (
    b'<?xml version="1.0"?>\n<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    b'office:mimetype="application/vnd.oasis.opendocument.text"><office:body/></office:document>'
)


def pdf() -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.drawString(80, 700, "The pump is oiled.")
    canvas.save()
    return file.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_paragraph("The pump is oiled.")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def archive(parts: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return file.getvalue()


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 10), "white").save(file, kind)
    return file.getvalue()


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as target:
        target.addfile(tarfile.TarInfo("a.txt"))
    return file.getvalue()


PDF, WORD = pdf(), word()
PRESENTATION = archive({"[Content_Types].xml": b"<a/>", "ppt/presentation.xml": b"<a/>"})
WORKBOOK = archive({"[Content_Types].xml": b"<a/>", "xl\\workbook.xml": b"<a/>"})
WRITER = archive({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<a/>"})
CALC = archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<a/>"})
IMPRESS = archive({"mimetype": b"application/vnd.oasis.opendocument.presentation", "content.xml": b"<a/>"})
BOOK = archive({"mimetype": b"application/epub+zip", "META-INF/container.xml": b"<a/>"})


@pytest.mark.parametrize("name", ["a", "a.txt", "a.html", "a.pdf", "a.doc", "a.docx", "a.xlsx", "a.xyz", "A.PDF"])
@pytest.mark.parametrize(
    ("data", "format"),
    [
        (PDF, Format.PDF),
        (b"\xef\xbb\xbf\r\n" + PDF, Format.PDF),
        (b"junk that a mail program wrote\r\n" + PDF, Format.PDF),
        (WORD, Format.DOCX),
        (PRESENTATION, Format.PPTX),
        (WORKBOOK, Format.WORKBOOK),
        (WRITER, Format.ODT),
        (CALC, Format.WORKBOOK),
        (BOOK, Format.EPUB),
        (picture("PNG"), Format.PICTURE),
        (picture("JPEG"), Format.PICTURE),
        (picture("GIF"), Format.PICTURE),
        (picture("TIFF"), Format.PICTURE),
        (picture("WEBP"), Format.PICTURE),
        (picture("BMP"), Format.PICTURE),
        (write_compound_file({"Workbook": b"\x09\x08", "Other": {"WordDocument": b"x"}}), Format.WORKBOOK),
        (write_compound_file({"BOOK": b"\x09\x08"}), Format.WORKBOOK),
        (write_compound_file({"__properties_version1.0": b"x", "WordDocument": b"x"}), Format.OUTLOOK),
        (write_compound_file({"WordDocument": b"x", "ObjectPool": {"Workbook": b"x"}}), Unsupported.DOC),
        (write_compound_file({"PowerPoint Document": b"x"}), Unsupported.PPT),
        (write_compound_file({"EncryptedPackage": b"x", "EncryptionInfo": b"x"}), Unsupported.ENCRYPTED),
        (write_compound_file({"Workbook": struct.pack("<HHHHHHH", 0x809, 0, 0x2F, 6, 1, 2, 3)}), Unsupported.ENCRYPTED),
        (write_compound_file({"Something": b"x"}), Unsupported.OLE),
        (IMPRESS, Unsupported.OPEN_DOCUMENT),
        (archive({"a.txt": b"text"}), Unsupported.ARCHIVE),
        (gzip.compress(b"text" * 20), Unsupported.ARCHIVE),
        (tar(), Unsupported.ARCHIVE),
        (b"%!PS-Adobe-3.0\n/Times findfont\n(The pump is oiled.) show", Unsupported.POSTSCRIPT),
        (b"SQLite format 3\0" + bytes(90), Unsupported.DATABASE),
        (b"ID3\x04\0\0\0\0\0\x7f", Unsupported.SOUND),
        (b"\1\0\0\0" + bytes(36) + b" EMF", Unsupported.OTHER_PICTURE),
        (b"\0\0\0\x18ftypheic\0\0\0\0", Unsupported.OTHER_PICTURE),
        (b"\0\0\0\x18ftypavis\0\0\0\0", Unsupported.OTHER_PICTURE),
        (b"\0\0\0\x18ftypmsf1\0\0\0\0", Unsupported.OTHER_PICTURE),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", Unsupported.SOUND),
    ],
)
def test_a_binary_format_is_recognised_whatever_the_name(data: bytes, format: Format | Unsupported, name: str) -> None:
    assert sniff(data, name) is format


@pytest.mark.parametrize("name", ["a", "a.txt", "a.doc", "a.xls", "a.rtf", "a.xyz"])
@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b"<!DOCTYPE html>\n<html><body><p>The pump", Format.HTML),
        (b"\xef\xbb\xbf<!-- saved -->\n<html lang='en'>\n<head>", Format.HTML),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x.dtd"><html><head/>', Format.HTML),
        ("<html><head><title>Pump".encode("utf-16"), Format.HTML),
        (WORD_HTML, Format.HTML),
        (b"{\\rtf1\\ansi The pump is oiled.}", Format.RTF),
        (MAIL, Format.MAIL),
        (b"From mara@example.org Mon May  4 09:00:00 2026\n" + MAIL, Format.MAILBOX),
        (NOTEBOOK, Format.NOTEBOOK),
        (FLAT_ODT, Format.ODT),
        (WEB_ARCHIVE, Unsupported.WEB_ARCHIVE),
        (
            b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><text>The pump</text></svg>',
            Unsupported.SVG,
        ),
        (
            b'<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument a="b">',
            Unsupported.WORD_XML,
        ),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            Unsupported.EXCEL_XML,
        ),
    ],
)
def test_a_text_with_markup_is_recognised_under_another_name(
    data: bytes, format: Format | Unsupported, name: str
) -> None:
    assert sniff(data, name) is format


@pytest.mark.parametrize(
    "text",
    [
        "<html> is the first element of a page. It holds <head> and <body>.",
        "<!DOCTYPE html> declares HTML 5.",
        "{\\rtfm is what they say",
        "%PDF-1.4 is how a PDF begins.",
        "A PDF begins with %PDF-1.4 and ends with %%EOF.",
        "%!PS is the mark of PostScript.",
        "ID3 is an algorithm, BM a bookmark, GIF89a a format, RIFF another.",
        "PK and Rar! and BZh are marks.",
        "From: Ann\nTo: Bob\nSubject: Oil\n\nThe pump.",
        "From here on it is dry.",
        "Subject: the pump",
        "<note><to>Ann</to></note>",
        '<?xml version="1.0"?>\n<!DOCTYPE book [<!ENTITY a "b">]>\n<book><title>Pump</title></book>',
        "",
        " ",
        "\r\n",
    ],
)
def test_a_text_that_only_mentions_a_format_is_text(text: str) -> None:
    assert sniff(text.encode(), "a.txt") is Format.TEXT
    (document,) = extract(text.encode(), "a.txt")
    assert document.text == text


@pytest.mark.parametrize("suffix", ["py", "c", "php", "xml", "yaml", "tex", "rst", "adoc", "log", "ini", "js", "sh"])
def test_source_code_is_text_as_it_is(suffix: str) -> None:
    text = '# The pump\n\\section{Oil} if (a < b) { return "<b>"; }\n'
    (document,) = extract(text.encode(), f"a.{suffix}")
    assert document.text == text


def test_a_source_that_begins_with_markup_is_text() -> None:
    assert sniff(b"<html><body><?php echo 1 ?></body></html>", "a.php") is Format.TEXT
    assert sniff(MAIL, "a.log") is Format.TEXT


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.md", Format.MARKDOWN),
        ("a.HTM", Format.HTML),
        ("a.csv", Format.CSV),
        ("a.tsv", Format.CSV),
        ("a.ndjson", Format.JSON_LINES),
        ("a.json", Format.JSON),
        ("a.eml", Format.MAIL),
        ("a.mbox", Format.MAILBOX),
        ("a.mhtml", Unsupported.WEB_ARCHIVE),
        ("a.xls", Format.CSV),
        ("a.rtf", Format.TEXT),
        ("a.doc", Format.TEXT),
        ("a", Format.TEXT),
    ],
)
def test_the_name_decides_about_other_texts(name: str, format: Format | Unsupported) -> None:
    assert sniff(b"name\tage\nAnn\t3\n", name) is format


@pytest.mark.parametrize("name", ["a.pdf", "a.png"])
def test_a_text_under_the_name_of_a_format_that_is_partly_text_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        extract(b"only text", name)


@pytest.mark.parametrize(
    ("data", "name", "error", "message"),
    [
        (b"%!PS-Adobe-3.0\n", "a.ps", UnsupportedFormat, "PostScript is a program, not text; convert it to PDF"),
        (b"<svg><text>a</text></svg>", "a.svg", UnsupportedFormat, "an SVG picture; convert it to PDF or PNG"),
        (WEB_ARCHIVE, "a.mht", UnsupportedFormat, r"a saved web page \(MHTML\); save the page as HTML or PDF"),
        (
            write_compound_file({"WordDocument": b"x"}),
            "a.docx",
            UnsupportedFormat,
            r"an old binary Word document \(.doc\)",
        ),
        (write_compound_file({"EncryptedPackage": b"x"}), "a.docx", InvalidInput, "encrypted with a password"),
        (archive({"a.txt": b"text"}), "a.docx", UnsupportedFormat, "an archive; unpack it first"),
    ],
)
def test_a_refused_file_is_named_with_the_reason(data: bytes, name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{name}: {message}") as raised:
        extract(data, name)
    assert type(raised.value) is error


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.epub", "a.odt", "a.msg"])
def test_a_text_under_the_name_of_an_office_format_is_read_by_its_content(name: str) -> None:
    assert extract(b"The pump is oiled.", name)[0].text == "The pump is oiled."
    assert extract(WORD_HTML, name)[0].text == "Oil."
    for damaged in (b"", bytes(range(256)) * 4):
        with pytest.raises(InvalidInput, match=name):
            extract(damaged, name)


def test_an_archive_that_holds_a_pdf_is_no_pdf() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as target:
        target.writestr("a.pdf", PDF)
    assert sniff(file.getvalue(), "a.pdf") is Unsupported.ARCHIVE


def test_a_scan_in_a_mail_reports_its_progress() -> None:
    mail = EmailMessage()
    mail["Message-ID"], mail["From"] = "<1@example.org>", "ann@example.org"
    mail.set_content("See the scan.")
    mail.add_attachment(PDF, "application", "pdf", filename="scan.pdf")
    done: list[tuple[int, int]] = []
    extract(bytes(mail), "a.eml", progress=lambda page, pages: done.append((page, pages)))
    assert done == [(1, 1)]


def test_a_note_that_looks_like_a_mail_is_text() -> None:
    note = b"Received: 3 pumps\nFrom: Ghent\nDate: Monday\n\nOne is dry."
    assert sniff(note, "note.txt") is Format.TEXT
    for line in (b"from mx.example.org by b", b"by mx.example.org"):
        assert sniff(note.replace(b"3 pumps", line), "note.txt") is Format.MAIL
    assert sniff(note.replace(b"Ghent", b"Ann <ann@example.org>"), "note.txt") is Format.MAIL


def test_a_file_is_read_by_its_content() -> None:
    assert extract(PDF, "a.html")[0].text == "The pump is oiled."
    assert extract(WORD, "a.txt")[0].text == "The pump is oiled."
    assert extract(WORD_HTML, "a.doc")[0].text == "Oil."
    assert extract(MAIL, "a")[0].text == "The pump is oiled."
    assert [row.text for row in extract(b"name;age\nAnn;3\nBob;4\n", "a.xls")] == [
        "name: Ann\nage: 3",
        "name: Bob\nage: 4",
    ]


MARKS = [
    PDF[:40],
    WORD[:40],
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"{\\rtf1",
    b"<html><",
    b"BM",
    b"RIFF",
]


@settings(max_examples=300, deadline=None)
@given(
    start=st.sampled_from([*MARKS, MAIL[:60], NOTEBOOK[:30], FLAT_ODT[:80], b"<!--", b"<?xml", b""]),
    rest=st.binary(max_size=200),
    name=st.sampled_from(["a", "a.txt", "a.doc", "a.xls", "a.docx", "a.html"]),
)
def test_any_bytes_have_a_format(start: bytes, rest: bytes, name: str) -> None:
    assert isinstance(sniff(start + rest, name), Format | Unsupported)
