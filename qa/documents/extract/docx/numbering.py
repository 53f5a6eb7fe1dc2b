"""Automatic numbers of a Word document, which Word computes and shows but does not store as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from qa.documents.extract.docx.styles import ListPosition, is_on
from qa.documents.extract.office.block_writer import BULLET
from qa.documents.extract.office.number_formats import format_number
from qa.documents.extract.office.xml_tree import Element, attribute, find, find_all, integer

_LEVELS = 9
_PLACEHOLDER = re.compile(r"%([1-9])")


@dataclass(frozen=True, slots=True)
class _Level:
    """How one level of a list is numbered.

    Attributes:
        restart_after: the level (from 1) whose next number restarts this one; 0 never; None any higher level.
    """

    start: int = 1
    format: str = "decimal"
    text: str = ""
    style: str | None = None
    restart_after: int | None = None
    is_legal: bool = False


@dataclass(frozen=True, slots=True)
class _List:
    """A list: the abstract list whose count it continues, its levels, and the starts that it overrides."""

    abstract_id: str
    levels: dict[int, _Level]
    starts: dict[int, int]


class Numbering:
    """Counts the numbered paragraphs of a document in their order."""

    def __init__(self, root: Element | None, list_of_style: Callable[[str | None], str | None]) -> None:
        """Read the numbering part.

        Args:
            root: the part; None if the document has none.
            list_of_style: returns the identifier of the list that a numbering style stands for.
        """
        self._abstract = {attribute(e, "w:abstractNumId") or "": e for e in find_all(root, "w:abstractNum")}
        self._numbers = {attribute(e, "w:numId") or "": e for e in find_all(root, "w:num")}
        self._list_of_style = list_of_style
        self._lists: dict[str, _List | None] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._started: set[tuple[str, int]] = set()

    def next_label(self, position: ListPosition | None) -> tuple[str, int] | None:
        """Count a paragraph and return its label, such as `2.1` or a bullet, and its level; None if it has none."""
        number = self._list(position.number_id) if position else None
        if position is None or number is None:
            return None
        level_number = self._level_number(position, number)
        level = number.levels.get(level_number)
        if level is None:
            return None
        self._count(position.number_id, number, level_number)
        return self._label(number, level), level_number

    @staticmethod
    def _level_number(position: ListPosition, number: _List) -> int:
        # A style's place in the list outweighs the level that the style sets.
        linked = (n for n, level in number.levels.items() if position.style and level.style == position.style)
        return min(max(next(linked, position.level or 0), 0), _LEVELS - 1)

    def _count(self, number_id: str, number: _List, level: int) -> None:
        counts = self._counts.setdefault(number.abstract_id, {})
        for higher in range(level):
            # A level that was skipped counts as used.
            counts.setdefault(higher, number.levels.get(higher, _Level()).start)
        if level in number.starts and (number_id, level) not in self._started:
            counts[level] = number.starts[level]
        elif level in counts:
            counts[level] += 1
        else:
            counts[level] = number.levels[level].start
        self._started.add((number_id, level))
        for deeper in [deeper for deeper in counts if deeper > level]:
            restart_after = number.levels.get(deeper, _Level()).restart_after
            if restart_after is None or 0 < level + 1 <= restart_after:
                del counts[deeper]

    def _label(self, number: _List, level: _Level) -> str:
        if level.format == "bullet":
            return BULLET if level.text.strip() else ""
        counts = self._counts[number.abstract_id]

        def replace_placeholder(match: re.Match[str]) -> str:
            place = int(match[1]) - 1
            shown = number.levels.get(place, _Level())
            value = counts.get(place, shown.start)
            is_decimal = level.is_legal and shown.format != "none"
            return str(value) if is_decimal else format_number(value, shown.format)

        return " ".join(_PLACEHOLDER.sub(replace_placeholder, level.text).split())

    def _list(self, number_id: str) -> _List | None:
        if number_id not in self._lists:
            self._lists[number_id] = self._read_list(number_id)
        return self._lists[number_id]

    def _read_list(self, number_id: str) -> _List | None:
        element = self._numbers.get(number_id)
        abstract_id = attribute(find(element, "w:abstractNumId"), "w:val") or ""
        abstract = self._abstract.get(abstract_id)
        if element is None or abstract is None:
            return None
        linked = attribute(find(abstract, "w:numStyleLink"), "w:val")
        if linked and not find_all(abstract, "w:lvl"):
            # The levels are those of the list that the numbering style sets.
            target = self._numbers.get(self._list_of_style(linked) or "")
            target_id = attribute(find(target, "w:abstractNumId"), "w:val") or ""
            abstract_id, abstract = target_id, self._abstract.get(target_id)
        levels = {integer(attribute(e, "w:ilvl")): _read_level(e) for e in find_all(abstract, "w:lvl")}
        starts: dict[int, int] = {}
        for override in find_all(element, "w:lvlOverride"):
            level = integer(attribute(override, "w:ilvl"))
            own = find(override, "w:lvl")
            if own is not None:
                levels[level] = _read_level(own)
            start = attribute(find(override, "w:startOverride"), "w:val")
            if start is not None:
                starts[level] = integer(start)
                levels[level] = replace(levels.get(level, _Level()), start=starts[level])
        return _List(abstract_id, levels, starts)


def _read_level(element: Element) -> _Level:
    format = find(element, "w:numFmt")
    if format is None:
        # A custom format has a fallback for older programs.
        format = find(element, "mc:AlternateContent/mc:Fallback/w:numFmt")
    restart = attribute(find(element, "w:lvlRestart"), "w:val")
    return _Level(
        integer(attribute(find(element, "w:start"), "w:val")),
        attribute(format, "w:val") or "decimal",
        attribute(find(element, "w:lvlText"), "w:val") or "",
        attribute(find(element, "w:pStyle"), "w:val"),
        None if restart is None else integer(restart),
        bool(is_on(find(element, "w:isLgl"))),
    )
