"""The common result of extraction: text, with marks where its pages and sections begin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from qa.types import Mark, Meta
from qa.validation import MAX_META_VALUE

CELL_SEPARATOR = " | "
_BLOCK_SEPARATOR = "\n\n"
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """The text of one document of a file; `title` and `id` are None where the file has none.

    `row` is the row of a table, counted from 1; None for a file that is one document.
    """

    text: str
    title: str | None = None
    meta: Meta = field(default_factory=dict)
    marks: Sequence[Mark] = ()
    boxes: bytes = b""
    id: str | None = None
    row: int | None = None


class TextBuilder:
    """Joins blocks of text and records where pages and sections begin."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._marks: list[Mark] = []
        self._page: int | None = None
        self._section: str | None = None

    def add_block(self, text: str, separator: str = _BLOCK_SEPARATOR) -> None:
        """Add a paragraph, a list or a table, after a separator; skip a blank one."""
        text = text.strip()
        if not text:
            return
        part = separator + text if self._parts else text
        mark = Mark(self._length + len(part) - len(text), self._page, self._section)
        if replace(mark, start=0) != (replace(self._marks[-1], start=0) if self._marks else Mark(0)):
            self._marks.append(mark)
        self._parts.append(part)
        self._length += len(part)

    def add_heading(self, text: str) -> None:
        """Add a heading; it begins the section that follows and is part of it."""
        text = " ".join(text.split())
        if text:
            self._section = text
            self.add_block(text)

    def start_section(self, title: str) -> None:
        """Begin a section without adding its title to the text."""
        self._section = title

    def start_page(self, number: int) -> None:
        """Begin a page."""
        self._page = number

    def build(self, title: str | None = None, meta: Meta | None = None) -> ExtractedText:
        """Return the text of all blocks with its marks."""
        title = _UNSTORABLE.sub("", title or "").strip()
        return ExtractedText("".join(self._parts), title or None, meta or {}, tuple(self._marks))


def clean_properties(**values: str | datetime | None) -> Meta:
    """Return a file's properties as metadata: dates in ISO form, empty values dropped, long values cut.

    Characters that cannot be stored are dropped too: a fault in the properties is no reason to reject the text.
    """
    texts = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    clean = {name: _UNSTORABLE.sub("", text).strip()[:MAX_META_VALUE] for name, text in texts.items() if text}
    return {name: text for name, text in clean.items() if text}


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table as text: one line for each row, with a bar between cells."""
    return "\n".join(
        CELL_SEPARATOR.join(" ".join(cell.split()) for cell in row) for row in rows if any(map(str.strip, row))
    )
