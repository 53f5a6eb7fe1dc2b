"""What every format is turned into: text, and where its pages and sections begin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from qa.types import Mark, Meta
from qa.validation import MAX_META_VALUE

CELLS_BETWEEN = " | "
_BETWEEN = "\n\n"
_UNFIT = re.compile(r"[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """The text of one document of a file; `title` and `id` are None where the file does not tell.

    `row` is that of a table, the first is 1; None for a file that is one document.
    """

    text: str
    title: str | None = None
    meta: Meta = field(default_factory=dict)
    marks: Sequence[Mark] = ()
    boxes: bytes = b""
    id: str | None = None
    row: int | None = None


class TextBuilder:
    """Puts blocks of text one under the other, and remembers where pages and sections begin."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._marks: list[Mark] = []
        self._page: int | None = None
        self._section: str | None = None

    def block(self, text: str, between: str = _BETWEEN) -> None:
        """Add a paragraph, a list or a table; blank ones leave no trace."""
        text = text.strip()
        if not text:
            return
        added = between + text if self._parts else text
        mark = Mark(self._length + len(added) - len(text), self._page, self._section)
        if replace(mark, start=0) != (replace(self._marks[-1], start=0) if self._marks else Mark(0)):
            self._marks.append(mark)
        self._parts.append(added)
        self._length += len(added)

    def heading(self, text: str) -> None:
        """Add a heading: what follows is its section, and so is itself."""
        text = " ".join(text.split())
        if text:
            self._section = text
            self.block(text)

    def section(self, title: str) -> None:
        """Let a section begin whose heading stands in the text anyhow."""
        self._section = title

    def page(self, number: int) -> None:
        """Let a page begin."""
        self._page = number

    def made(self, title: str | None = None, meta: Meta | None = None) -> ExtractedText:
        """Return all of it."""
        title = _UNFIT.sub("", title or "").strip()
        return ExtractedText("".join(self._parts), title or None, meta or {}, tuple(self._marks))


def properties(**values: str | datetime | None) -> Meta:
    """Return what a file tells of itself as metadata: what is there, dates in ISO form, and no more than fits."""
    told = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    # Whoever wrote them was not asked: what cannot be kept is no reason to refuse the text.
    clean = {name: _UNFIT.sub("", value).strip()[:MAX_META_VALUE] for name, value in told.items() if value}
    return {name: value for name, value in clean.items() if value}


def as_rows(rows: Sequence[Sequence[str]]) -> str:
    """Return a table as text: a line for each row, cells with a bar between them."""
    return "\n".join(
        CELLS_BETWEEN.join(" ".join(cell.split()) for cell in row) for row in rows if any(map(str.strip, row))
    )
