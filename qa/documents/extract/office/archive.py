"""The ZIP archive of an office file: its size limits, parts, relationships and properties."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import unquote

from qa.documents.extract.office.xml_tree import DamagedXML, Element, find, find_all, parse_xml
from qa.documents.extract.text_builder import clean_properties
from qa.documents.extract.zip_archive import DAMAGED, unpacked_size
from qa.errors import InvalidInput, TooLarge, UnsupportedFormat
from qa.types import Meta

# In bytes, far more than any manual has: of all parts, and of those that are parsed.
_MAX_UNPACKED, _MAX_XML = 300_000_000, 50_000_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Streams of OLE files, in the order in which they decide the format.
_OLE_FORMATS = {
    "EncryptedPackage": "encrypted with a password; save it without password protection",
    "DRMEncryptedDataSpace": "encrypted by rights management; save it without protection",
    "WordDocument": "an old binary Word file (Word 97 to 2003, .doc); open it in Word and save it as DOCX",
    "PowerPoint Document": "an old binary PowerPoint file (.ppt); open it in PowerPoint and save it as PPTX",
    "Workbook": "an old binary Excel file; name it .xls",
    "__properties_version1.0": "an Outlook message; name it .msg",
}


@dataclass(frozen=True, slots=True)
class Relationship:
    """A reference from a part of an archive to another part.

    Attributes:
        kind: the last word of the relationship type, such as `footnotes`.
        target: name of the other part, or an external address.
        is_external: whether the target is outside the file.
    """

    kind: str
    target: str
    is_external: bool


def reject_ole(data: bytes, name: str) -> None:
    """Reject an OLE file, which holds encrypted documents and the binary formats of Office 97 to 2003.

    Raises:
        InvalidInput: the file is encrypted.
        UnsupportedFormat: the file has a binary format.
    """
    if not data.startswith(_OLE):
        return
    for stream, fault in _OLE_FORMATS.items():
        if stream.encode("utf-16-le") in data:
            error = InvalidInput if fault.startswith("encrypted") else UnsupportedFormat
            raise error(f"{name}: {fault}", field=name)
    raise UnsupportedFormat(f"{name}: an OLE file of an unknown kind; convert it to PDF or DOCX first", field=name)


class OfficeArchive:
    """The parts of an office file, read when they are needed.

    Attributes:
        name: the file's name.
        shown: parts whose text is already taken. A small file may refer to a large part many times.
    """

    def __init__(self, data: bytes, name: str, format: str) -> None:
        """Open an archive.

        Args:
            data: the whole file.
            name: the file's name, for error messages.
            format: the format's name, for error messages.

        Raises:
            InvalidInput: the file is no archive, is damaged or is encrypted.
            UnsupportedFormat: the file has a binary format of Office 97 to 2003.
            TooLarge: the file is too large when unpacked.
        """
        reject_ole(data, name)
        self.name = name
        self.shown: set[str] = set()
        self._format = format
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except DAMAGED as error:
            raise self.damaged(error) from error
        parts = self._zip.infolist()
        size = unpacked_size(self._zip)
        if size > _MAX_UNPACKED:
            raise TooLarge(
                f"{name}: {size:,} bytes when unpacked, over the limit of {_MAX_UNPACKED:,}; split the file", field=name
            )
        # A part that is referred to as XML is parsed, whatever its name ends in.
        self._parsed: set[str] = set()
        self._parsed_size = 0
        self._relationships: dict[str, Mapping[str, Relationship]] = {}
        # Some programs write part names with backslashes, a leading slash or another case.
        self._parts: dict[str, zipfile.ZipInfo] = {}
        for part in sorted(parts, key=lambda part: part.filename.startswith(("/", "\\"))):
            self._parts.setdefault(_normalise(part.filename), part)

    def damaged(self, error: Exception | str) -> InvalidInput:
        """Return the error for a damaged file."""
        article = "an" if self._format.startswith("O") else "a"
        return InvalidInput(
            f"{self.name}: not {article} {self._format} file, or damaged ({error}); save it again as {self._format}",
            field=self.name,
        )

    def __contains__(self, part: str) -> bool:
        return _normalise(part) in self._parts

    def read(self, part: str) -> bytes:
        """Return the bytes of a part.

        Raises:
            InvalidInput: the part is missing or damaged.
        """
        try:
            return self._zip.read(self._parts[_normalise(part)])
        except KeyError as error:
            raise self.damaged(f"the part {part} is missing") from error
        except DAMAGED as error:
            raise self.damaged(error) from error

    def read_xml(self, part: str) -> Element:
        """Return the root element of a part.

        Raises:
            InvalidInput: the part is missing or damaged.
            TooLarge: the parts that were parsed, and this one, are too large.
        """
        entry = self._parts.get(_normalise(part))
        if entry and entry.filename not in self._parsed:
            if self._parsed_size + entry.file_size > _MAX_XML:
                raise TooLarge(
                    f"{self.name}: over {_MAX_XML:,} bytes of XML when unpacked; split the file", field=self.name
                )
            self._parsed.add(entry.filename)
            self._parsed_size += entry.file_size
        try:
            return parse_xml(self.read(part))
        except DamagedXML as error:
            raise self.damaged(f"{part}: {error}") from error

    def relationships(self, part: str) -> Mapping[str, Relationship]:
        """Return the relationships of a part by their ids; those of the whole file for an empty name."""
        if part not in self._relationships:
            folder, file = posixpath.split(part)
            source = posixpath.join(folder, "_rels", f"{file}.rels")
            elements = find_all(self.read_xml(source), "pr:Relationship") if source in self else []
            self._relationships[part] = {e.get("Id", ""): _relationship(e, folder) for e in elements}
        return self._relationships[part]

    def related(self, part: str, kind: str) -> Iterator[str]:
        """Yield the parts that a part refers to by a kind of relationship."""
        for relationship in self.relationships(part).values():
            if relationship.kind == kind and not relationship.is_external and relationship.target in self:
                yield relationship.target

    @cached_property
    def main_part(self) -> str:
        """Name of the part with the document itself.

        Raises:
            InvalidInput: the file has none.
        """
        main = next(self.related("", "officeDocument"), None)
        if main is None:
            raise self.damaged("it has no main document")
        return main

    def properties(self) -> tuple[str, Meta]:
        """Return the title and the other properties; empty if they are missing or damaged."""
        try:
            part = next(self.related("", "core-properties"), None)
            core = self.read_xml(part) if part else None
        except InvalidInput:
            return "", {}
        title = _text(core, "dc:title")
        meta = clean_properties(
            author=_text(core, "dc:creator"),
            subject=_text(core, "dc:subject"),
            keywords=_text(core, "cp:keywords"),
            created=parse_date(_text(core, "dcterms:created")),
            modified=parse_date(_text(core, "dcterms:modified")),
        )
        return title, meta


def parse_date(text: str) -> datetime | None:
    """Return a date in ISO form; None for any other text."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _text(element: Element | None, path: str) -> str:
    found = find(element, path)
    return "" if found is None else "".join(found.itertext())


def _relationship(element: Element, folder: str) -> Relationship:
    kind = element.get("Type", "").rpartition("/")[2]
    kind = {"coreProperties": "core-properties", "metadata/core-properties": "core-properties"}.get(kind, kind)
    target = element.get("Target", "")
    is_external = element.get("TargetMode") == "External"
    if not is_external:
        target = unquote(target.replace("\\", "/")).partition("#")[0]
        target = posixpath.normpath(posixpath.join(folder, target)).lstrip("/")
    return Relationship(kind, target, is_external)


def _normalise(part: str) -> str:
    return part.replace("\\", "/").lstrip("/").casefold()
