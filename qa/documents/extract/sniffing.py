"""Recognise the format of a file from its bytes; its name decides only where the bytes do not (pure)."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePath

from olefile import OleFileIO

from qa.documents.extract.encodings import detect_encoding
from qa.documents.extract.signatures import (
    BINARY,
    BITMAP_HEADERS,
    DAMAGED,
    OFFICE,
    OLD_SHEET_RECORD,
    OLE_MARK,
    OLE_STREAMS,
    OPEN_DOCUMENTS,
    PICTURE_BRANDS,
    RIFF,
    SIGNATURES,
    SUFFIXES,
    ZIP_PARTS,
    Format,
    Unsupported,
)
from qa.documents.extract.tables.xls_records import is_encrypted, read_stream
from qa.documents.extract.text_sniffing import sniff_text

# In bytes: where a PDF may begin, and how much of a text is looked at.
_PDF_START, _HEAD, _MAX_MIMETYPE = 1024, 8192, 200
_POSTSCRIPT = re.compile(rb"\x04?%!(?:PS(?:-Adobe-\d|[ \t]*[\r\n])|FontType)")


def sniff(data: bytes, name: str) -> Format | Unsupported:
    """Return the format of a file.

    Args:
        data: the whole file.
        name: the file's name or path.
    """
    suffix = PurePath(name).suffix.lower()
    by_name = SUFFIXES.get(suffix, Format.TEXT)
    if (found := _sniff_binary(data, by_name)) is not None:
        return found
    if by_name in BINARY:
        if by_name in DAMAGED or data.startswith(b"PK") or not data.strip() or not detect_encoding(data[:_HEAD]):
            return by_name
        return sniff_text(data, suffix, Format.TEXT) or Format.TEXT
    found = sniff_text(data, suffix, by_name)
    if found is None and by_name is Format.WORKBOOK and data and detect_encoding(data[:_HEAD]):
        # Many programs write text tables under the name of a workbook.
        return Format.CSV
    return by_name if found is None else found


def _sniff_binary(data: bytes, by_name: Format | Unsupported) -> Format | Unsupported | None:
    if data.startswith(OLE_MARK):
        return _sniff_ole(data)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _sniff_zip(data, by_name)
    if _POSTSCRIPT.match(data):
        return Unsupported.POSTSCRIPT
    # A text may begin with the letters of a mark.
    is_text = data[:_MAX_MIMETYPE].decode("latin-1").isprintable()
    if not is_text and (found := _sniff_mark(data)) is not None:
        return found
    # Other formats may hold a PDF near the start.
    return Format.PDF if _is_pdf(data, by_name) else None


def _sniff_mark(data: bytes) -> Format | Unsupported | None:
    if data.startswith(b"\1\0\0\0") and data[40:44] == b" EMF":
        return Unsupported.OTHER_PICTURE
    for mark, found in SIGNATURES:
        if data.startswith(mark):
            return found
    if data.startswith(b"RIFF"):
        return RIFF.get(data[8:12])
    if data[4:8] == b"ftyp":
        return Unsupported.OTHER_PICTURE if data[8:12] in PICTURE_BRANDS else Unsupported.SOUND
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in BITMAP_HEADERS:
        return Format.PICTURE
    if data[257:262] == b"ustar":
        return Unsupported.ARCHIVE
    if data[60:68] == b"BOOKMOBI":
        return Unsupported.MOBI
    return Unsupported.OLD_SHEET if OLD_SHEET_RECORD.match(data) else None


def _is_pdf(data: bytes, by_name: Format | Unsupported) -> bool:
    """Return whether a file is a PDF, whose mark other bytes may precede; a text may mention the mark."""
    start = data.find(b"%PDF-", 0, _PDF_START)
    if start < 0:
        return False
    is_first = not data[:start].removeprefix(b"\xef\xbb\xbf").strip()
    return (is_first and by_name is Format.PDF) or (b" obj" in data and (is_first or b"startxref" in data))


def _sniff_ole(data: bytes) -> Format | Unsupported:
    """Return the format of an OLE file from the streams at its root; those below belong to embedded files."""
    try:
        with OleFileIO(io.BytesIO(data)) as file:
            streams = {entry[0].casefold() for entry in file.listdir()}
            records = read_stream(file)
    # The library raises many errors on damaged files.
    except Exception:
        streams, records = {name for name in OLE_STREAMS if _has_stream(data, name)}, b""
    found = next((found for stream, found in OLE_STREAMS.items() if stream in streams), Unsupported.OLE)
    return Unsupported.ENCRYPTED if found is Format.WORKBOOK and is_encrypted(records) else found


def _has_stream(data: bytes, name: str) -> bool:
    return re.search(re.escape(name.encode("utf-16-le")), data, re.IGNORECASE) is not None


def _sniff_zip(data: bytes, by_name: Format | Unsupported) -> Format | Unsupported:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            mimetype = _read_mimetype(archive, names)
    # Damaged archives raise many errors.
    except Exception:
        # The extractor reports the damage.
        return by_name if by_name in BINARY | {Format.WORKBOOK} else Unsupported.ARCHIVE
    # Some books lack the file that names their type.
    has_container = "META-INF/container.xml" in names and ("mimetype" in names or by_name is Format.EPUB)
    if mimetype.startswith("application/epub") or has_container:
        return Format.EPUB
    if mimetype.startswith(("application/vnd.oasis.opendocument.", "application/vnd.sun.xml.")):
        return OPEN_DOCUMENTS.get(mimetype.rpartition(".")[2], Unsupported.OPEN_DOCUMENT)
    # Some programs write backslashes, and names in other cases.
    names = {name.replace("\\", "/").lstrip("/").lower() for name in names}
    for start, found in ZIP_PARTS:
        if any(name.startswith(start) for name in names):
            return found
    return by_name if by_name in OFFICE and "[content_types].xml" in names else Unsupported.ARCHIVE


def _read_mimetype(archive: zipfile.ZipFile, names: set[str]) -> str:
    """Return the media type that OpenDocument and EPUB files hold."""
    if "mimetype" not in names or archive.getinfo("mimetype").file_size > _MAX_MIMETYPE:
        return ""
    return archive.read("mimetype").decode("ascii", "replace").strip()
