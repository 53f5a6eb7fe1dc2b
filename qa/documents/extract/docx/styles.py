"""Styles of a Word document: which paragraphs are headings, numbered, hidden or raised, directly or through styles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from qa.documents.extract.office.styled_text import PLAIN, TextStyle
from qa.documents.extract.office.xml_tree import Element, attribute, find, find_all, integer

_HEADING = re.compile(r"(?:heading|title)(?: ?\d)?", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:toc|index|table of (?:figures|authorities))(?: ?(?:\d|heading))?", re.IGNORECASE)
_LIST = re.compile(r"list ?(?:bullet|number).*", re.IGNORECASE)
_BODY_LEVEL = 9
_OFF = frozenset({"0", "false", "off", "none"})
_MAX_ANCESTORS = 20


@dataclass(frozen=True, slots=True)
class ListPosition:
    """The list and level of a numbered paragraph.

    Attributes:
        number_id: the list; `0` for a paragraph without a number.
        level: from 0; None if the style's place in the list decides.
        style: the style that sets the list; None if the paragraph itself does.
    """

    number_id: str
    level: int | None
    style: str | None = None


@dataclass(frozen=True, slots=True)
class _Role:
    """What a style makes of a paragraph.

    Attributes:
        level: its outline level, from 0; None if the style sets none.
        position: its list.
    """

    level: int | None
    is_heading: bool
    is_title: bool
    is_contents: bool
    is_list: bool
    position: ListPosition | None


def is_on(element: Element | None) -> bool | None:
    """Return whether an on-off property is set; None if it is missing."""
    return None if element is None else attribute(element, "w:val") not in _OFF


def read_text_style(properties: Element | None) -> TextStyle:
    """Return the settings of a `w:rPr` element."""
    if properties is None:
        return PLAIN
    fonts = find(properties, "w:rFonts")
    return TextStyle(
        is_on(find(properties, "w:vanish")),
        is_on(find(properties, "w:b")),
        attribute(find(properties, "w:vertAlign"), "w:val"),
        attribute(fonts, "w:ascii") or attribute(fonts, "w:hAnsi"),
    )


def read_list_position(properties: Element | None, style: str | None = None) -> ListPosition | None:
    """Return the list of a `w:pPr` element; None if it sets none."""
    number = find(properties, "w:numPr")
    number_id = attribute(find(number, "w:numId"), "w:val")
    level = attribute(find(number, "w:ilvl"), "w:val")
    if number is None or (number_id is None and level is None):
        return None
    return ListPosition(number_id or "", None if level is None else integer(level), style)


class Styles:
    """The styles of a document."""

    def __init__(self, root: Element | None) -> None:
        """Read the styles part; a document without one has only built-in styles."""
        self._styles = {attribute(style, "w:styleId") or "": style for style in find_all(root, "w:style")}
        self._default = next(
            (
                name
                for name, style in self._styles.items()
                if attribute(style, "w:type") == "paragraph" and attribute(style, "w:default") not in (None, *_OFF)
            ),
            None,
        )
        self._text_defaults = read_text_style(find(root, "w:docDefaults/w:rPrDefault/w:rPr"))
        self._text: dict[str, TextStyle] = {}
        self._roles: dict[str | None, _Role] = {}

    def _ancestors(self, style: str | None) -> Iterator[tuple[str, Element]]:
        """Yield a style and those that it is based on, nearest first."""
        for _ in range(_MAX_ANCESTORS):
            element = self._styles.get(style or "")
            if style is None or element is None:
                return
            yield style, element
            style = attribute(find(element, "w:basedOn"), "w:val")

    def _names(self, style: str | None) -> Iterator[str]:
        """Yield the identifiers and names of a style and of those that it is based on."""
        if style and style not in self._styles:
            yield style
        for identifier, element in self._ancestors(style):
            # The name is the same in every language, but other programs than Word translate it.
            yield identifier
            yield attribute(find(element, "w:name"), "w:val") or ""

    def paragraph_style(self, properties: Element | None) -> str | None:
        """Return the identifier of the style of a paragraph with these `w:pPr` properties."""
        return attribute(find(properties, "w:pStyle"), "w:val") or self._default

    def _role(self, style: str | None) -> _Role:
        """Return what a style, or those that it is based on, make of a paragraph."""
        if style not in self._roles:
            ancestors = list(self._ancestors(style))
            names = list(self._names(style))
            levels = (attribute(find(element, "w:pPr/w:outlineLvl"), "w:val") for _, element in ancestors)
            positions = [
                position
                for identifier, element in ancestors
                if (position := read_list_position(find(element, "w:pPr"), identifier))
            ]
            number_id = next((position.number_id for position in positions if position.number_id), "")
            self._roles[style] = _Role(
                level=next((integer(level, _BODY_LEVEL) for level in levels if level is not None), None),
                is_heading=any(map(_HEADING.fullmatch, names)),
                is_title=any(name.casefold() == "title" for name in names),
                is_contents=any(map(_CONTENTS.fullmatch, names)),
                is_list=any(map(_LIST.fullmatch, names)),
                # A style may set only the level in the list of the style that it is based on.
                position=replace(positions[0], number_id=number_id) if number_id else None,
            )
        return self._roles[style]

    def is_heading(self, properties: Element | None) -> bool:
        """Return whether a paragraph is a heading by its outline level or its style's."""
        role = self._role(self.paragraph_style(properties))
        own = attribute(find(properties, "w:outlineLvl"), "w:val")
        level = role.level if own is None else integer(own, _BODY_LEVEL)
        return role.is_title or (role.is_heading if level is None else 0 <= level < _BODY_LEVEL)

    def is_title(self, properties: Element | None) -> bool:
        """Return whether a paragraph has the style of the document's title."""
        return self._role(self.paragraph_style(properties)).is_title

    def is_contents(self, properties: Element | None) -> bool:
        """Return whether a paragraph has a style of tables of contents or indexes."""
        return self._role(self.paragraph_style(properties)).is_contents

    def is_list(self, properties: Element | None) -> bool:
        """Return whether a paragraph has a style that is named as one of a list."""
        return self._role(self.paragraph_style(properties)).is_list

    def list_position(self, properties: Element | None) -> ListPosition | None:
        """Return the list of a paragraph, set directly or by its style; None if there is none."""
        own = read_list_position(properties)
        if own and own.number_id:
            return own
        inherited = self._role(self.paragraph_style(properties)).position
        return replace(inherited, level=own.level) if own and inherited else inherited

    def list_of_style(self, style: str | None) -> str | None:
        """Return the identifier of the list that a numbering style stands for."""
        position = self._role(style).position
        return position.number_id if position else None

    def text_style(self, style: str | None) -> TextStyle:
        """Return how a paragraph or character style shows its text."""
        key = style or ""
        if key not in self._text:
            text_style = PLAIN
            for _, element in self._ancestors(style):
                text_style = text_style.over(read_text_style(find(element, "w:rPr")))
            self._text[key] = text_style
        return self._text[key]

    def run_style(self, properties: Element | None, paragraph: TextStyle) -> TextStyle:
        """Return how a run with these `w:rPr` properties is shown in a paragraph."""
        if properties is None:
            return paragraph
        own = read_text_style(properties)
        style = attribute(find(properties, "w:rStyle"), "w:val")
        return own.over(self.text_style(style).over(paragraph) if style else paragraph)

    def paragraph_text_style(self, properties: Element | None) -> TextStyle:
        """Return how a paragraph shows a run without properties."""
        key = f"paragraph {self.paragraph_style(properties)}"
        if key not in self._text:
            self._text[key] = self.text_style(self.paragraph_style(properties)).over(self._text_defaults)
        return self._text[key]

    def formats_first(self, table_style: str | None, part: str) -> bool:
        """Return whether a table style shows its `firstRow` or `firstCol` in another way."""
        return any(
            attribute(condition, "w:type") == part and len(condition)
            for _, element in self._ancestors(table_style)
            for condition in find_all(element, "w:tblStylePr")
        )
