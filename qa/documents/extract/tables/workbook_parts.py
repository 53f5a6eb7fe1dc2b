"""Parts of a workbook beside its cells: limits of its archive, notes on its sheets, and what is not read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

from qa.documents.extract.office.xml_tree import DamagedXML
from qa.documents.extract.tables.ods_notes import has_notes, read_ods_notes
from qa.documents.extract.tables.sheet_notes import read_sheet_notes
from qa.documents.extract.tables.xls_records import count_unread
from qa.documents.extract.text_builder import TextBuilder
from qa.documents.extract.zip_archive import DAMAGED, unpacked_size
from qa.errors import InvalidInput, TooLarge

# In bytes, far more than a workbook that people read.
_MAX_UNPACKED = 1_000_000_000
# What is not read, and what the names of its parts begin with.
_UNREAD_PARTS = {
    "charts": ("xl/charts/chart",),
    "pictures": ("xl/media/", "pictures/"),
    "embedded files": ("xl/embeddings/",),
    "diagrams": ("xl/diagrams/data",),
}
_NOTES = ("xl/comments", "xl/threadedcomments", "xl/drawings/drawing")
# In bytes of XML.
_MAX_XML = 50_000_000
_ODS_CELLS, _ODS_OBJECT = "content.xml", b"<draw:object "
_DAMAGED_NOTES = "comments and text boxes, which are damaged or too large"


def check_archive(data: bytes, name: str) -> None:
    """Reject archives that unpack to too much, and encrypted OpenDocument files."""
    if not data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = unpacked_size(archive)
            if size > _MAX_UNPACKED:
                raise TooLarge(
                    f"{name}: {size:,} bytes when unpacked, over the limit of {_MAX_UNPACKED:,}; split the file",
                    field=name,
                )
            names = archive.namelist()
            manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in names else b""
    except DAMAGED as error:
        raise InvalidInput(f"{name}: not a workbook, or damaged ({error}); save it again", field=name) from error
    if b"encryption-data" in manifest:
        raise InvalidInput(f"{name}: encrypted with a password; save it without the password", field=name)


def read_notes(data: bytes, name: str, builder: TextBuilder) -> Mapping[str, Sequence[str]]:
    """Return the comments and text boxes of each sheet, by its name; report what is not read beside the cells."""
    if not data.startswith(b"PK"):
        _report(builder, count_unread(data), "; save the workbook as XLSX")
        return {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [part.replace("\\", "/").lower() for part in archive.namelist()]
        content = archive.read(_ODS_CELLS) if _ODS_CELLS in archive.namelist() else b""
    _report(builder, {"charts and embedded objects": content.count(_ODS_OBJECT)})
    _report(
        builder, {what: sum(1 for part in parts if part.startswith(start)) for what, start in _UNREAD_PARTS.items()}
    )
    if has_notes(content):
        return _read_ods_notes(content, builder)
    if not any(part.startswith(_NOTES) for part in parts):
        return {}
    if "xl/workbook.bin" in parts:
        builder.report_unread("comments and text boxes; save the workbook as XLSX")
        return {}
    try:
        return read_sheet_notes(data, name)
    except InvalidInput:
        builder.report_unread(_DAMAGED_NOTES)
        return {}


def _read_ods_notes(content: bytes, builder: TextBuilder) -> Mapping[str, Sequence[str]]:
    try:
        if len(content) <= _MAX_XML:
            return read_ods_notes(content)
    except DamagedXML:
        pass
    builder.report_unread(_DAMAGED_NOTES)
    return {}


def _report(builder: TextBuilder, counts: Mapping[str, int], advice: str = "") -> None:
    for what, count in counts.items():
        if count:
            builder.report_unread(f"{what} ({count:,}){advice}")
