"""XML of office files, parsed without entities, external files or network access."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeAlias

from lxml import etree

Element: TypeAlias = Any
"""An lxml element. lxml has no type annotations."""

_TRANSITIONAL = "http://schemas.openxmlformats.org/"
PREFIXES = {
    "w": f"{_TRANSITIONAL}wordprocessingml/2006/main",
    "r": f"{_TRANSITIONAL}officeDocument/2006/relationships",
    "m": f"{_TRANSITIONAL}officeDocument/2006/math",
    "a": f"{_TRANSITIONAL}drawingml/2006/main",
    "c": f"{_TRANSITIONAL}drawingml/2006/chart",
    "dgm": f"{_TRANSITIONAL}drawingml/2006/diagram",
    "p": f"{_TRANSITIONAL}presentationml/2006/main",
    "pic": f"{_TRANSITIONAL}drawingml/2006/picture",
    "wp": f"{_TRANSITIONAL}drawingml/2006/wordprocessingDrawing",
    "mc": f"{_TRANSITIONAL}markup-compatibility/2006",
    "pr": f"{_TRANSITIONAL}package/2006/relationships",
    "ct": f"{_TRANSITIONAL}package/2006/content-types",
    "cp": f"{_TRANSITIONAL}package/2006/metadata/core-properties",
    "ep": f"{_TRANSITIONAL}officeDocument/2006/extended-properties",
    "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "cx": "http://schemas.microsoft.com/office/drawing/2014/chartex",
    "math": "http://www.w3.org/1998/Math/MathML",
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "meta": "urn:oasis:names:tc:opendocument:xmlns:meta:1.0",
    "chart": "urn:oasis:names:tc:opendocument:xmlns:chart:1.0",
    "svg": "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
}
# Strict Office Open XML uses these addresses for the same elements.
_STRICT = [
    (b"http://purl.oclc.org/ooxml/" + strict, _TRANSITIONAL.encode() + transitional)
    for strict, transitional in (
        (b"wordprocessingml/main", b"wordprocessingml/2006/main"),
        (b"presentationml/main", b"presentationml/2006/main"),
        (b"officeDocument/extendedProperties", b"officeDocument/2006/extended-properties"),
        (b"officeDocument/", b"officeDocument/2006/"),
        (b"drawingml/", b"drawingml/2006/"),
    )
]
_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)([\w.:-]+);")
_NAME = re.compile(r"\b([a-z]+\d*):(?=\w)")


class DamagedXML(ValueError):
    """The XML is not well-formed."""


def parse_xml(data: bytes) -> Element:
    """Return the root element, with the names of strict Office Open XML replaced by the usual ones.

    Raises:
        DamagedXML: the XML is not well-formed, or is nested too deeply.
    """
    if b"http://purl.oclc.org/ooxml/" in data:
        for strict, transitional in _STRICT:
            data = data.replace(strict, transitional)
    if b"<!DOCTYPE" in data:
        # Entities are not expanded, since a few bytes may stand for terabytes: their names are kept as text.
        data = _ENTITY.sub(rb"&amp;\1;", data)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise DamagedXML(error.msg) from error
    if next(root.iter(etree.Entity), None) is not None:
        raise DamagedXML("it has entities, in an encoding in which they cannot be kept")
    return root


@cache
def qn(name: str) -> str:
    """Return the qualified name of a prefixed one: `w:p` becomes `{http://...}p`."""
    prefix, _, local = name.partition(":")
    return f"{{{PREFIXES[prefix]}}}{local}"


@cache
def _expand(path: str) -> str:
    """Return a path with qualified names in place of prefixed ones."""
    return _NAME.sub(lambda match: f"{{{PREFIXES[match[1]]}}}", path)


def names(*prefixed: str) -> frozenset[str]:
    """Return the qualified names of prefixed ones."""
    return frozenset(map(qn, prefixed))


def children(element: Element) -> Iterator[Element]:
    """Yield the child elements."""
    return element.iterchildren("*")  # type: ignore[no-any-return]


def find(element: Element | None, path: str) -> Element | None:
    """Return the first element at a path of prefixed names, such as `w:pPr/w:numPr`; None if there is none."""
    return None if element is None else element.find(_expand(path))


def find_all(element: Element | None, path: str) -> list[Element]:
    """Return all elements at a path of prefixed names."""
    return [] if element is None else element.findall(_expand(path))


def attribute(element: Element | None, name: str) -> str | None:
    """Return an attribute with a prefixed name; None if it or the element is missing."""
    return None if element is None else element.get(qn(name))


def integer(text: str | None, default: int = 0) -> int:
    """Return a whole number that fits 32 bits; the default for any other text."""
    try:
        number = int(text or "")
    except ValueError:
        return default
    return number if abs(number) < 2**31 else default


def alternative(element: Element) -> Element | None:
    """Return the content of an `mc:AlternateContent` element that current programs show."""
    choice = find(element, "mc:Choice")
    return choice if choice is not None and len(choice) else find(element, "mc:Fallback")
