"""Formats of files, and the marks by which they are recognised."""

from __future__ import annotations

import re
from enum import StrEnum


class Format(StrEnum):
    """A format that has an extractor."""

    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    WORKBOOK = "workbook"
    ODT = "odt"
    RTF = "rtf"
    EPUB = "epub"
    HTML = "html"
    MARKDOWN = "markdown"
    MAIL = "mail"
    OUTLOOK = "outlook"
    MAILBOX = "mailbox"
    NOTEBOOK = "notebook"
    PICTURE = "picture"
    CSV = "csv"
    JSON_LINES = "json lines"
    JSON = "json"
    TEXT = "text"


class Unsupported(StrEnum):
    """What a file is that has no extractor, and what to do."""

    DOC = "an old binary Word document (.doc); save it as DOCX or PDF"
    PPT = "an old binary PowerPoint presentation (.ppt); save it as PPTX or PDF"
    WORD_XML = "a Word document in XML of 2003 or a single part; save it as DOCX"
    OLD_SHEET = "a sheet of Excel 2 to 4; save it as XLSX"
    EXCEL_XML = "an Excel workbook in XML of 2003; save it as XLSX"
    OPEN_DOCUMENT = "an OpenDocument file other than a text or a spreadsheet; save it as PDF"
    APPLE = "an Apple Pages, Numbers or Keynote file; export it as PDF or in an Office format"
    XPS = "an XPS document; convert it to PDF"
    VISIO = "a Visio drawing; save it as PDF"
    OLE = "an OLE file of an unknown program; save it as PDF or DOCX"
    ENCRYPTED = "encrypted with a password; save it without the password"
    POSTSCRIPT = "PostScript is a program, not text; convert it to PDF"
    SVG = "an SVG picture; convert it to PDF or PNG"
    OTHER_PICTURE = "a picture of a format that cannot be read; save it as PNG"
    DJVU = "a DjVu document; convert it to PDF"
    WORD_PERFECT = "a WordPerfect document; save it as DOCX or PDF"
    HELP = "compiled HTML help (.chm); unpack it and add the pages"
    MOBI = "a Mobipocket or Kindle book; convert it to EPUB"
    WEB_ARCHIVE = "a saved web page (MHTML); save the page as HTML or PDF"
    ARCHIVE = "an archive; unpack it first"
    SOUND = "sound or video; add a transcript instead"
    DATABASE = "a database or data file; export it as CSV"


OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SIGNATURES: tuple[tuple[bytes, Format | Unsupported], ...] = (
    (b"\x89PNG\r\n\x1a\n", Format.PICTURE),
    (b"\xff\xd8\xff", Format.PICTURE),
    (b"GIF87a", Format.PICTURE),
    (b"GIF89a", Format.PICTURE),
    (b"II*\0", Format.PICTURE),
    (b"MM\0*", Format.PICTURE),
    (b"\xc5\xd0\xd3\xc6", Unsupported.POSTSCRIPT),
    (b"AT&TFORM", Unsupported.DJVU),
    (b"\xffWPC", Unsupported.WORD_PERFECT),
    (b"ITSF", Unsupported.HELP),
    (b"8BPS", Unsupported.OTHER_PICTURE),
    (b"\xd7\xcd\xc6\x9a", Unsupported.OTHER_PICTURE),
    # Word 2 for Windows.
    (b"\xdb\xa5-\0", Unsupported.DOC),
    (b"\0\0\0\x0cjP  ", Unsupported.OTHER_PICTURE),
    (b"\x1f\x8b", Unsupported.ARCHIVE),
    (b"BZh", Unsupported.ARCHIVE),
    (b"\xfd7zXZ\0", Unsupported.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Unsupported.ARCHIVE),
    (b"Rar!\x1a\x07", Unsupported.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", Unsupported.ARCHIVE),
    (b"MSCF\0\0\0\0", Unsupported.ARCHIVE),
    (b"\x1f\x9d", Unsupported.ARCHIVE),
    (b"ID3", Unsupported.SOUND),
    (b"OggS", Unsupported.SOUND),
    (b"fLaC", Unsupported.SOUND),
    (b"\x1aE\xdf\xa3", Unsupported.SOUND),
    (b"SQLite format 3\0", Unsupported.DATABASE),
    (b"PAR1", Unsupported.DATABASE),
    (b"\0\x01\0\0Standard ", Unsupported.DATABASE),
)
RIFF: dict[bytes, Format | Unsupported] = {
    b"WEBP": Format.PICTURE,
    b"WAVE": Unsupported.SOUND,
    b"AVI ": Unsupported.SOUND,
}
# What the names of parts of an archive begin with.
ZIP_PARTS: tuple[tuple[str, Format | Unsupported], ...] = (
    ("word/document", Format.DOCX),
    ("ppt/presentation", Format.PPTX),
    ("xl/workbook", Format.WORKBOOK),
    ("word/", Format.DOCX),
    ("visio/", Unsupported.VISIO),
    ("fixeddoc", Unsupported.XPS),
    ("index/document.iwa", Unsupported.APPLE),
    ("index.zip", Unsupported.APPLE),
)
OPEN_DOCUMENTS = {
    "text": Format.ODT,
    "text-template": Format.ODT,
    "spreadsheet": Format.WORKBOOK,
    "spreadsheet-template": Format.WORKBOOK,
}
# Streams and folders at the root of an OLE file, in the order in which they decide its format.
OLE_STREAMS: dict[str, Format | Unsupported] = {
    "encryptedpackage": Unsupported.ENCRYPTED,
    "__properties_version1.0": Format.OUTLOOK,
    "workbook": Format.WORKBOOK,
    "book": Format.WORKBOOK,
    "powerpoint document": Unsupported.PPT,
    "worddocument": Unsupported.DOC,
    "visiodocument": Unsupported.VISIO,
}
# Brands of the ISO base media format; others are video.
PICTURE_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")
BITMAP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
# Sheets of Excel before OLE files: the first record of BIFF 2 to 4.
OLD_SHEET_RECORD = re.compile(rb"\x09[\x00\x02\x04]\x06\x00|\x09\x00\x04\x00")
SUFFIXES: dict[str, Format | Unsupported] = {
    **dict.fromkeys((".pdf",), Format.PDF),
    **dict.fromkeys((".docx", ".docm", ".dotx", ".dotm"), Format.DOCX),
    **dict.fromkeys((".pptx", ".pptm", ".potx", ".potm", ".ppsx", ".ppsm"), Format.PPTX),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx", ".xltm", ".xlsb", ".xls", ".xlt", ".ods", ".ots"), Format.WORKBOOK),
    **dict.fromkeys((".odt", ".ott", ".fodt"), Format.ODT),
    **dict.fromkeys((".epub",), Format.EPUB),
    **dict.fromkeys((".html", ".htm", ".xhtml", ".xht"), Format.HTML),
    **dict.fromkeys((".md", ".markdown"), Format.MARKDOWN),
    **dict.fromkeys((".eml",), Format.MAIL),
    **dict.fromkeys((".msg",), Format.OUTLOOK),
    **dict.fromkeys((".mbox",), Format.MAILBOX),
    **dict.fromkeys((".ipynb",), Format.NOTEBOOK),
    **dict.fromkeys(
        (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif"),
        Format.PICTURE,
    ),
    **dict.fromkeys((".csv", ".tsv", ".tab"), Format.CSV),
    **dict.fromkeys((".jsonl", ".ndjson"), Format.JSON_LINES),
    **dict.fromkeys((".json",), Format.JSON),
    **dict.fromkeys((".zip", ".gz", ".tar", ".7z", ".rar", ".bz2", ".xz", ".tgz"), Unsupported.ARCHIVE),
    **dict.fromkeys((".mht", ".mhtml"), Unsupported.WEB_ARCHIVE),
    **dict.fromkeys((".ps", ".eps"), Unsupported.POSTSCRIPT),
    **dict.fromkeys((".svg",), Unsupported.SVG),
}
OFFICE = frozenset({Format.DOCX, Format.PPTX, Format.WORKBOOK})
# Formats whose files are never text.
BINARY = frozenset({Format.PDF, Format.DOCX, Format.PPTX, Format.EPUB, Format.ODT, Format.OUTLOOK, Format.PICTURE})
# A text with such a name is damaged, as a PDF is partly text. Others are texts under a wrong name.
DAMAGED = frozenset({Format.PDF, Format.PICTURE})
