"""The parts of an OpenDocument file: of its ZIP archive, or of a flat XML file."""

from __future__ import annotations

import posixpath
import re

from qa.documents.extract.office.archive import OfficeArchive, parse_date
from qa.documents.extract.office.xml_tree import DamagedXML, Element, attribute, find, find_all, parse_xml, qn
from qa.documents.extract.text_builder import clean_properties
from qa.errors import InvalidInput
from qa.types import Meta

_PICTURE_DATA = re.compile(rb"<office:binary-data>[^<]*</office:binary-data>")


class OpenDocument:
    """An OpenDocument file.

    Attributes:
        content: root of the content.
        styles: root of the common styles; None if they are missing or damaged.
        damaged: parts that cannot be read.
    """

    def __init__(self, data: bytes, name: str) -> None:
        """Read the parts.

        Raises:
            InvalidInput: the file is no OpenDocument file, is damaged or is encrypted.
            TooLarge: the file is too large when unpacked.
        """
        self.damaged: list[str] = []
        self._objects: dict[str, Element | None] = {}
        self._archive: OfficeArchive | None = None
        if data.lstrip()[:1] in (b"<", b"\xef"):
            try:
                # The XML parser limits the length of a text, and pictures may exceed it.
                self.content = parse_xml(_PICTURE_DATA.sub(b"", data))
            except DamagedXML as error:
                raise InvalidInput(
                    f"{name}: not an ODT file, or damaged ({error}); save it again", field=name
                ) from error
            self.styles = self._meta = self.content
            return
        self._archive = OfficeArchive(data, name, "ODT")
        manifest = self._read_optional("META-INF/manifest.xml")
        if manifest is not None and any(e.tag.endswith("}encryption-data") for e in manifest.iter("*")):
            raise InvalidInput(f"{name}: encrypted with a password; save it without password protection", field=name)
        self.content = self._archive.read_xml("content.xml")
        self.styles = self._read_optional("styles.xml")
        self._meta = self._read_optional("meta.xml")

    def _read_optional(self, part: str) -> Element | None:
        if self._archive is None or part not in self._archive:
            return None
        try:
            return self._archive.read_xml(part)
        except InvalidInput:
            self.damaged.append(f"{part} is damaged")
            return None

    def read_object(self, frame: Element) -> Element | None:
        """Return the root of the object in a frame, such as a formula or a chart; None if there is none."""
        holder = find(frame, "draw:object")
        if holder is None:
            return None
        if len(holder):
            return holder[0]
        folder = (attribute(holder, "xlink:href") or "").removeprefix("./")
        if not folder or "://" in folder:
            return None
        if folder not in self._objects:
            self._objects[folder] = self._read_optional(posixpath.join(folder, "content.xml"))
        return self._objects[folder]

    def properties(self) -> tuple[str, Meta]:
        """Return the title and the other properties."""
        meta = None if self._meta is None else next(self._meta.iter(qn("office:meta")), None)

        def text(*paths: str) -> str:
            found = (find(meta, path) for path in paths)
            return next(("".join(element.itertext()) for element in found if element is not None), "")

        keywords = ", ".join("".join(element.itertext()) for element in find_all(meta, "meta:keyword"))
        properties = clean_properties(
            author=text("meta:initial-creator", "dc:creator"),
            subject=text("dc:subject"),
            keywords=keywords,
            created=parse_date(text("meta:creation-date")),
            modified=parse_date(text("dc:date")),
        )
        return text("dc:title"), properties
