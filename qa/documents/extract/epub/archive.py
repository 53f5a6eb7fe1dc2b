"""The archive of an EPUB, and its XML, read within limits."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias
from urllib.parse import unquote

from lxml import etree

from qa.documents.extract.plain_text import decode
from qa.documents.extract.zip_archive import DAMAGED
from qa.errors import InvalidInput, TooLarge

Element: TypeAlias = Any
"""An lxml element. lxml has no type annotations."""

# In bytes, of everything that is read.
_MAX_READ = 100_000_000
_XML = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "remove_comments": True,
    "remove_pis": True,
}
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,30});")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


class Archive:
    """The files of an EPUB."""

    def __init__(self, data: bytes, name: str) -> None:
        """Open an archive.

        Raises:
            InvalidInput: the file is no archive.
        """
        self.name = name
        try:
            self._file = zipfile.ZipFile(io.BytesIO(data))
        except DAMAGED as error:
            raise InvalidInput(f"{name}: not an EPUB, or damaged ({error}); download it again", field=name) from error
        self._size = 0

    @cached_property
    def _paths(self) -> Mapping[str, str]:
        """Each path without regard to case, as some books refer to files in another case."""
        return {path.casefold(): path for path in self._file.namelist()}

    def read(self, path: str) -> bytes | None:
        """Return a file; None if it is missing, damaged or encrypted.

        Raises:
            TooLarge: the files have too many bytes when unpacked.
        """
        try:
            entry = self._file.getinfo(self._paths.get(path.casefold(), path))
            self._size += entry.file_size
            if self._size > _MAX_READ:
                raise TooLarge(f"{self.name}: over {_MAX_READ:,} bytes when unpacked; split the book", field=self.name)
            return self._file.read(entry)
        except (KeyError, *DAMAGED):
            return None

    def read_xml(self, path: str) -> Element | None:
        """Return the root element of an XML file; None if it is missing or damaged."""
        data = self.read(path)
        return None if data is None else parse_xml(data)

    def find_package(self) -> str | None:
        """Return the path of the package document."""
        container = self.read_xml("META-INF/container.xml")
        for rootfile in iterate(container, "rootfile"):
            if path := rootfile.get("full-path"):
                return unquote(path).lstrip("/")
        return next((path for path in self._file.namelist() if path.casefold().endswith(".opf")), None)


def parse_xml(data: bytes, *, may_be_html: bool = False) -> Element | None:
    """Return the root element of XML, also of damaged XML; None if it has no element.

    Args:
        data: the file.
        may_be_html: whether XML that is not well-formed is read as HTML.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or _ENTITY.search(data.decode("latin-1")):
        # Named characters, such as `&nbsp;`, are declared in a file that is not read.
        text = _DECLARATION.sub("", decode(data, ""))
        data = _ENTITY.sub(_replace_entity, text).encode("utf-8", "replace")
    parser = etree.XMLParser(**_XML, recover=not may_be_html)
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return _parse_html(data) if may_be_html else None


def _parse_html(data: bytes) -> Element | None:
    text = _DECLARATION.sub("", decode(data.replace(b"\0", b""), "")).encode("utf-8", "replace")
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _replace_entity(match: re.Match[str]) -> str:
    return match[0] if match[1] in _XML_ENTITIES else html.unescape(match[0])


def to_html(root: Element) -> bytes:
    """Return a page as HTML in UTF-8."""
    etree.cleanup_namespaces(root)
    return etree.tostring(root, method="html", encoding="utf-8")  # type: ignore[no-any-return]


def local_name(element: Element) -> str:
    """Return an element's name without its namespace; empty for comments."""
    return element.tag.rpartition("}")[2].casefold() if isinstance(element.tag, str) else ""


def iterate(element: Element | None, *names: str) -> Iterator[Element]:
    """Yield the elements of these names, of any namespace, inside an element."""
    if element is not None:
        yield from element.iter(*(f"{{*}}{name}" for name in names))


def inner_text(element: Element | None) -> str:
    """Return the text inside an element on one line."""
    return "" if element is None else " ".join("".join(element.itertext()).split())


def types_of(element: Element) -> frozenset[str]:
    """Return the values of `epub:type` and the role of an element."""
    values = [value for key, value in element.attrib.items() if key.rpartition("}")[2] in ("type", "role")]
    return frozenset(word.removeprefix("doc-") for value in values for word in value.casefold().split())
