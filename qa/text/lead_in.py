"""The lines above a place in a text without which it is not understood (pure).

A passage may begin inside a table, a list or an entry of a manual. The names of the columns, the sentence that
introduces the list, or the name of the entry are then in the previous passage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.text.columns import find_header, iter_lines
from qa.text.structure import is_item
from qa.text.tables import CELL_SEPARATOR
from qa.types import Span, Table

# Characters to look at before and after a place, and to keep of a line.
_CONTEXT, _MAX_LINE = 20_000, 160
_BLANK = re.compile(r"\n[ \t\r]*\n")


def find_lead_in(text: str, start: int, tables: Sequence[Table] = ()) -> str:
    """Return what the reader sees before the passage that begins at `start`.

    Args:
        text: the whole text.
        start: offset where a passage begins.
        tables: the rows of tables that the passage touches.

    Returns:
        The header lines of the table, the introduction of the list or the name of the entry, each with its line end;
        then the indentation of the passage's first line. Empty if there is nothing of it.
    """
    if tables and tables[0].start <= start:
        header = tables[0].header if not tables[0].header_rows else ()
        return f"{CELL_SEPARATOR.join(header)}\n" if header else ""
    line_start = text.rfind("\n", 0, start) + 1
    indentation = text[line_start:start]
    if indentation.strip():
        return ""
    first_line = text[line_start : line_start + _CONTEXT].split("\n", 1)[0]
    above = list(iter_lines(text, Span(max(0, line_start - _CONTEXT), line_start)))
    lines = _find_header(text, above, line_start) or _find_introduction(text, above, first_line)
    return f"{lines}\n{indentation}" if lines else indentation


def _find_header(text: str, above: Sequence[Span], start: int) -> str:
    """Return the header lines of a table of aligned columns that `start` continues."""
    paragraph: list[Span] = []
    for line in reversed(above):
        if not line.of(text).strip():
            break
        paragraph.insert(0, line)
    if not paragraph:
        return ""
    end = _BLANK.search(text, start, start + _CONTEXT)
    rest = Span(start, end.start() if end else min(len(text), start + _CONTEXT))
    below = [line for line in iter_lines(text, rest) if line.of(text).strip()]
    header = find_header(text, [*paragraph, *below])
    return "\n".join(line.of(text) for line in header if line.end <= start)


def _find_introduction(text: str, above: Sequence[Span], first_line: str) -> str:
    """Return the line above with less indentation, or the one that introduces the list of the first line."""
    indent = len(first_line) - len(first_line.lstrip())
    continues_list = is_item(first_line)
    if not indent and not continues_list:
        return ""
    for line in reversed(above):
        content = line.of(text)
        if not content.strip():
            continue
        line_indent = len(content) - len(content.lstrip())
        if line_indent < indent or (continues_list and line_indent == indent and not is_item(content)):
            ends_open = content.rstrip().endswith(":")
            return content.rstrip()[:_MAX_LINE] if ends_open or line_indent < indent else ""
    return ""
