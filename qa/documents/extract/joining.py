"""Join the texts of a file's parts, such as the chapters of a book, into the text of one document (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from qa.documents.extract.text_builder import ExtractedText
from qa.types import Mark, Table, Unread

_SEPARATOR = "\n\n"


def join_texts(parts: Iterable[ExtractedText], *, carry_section: bool = False) -> ExtractedText:
    """Return one text of all parts in order, with their marks, tables and what could not be read.

    Args:
        parts: the texts; blank ones only add what could not be read.
        carry_section: whether a section extends into the next part until that part begins another.
    """
    texts: list[str] = []
    marks: list[Mark] = []
    tables: list[Table] = []
    unread: list[Unread] = []
    start, section = 0, None
    for part in parts:
        unread += part.unread
        if not part.text.strip():
            continue
        tables += [replace(table, start=table.start + start) for table in part.tables]
        for mark in _marks_from_start(part.marks):
            section = mark.section or (section if carry_section else None)
            marks.append(replace(mark, start=mark.start + start, section=section))
        texts.append(part.text)
        start += len(part.text) + len(_SEPARATOR)
    return ExtractedText(
        _SEPARATOR.join(texts), marks=_without_repeats(marks), tables=tuple(tables), unread=tuple(unread)
    )


def _marks_from_start(marks: Sequence[Mark]) -> Sequence[Mark]:
    """Return marks of which the first is at the start of the text."""
    return marks if marks and marks[0].start == 0 else (Mark(0), *marks)


def _without_repeats(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return the marks that change something."""
    previous, kept = Mark(0), list[Mark]()
    for mark in marks:
        if replace(mark, start=0) != previous:
            kept.append(mark)
            previous = replace(mark, start=0)
    return tuple(kept)
