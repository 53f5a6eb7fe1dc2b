"""The blocks of an HTML page in the order of the text: paragraphs, headings, lists, definitions, tables, listings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.documents.extract.html.code import code_text
from qa.documents.extract.html.inline import (
    clean_text,
    collect_special,
    describe_pictures,
    inline_text,
)
from qa.documents.extract.html.main import Pruned
from qa.documents.extract.html.names import is_label
from qa.documents.extract.html.parsing import Element, raw_text
from qa.documents.extract.html.tables import read_table
from qa.documents.extract.html.tags import BLOCKS, HEADINGS, LISTS, PLAIN, PREFORMATTED
from qa.documents.extract.text_builder import TextBuilder

_LABEL = re.compile(r"\[\^?\w{1,20}\]")
_PARAGRAPH, _LINE = "\n\n", "\n"
_INDENT = "  "
# In characters: a longer heading is a text that was made large.
_MAX_HEADING = 400
_ALTERNATIVE = " / "
_MAX_NUMBER_DIGITS = 9


@dataclass(slots=True)
class _Item:
    """An item of a list; the marker is written before its first text."""

    indent: str
    marker: str


class BlockWriter:
    """Visits elements in the order of the text; joins inline elements and begins a block at every other one."""

    def __init__(self, builder: TextBuilder, pruned: Pruned) -> None:
        self._builder = builder
        self._pruned = pruned
        self._inline: list[str] = []
        # Where the links of the current block are in its inline text, and whether one of them leads elsewhere.
        self._links: list[tuple[int, int]] = []
        self._leads_elsewhere = False
        self._items: list[_Item] = []
        # What parts the next block from the previous one; None for a blank line, or a line end within a list.
        self._separator: str | None = None
        self._contents_depth = 0
        # The mark of a note, which is written before the next block.
        self._label = ""
        self.first_heading: str | None = None
        self.has_text = False

    def add(self, element: Element) -> None:
        """Add the text inside an element, without the text after it."""
        tag = element.tag
        is_contents = element in self._pruned.contents
        if is_contents:
            self._enter_contents()
        if tag in HEADINGS:
            self._add_heading(element)
        elif tag == "table":
            self._add_table(element)
        elif tag in LISTS:
            self._add_list(element)
        elif tag in PREFORMATTED:
            self._end_block()
            self._add_standalone(code_text(element))
        elif tag in BLOCKS or (tag == "button" and _is_standalone(element)) or "-" in tag:
            self._end_block()
            if tag in ("dd", "dt"):
                self._begin_definition(element)
            self._add_children(element)
            self._end_block()
        else:
            self._add_inline(element)
        if is_contents:
            self._leave_contents()

    def write(self, page: Element) -> None:
        """Add the text of a page."""
        self.add(page)
        self._end_block()
        if self._label:
            self._builder.add_block(self._label)

    def _enter_contents(self) -> None:
        self._end_block()
        self._contents_depth += 1
        self._builder.start_kind("contents")

    def _leave_contents(self) -> None:
        self._end_block()
        self._contents_depth -= 1
        if not self._contents_depth:
            self._builder.start_kind("text")

    def _add_children(self, element: Element) -> None:
        if element.text:
            self._add_text(element.text)
        for child in element:
            if child.tag in PLAIN and not len(child):
                if child.text:
                    self._add_text(child.text)
            else:
                self.add(child)
            if child.tail:
                self._add_text(child.tail)

    def _add_text(self, text: str) -> None:
        # Space at the start of a block is not shown.
        if self._inline or not text.isspace():
            self._inline.append(text.replace("\n", " "))

    def _add_inline(self, element: Element) -> None:
        tag = element.tag
        if tag == "br":
            # Within the line of an item, a line end would look like the end of the item.
            self._inline.append(" " if self._items else _LINE)
        elif tag == "a":
            self._add_link(element)
        elif element in self._pruned.switches:
            for child in element:
                if child.getprevious() is not None:
                    self._inline.append(_ALTERNATIVE)
                self.add(child)
        elif not collect_special(element, self._inline):
            self._add_children(element)

    def _add_link(self, link: Element) -> None:
        previous = link.getprevious()
        if previous is not None and previous.tag == "a" and not previous.tail:
            self._inline.append(" ")
        self._leads_elsewhere |= link in self._pruned.navigation
        start = len(self._inline)
        self._add_children(link)
        if not "".join(self._inline[start:]).strip() and (pictured := describe_pictures(link)):
            self._inline.append(pictured)
        self._links.append((start, len(self._inline)))

    def _add_heading(self, element: Element) -> None:
        self._end_block()
        text = inline_text(element)
        if len(text) > _MAX_HEADING:
            self._add_children(element)
            self._end_block()
            return
        if text:
            if self.first_heading is None and element.tag == "h1":
                self.first_heading = text
            self._builder.start_section(text)
            self._emit(text)

    def _add_table(self, element: Element) -> None:
        self._end_block()
        table = read_table(element)
        if table is None:
            self._add_children(element)
            self._end_block()
            return
        for caption in element.iterchildren("caption"):
            self._emit(inline_text(caption))
        self._builder.add_table(table.rows, header_rows=table.header_rows, labelled=table.labelled)
        self._separator = _PARAGRAPH
        self.has_text = True

    def _add_list(self, element: Element) -> None:
        self._end_block()
        indent = self._items[-1].indent + _INDENT if self._items else ""
        is_ordered = element.tag == "ol"
        number = _parse_number(element.get("start"), 1)
        step = -1 if element.get("reversed") is not None else 1
        if not self._items:
            self._separator = self._separator or _PARAGRAPH
        self._add_loose(element.text)
        for child in element:
            if child.tag in LISTS:
                # A list that is not in an item belongs to the item before.
                self._items.append(_Item(indent, ""))
                self.add(child)
                self._items.pop()
            else:
                number = _parse_number(child.get("value"), number)
                self._items.append(_Item(indent, f"{number}. " if is_ordered else "- "))
                self.add(child)
                self._end_block()
                self._items.pop()
                number += step * (child.tag == "li")
            self._add_loose(child.tail)
        if not self._items:
            self._separator = _PARAGRAPH

    def _add_loose(self, text: str | None) -> None:
        """Add text between the items of a list."""
        if text and text.strip():
            self._add_text(text)
            self._end_block()

    def _begin_definition(self, element: Element) -> None:
        """Put a definition on the line after its term, and terms of one definition on consecutive lines."""
        previous = element.getprevious()
        if previous is not None and previous.tag == "dt" and raw_text(previous).strip():
            self._separator = _LINE + (self._items[-1].indent + _INDENT if self._items else "")

    def _end_block(self) -> None:
        """Add the inline text collected so far as a block."""
        if not self._inline:
            return
        if not (self._leads_elsewhere and is_label(self._text_outside_links())):
            lines = [" ".join(line.split()) for line in "".join(self._inline).split(_LINE)]
            self._emit(clean_text(_LINE.join(lines)).strip(_LINE))
        self._inline, self._links, self._leads_elsewhere = [], [], False

    def _text_outside_links(self) -> str:
        edges = [0, *(edge for link in self._links for edge in link), len(self._inline)]
        return "".join(
            piece for start, end in zip(edges[::2], edges[1::2], strict=True) for piece in self._inline[start:end]
        )

    def _emit(self, text: str) -> None:
        if not text:
            return
        if self._label:
            text, self._label = f"{self._label} {text}", ""
        elif _LABEL.fullmatch(text):
            self._label = text
            return
        self.has_text = True
        separator = self._separator
        if self._items:
            item = self._items[-1]
            if separator is None:
                separator = _LINE + item.indent + ("" if item.marker else _INDENT)
            text = item.marker + text
            item.marker = ""
        self._builder.add_block(text, _PARAGRAPH if separator is None else separator)
        self._separator = None

    def _add_standalone(self, text: str) -> None:
        """Add a listing, which is apart from the blocks around it also within a list."""
        if text.strip():
            self._separator = _PARAGRAPH
            self._emit(text)
            self._separator = _PARAGRAPH


def _is_standalone(button: Element) -> bool:
    """Return whether a button is not a part of a sentence."""
    previous = button.getprevious()
    before = button.getparent().text if previous is None else previous.tail
    return not (before or "").strip() and not (button.tail or "").strip()


def _parse_number(value: str | None, default: int) -> int:
    digits = (value or "").strip().lstrip("-")
    return int(value or "") if digits.isdecimal() and len(digits) <= _MAX_NUMBER_DIGITS else default
