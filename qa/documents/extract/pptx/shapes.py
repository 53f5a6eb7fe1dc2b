"""Shapes of a slide: their places, inherited from layout and master, and their text with its bullets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from qa.documents.extract.office.archive import OfficeArchive
from qa.documents.extract.office.drawings import paragraph_text
from qa.documents.extract.office.number_formats import format_number
from qa.documents.extract.office.xml_tree import Element, alternative, children, find, find_all, integer, names, qn
from qa.errors import InvalidInput

TITLES = frozenset({"title", "ctrTitle"})
# What the master repeats on each slide.
_FURNITURE = frozenset({"dt", "ftr", "sldNum", "hdr"})
_SHAPES = names("p:sp", "p:pic", "p:grpSp", "p:graphicFrame", "p:cxnSp")
_BULLETS = names("a:buNone", "a:buChar", "a:buAutoNum", "a:buBlip")
_MASTER_TYPES = {"ctrTitle": "title", "subTitle": "body", "obj": "body"}
_NUMBERS = {"arabic": "decimal", "alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman"}
_NUMBERS |= {"romanUc": "upperRoman", "circleNum": "decimalEnclosedCircle"}
_AROUND = {"Period": ("", "."), "ParenR": ("", ")"), "ParenBoth": ("(", ")"), "Minus": ("", "-")}
_MAX_LEVEL = 8
_SPACES = re.compile(r"[ \t]+")


@dataclass(frozen=True, slots=True)
class Frame:
    """The place of a shape on a slide, in English Metric Units from its upper left corner."""

    left: int = 0
    top: int = 0
    width: int = 0
    height: int = 0


def placeholder(shape: Element) -> Element | None:
    """Return the `p:ph` element of a shape; None if it is no placeholder."""
    return find(shape[0], "p:nvPr/p:ph") if len(shape) else None


def placeholder_type(shape: Element) -> str | None:
    """Return the type of a placeholder; None for other shapes."""
    element = placeholder(shape)
    return None if element is None else element.get("type", "obj")


def shapes_of(tree: Element | None) -> Iterator[Element]:
    """Yield the shapes of a slide or a group, without dates, footers and slide numbers."""
    for child in [] if tree is None else children(tree):
        shape = child
        if child.tag == qn("mc:AlternateContent"):
            yield from shapes_of(alternative(child))
        elif child.tag in _SHAPES and placeholder_type(shape) not in _FURNITURE:
            yield shape


class Layout:
    """The placeholders that a slide inherits from its layout and from the layout's master."""

    def __init__(self, archive: OfficeArchive, layout: str | None) -> None:
        """Read a layout and its master; missing or damaged ones have no placeholders.

        Args:
            archive: the presentation.
            layout: the part of the layout; None for a slide without one.
        """
        self._layout: list[Element] = []
        self._master: list[Element] = []
        self._styles: Element | None = None
        # A damaged layout costs the places of the shapes, not their text.
        with suppress(InvalidInput):
            if layout is not None:
                self._read(archive, layout)

    def _read(self, archive: OfficeArchive, layout: str) -> None:
        self._layout = list(shapes_of(find(archive.read_xml(layout), "p:cSld/p:spTree")))
        master = next(archive.related(layout, "slideMaster"), None)
        if master is not None:
            root = archive.read_xml(master)
            self._master = list(shapes_of(find(root, "p:cSld/p:spTree")))
            self._styles = find(root, "p:txStyles")

    def ancestors(self, shape: Element) -> list[Element]:
        """Return the placeholders that a placeholder inherits from, nearest first."""
        element = placeholder(shape)
        if element is None:
            return []
        type, index = element.get("type", "obj"), element.get("idx", "0")
        found = [other for other in self._layout if _has(other, index=index)]
        found = (found or [other for other in self._layout if _has(other, type=type)])[:1]
        inherited = placeholder_type(found[0]) if found else type
        master_type = _MASTER_TYPES.get(inherited or type, inherited or type)
        return found + [other for other in self._master if _has(other, type=master_type)][:1]

    def frame(self, shape: Element) -> Frame:
        """Return the place of a shape, its own or an inherited one."""
        for candidate in (shape, *self.ancestors(shape)):
            transform = next(
                (t for path in ("p:spPr/a:xfrm", "p:grpSpPr/a:xfrm", "p:xfrm") for t in find_all(candidate, path)), None
            )
            offset, extent = find(transform, "a:off"), find(transform, "a:ext")
            if offset is not None and extent is not None:
                return Frame(
                    *(integer(e.get(name)) for e, pair in ((offset, "xy"), (extent, ("cx", "cy"))) for name in pair)
                )
        return Frame()

    def list_styles(self, shape: Element) -> list[Element]:
        """Return where the bullets of a shape's paragraphs may be set, nearest first."""
        styles = [find(candidate, "p:txBody/a:lstStyle") for candidate in (shape, *self.ancestors(shape))]
        type = placeholder_type(shape)
        if type is not None and type not in TITLES:
            styles.append(find(self._styles, "p:bodyStyle"))
        return [style for style in styles if style is not None]


def _has(shape: Element, *, type: str | None = None, index: str | None = None) -> bool:
    element = placeholder(shape)
    if element is None:
        return False
    return bool(element.get("type", "obj") == type if type else element.get("idx", "0") == index)


def in_reading_order(shapes: Sequence[tuple[Frame, Element]], tolerance: int) -> list[Element]:
    """Return shapes from top to bottom, and those that begin at about the same height from left to right."""
    ordered: list[Element] = []
    row: list[tuple[Frame, Element]] = []
    for frame, shape in [*sorted(shapes, key=lambda entry: entry[0].top), (None, None)]:
        if row and (frame is None or frame.top > row[0][0].top + tolerance):
            ordered += [member for _, member in sorted(row, key=lambda entry: entry[0].left)]
            row = []
        if frame is not None:
            row.append((frame, shape))
    return ordered


def text_of(shape: Element, layout: Layout) -> str:
    """Return the paragraphs of a shape, one line each, with their bullets and numbers."""
    styles = layout.list_styles(shape)
    lines: list[str] = []
    counts: dict[int, int] = {}
    for paragraph in find_all(shape, "p:txBody/a:p"):
        text = _SPACES.sub(" ", paragraph_text(paragraph))
        if not text:
            continue
        properties = find(paragraph, "a:pPr")
        level = min(max(integer(None if properties is None else properties.get("lvl")), 0), _MAX_LEVEL)
        sources = [properties, *(find(style, f"a:lvl{level + 1}pPr") for style in styles)]
        bullet = next(
            (b for source in sources if source is not None for b in children(source) if b.tag in _BULLETS), None
        )
        for deeper in [deeper for deeper in counts if deeper > level]:
            del counts[deeper]
        label = ""
        if bullet is not None and bullet.tag == qn("a:buAutoNum"):
            counts[level] = counts.get(level, integer(bullet.get("startAt"), 1) - 1) + 1
            label = _number(counts[level], bullet.get("type", ""))
        else:
            counts.pop(level, None)
            label = "" if bullet is None or bullet.tag == qn("a:buNone") else "-"
        lines.append(f"{'  ' * level}{label} {text}" if label else text)
    return "\n".join(lines)


def _number(number: int, type: str) -> str:
    format = next((format for prefix, format in _NUMBERS.items() if type.startswith(prefix)), "decimal")
    before, after = next((around for suffix, around in _AROUND.items() if type.endswith(suffix)), ("", ""))
    return f"{before}{format_number(number, format)}{after}"
