"""Styles and lists of an OpenDocument text: hidden, bold and raised text, and the numbers of lists and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from qa.documents.extract.office.block_writer import BULLET
from qa.documents.extract.office.number_formats import format_open_document_number
from qa.documents.extract.office.styled_text import PLAIN, TextStyle
from qa.documents.extract.office.xml_tree import Element, attribute, children, find_all, integer, qn

_MAX_ANCESTORS = 20
_MAX_LEVEL = 10
_PLACEHOLDER = re.compile(r"%(\d{1,2})%")
_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_LOEXT = "{urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0}"
_BOLD = frozenset({"bold", "600", "700", "800", "900"})


@dataclass(frozen=True, slots=True)
class _Level:
    """How one level of a list is numbered."""

    format: str = ""
    prefix: str = ""
    suffix: str = ""
    start: int = 1
    shown_levels: int = 1
    pattern: str | None = None
    is_bullet: bool = False


@dataclass(slots=True)
class List:
    """A list, with the counts of each style in it, which other lists may continue."""

    style: str
    counts: dict[str, dict[int, int]] = field(default_factory=dict)


class Styles:
    """The styles of a document: its automatic ones, and the common ones that they are based on."""

    def __init__(self, *roots: Element | None) -> None:
        """Read the styles of the content and of the styles part; the first of a name counts."""
        self._styles: dict[tuple[str, str], Element] = {}
        self._lists: dict[str, dict[int, _Level]] = {}
        self._consecutive: set[str] = set()
        self._outline: dict[int, _Level] = {}
        for root in roots:
            for element in [] if root is None else root.iter(qn("style:style"), qn("text:list-style")):
                name = attribute(element, "style:name") or ""
                if element.tag == qn("style:style"):
                    self._styles.setdefault((attribute(element, "style:family") or "", name), element)
                else:
                    self._lists.setdefault(name, _read_levels(element))
                    if attribute(element, "text:consecutive-numbering") == "true":
                        self._consecutive.add(name)
            for element in [] if root is None else root.iter(qn("text:outline-style")):
                self._outline = self._outline or _read_levels(element)
        self._text: dict[tuple[str, str | None], TextStyle] = {}

    def _ancestors(self, family: str, name: str | None) -> Iterator[Element]:
        """Yield a style and those that it is based on, nearest first."""
        for _ in range(_MAX_ANCESTORS):
            style = self._styles.get((family, name or ""))
            if style is None:
                return
            yield style
            name = attribute(style, "style:parent-style-name")

    def text_style(self, family: str, name: str | None) -> TextStyle:
        """Return how a style of a family, `paragraph` or `text`, shows its text."""
        key = family, name
        if key not in self._text:
            text_style = PLAIN
            for style in self._ancestors(family, name):
                for properties in find_all(style, "style:text-properties"):
                    text_style = text_style.over(_read_text_style(properties))
            self._text[key] = text_style
        return self._text[key]

    def is_named(self, name: str | None, *wanted: str) -> bool:
        """Return whether a paragraph style, or one that it is based on, has one of these names."""
        return name in wanted or any(
            (attribute(style, "style:display-name") or attribute(style, "style:name")) in wanted
            for style in self._ancestors("paragraph", name)
        )

    def list_label(self, counted: List, level: int, start: int | None) -> str:
        """Count an item at a level (from 1) of a list and return its label."""
        counts = counted.counts.setdefault(counted.style, {})
        if start is None and counted.style in self._consecutive and counts:
            # The levels share one count.
            start = max(counts.values()) + 1
        return _next_label(self._lists.get(counted.style, {}), counts, level, start)

    def heading_label(self, counts: dict[int, int], level: int, start: int | None) -> str:
        """Count a heading at an outline level (from 1) and return its number."""
        return _next_label(self._outline, counts, level, start)


def _next_label(levels: dict[int, _Level], counts: dict[int, int], level: int, start: int | None) -> str:
    own = levels.get(level, _Level())
    if start is None:
        counts[level] = counts.get(level, own.start - 1) + 1
    else:
        counts[level] = start
    for deeper in [deeper for deeper in counts if deeper > level]:
        del counts[deeper]
    if own.is_bullet:
        return BULLET

    def number(place: int) -> str:
        shown = levels.get(place, _Level())
        return format_open_document_number(counts.get(place, shown.start), shown.format)

    if own.pattern is not None:
        return " ".join(_PLACEHOLDER.sub(lambda match: number(int(match[1])), own.pattern).split())
    if not own.format:
        return " ".join(f"{own.prefix}{own.suffix}".split())
    numbers = [number(place) for place in range(max(1, level - own.shown_levels + 1), level + 1)]
    return " ".join(f"{own.prefix}{'.'.join(filter(None, numbers))}{own.suffix}".split())


def _read_levels(element: Element) -> dict[int, _Level]:
    levels: dict[int, _Level] = {}
    for child in children(element):
        pattern = attribute(child, "style:num-list-format") or child.get(f"{_LOEXT}num-list-format")
        levels[integer(attribute(child, "text:level"), 1)] = _Level(
            attribute(child, "style:num-format") or "",
            attribute(child, "style:num-prefix") or "",
            attribute(child, "style:num-suffix") or "",
            integer(attribute(child, "text:start-value"), 1),
            min(integer(attribute(child, "text:display-levels"), 1), _MAX_LEVEL),
            pattern if attribute(child, "style:num-format") else None,
            child.tag in (qn("text:list-level-style-bullet"), qn("text:list-level-style-image")),
        )
    return levels


def _read_text_style(properties: Element) -> TextStyle:
    display = attribute(properties, "text:display")
    weight = properties.get(f"{_FO}font-weight")
    position = (attribute(properties, "style:text-position") or "").split()
    alignment = None
    if position:
        offset = {"super": 1, "sub": -1}.get(position[0], integer(position[0].rstrip("%").partition(".")[0]))
        alignment = "superscript" if offset > 0 else "subscript" if offset < 0 else "baseline"
    return TextStyle(
        None if display is None else display == "none",
        None if weight is None else weight in _BOLD,
        alignment,
        attribute(properties, "style:font-name"),
    )
