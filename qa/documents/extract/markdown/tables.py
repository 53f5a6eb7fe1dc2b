"""Tables of GitHub's Markdown, with one token for each row.

markdown-it makes three tokens for each cell, which takes most of the time of a text with tables.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import table as is_table
from markdown_it.token import Token

# A bar after a backslash is part of a cell, also after two of them.
_BAR = re.compile(r"(?<!\\)\|")
# What CommonMark trims; Python also trims control characters.
_WHITE_SPACE = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
# Empty cells that complete short rows: a few lines expand to more text than fits into memory.
_MAX_COMPLETED = 65_536


def add_table_rule(parser: MarkdownIt) -> None:
    """Replace the rule for tables; the tokens of rows are of the type `row`, with their cells in `meta`."""
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})


def _table(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    if not is_table(state, first, last, True):
        return False
    if silent:
        return True
    parent, state.parentType = state.parentType, "table"
    header = _split_row(_line(state, first))
    state.push("table_open", "table", 1)
    state.push("thead_open", "thead", 1)
    _add_row(state, "th", header)
    state.push("thead_close", "thead", -1)
    rows = _read_rows(state, first + 2, last, len(header))
    if rows:
        state.push("tbody_open", "tbody", 1)
        for row in rows:
            _add_row(state, "td", row)
        state.push("tbody_close", "tbody", -1)
    state.push("table_close", "table", -1)
    state.parentType, state.line = parent, first + 2 + len(rows)
    return True


def _read_rows(state: StateBlock, first: int, last: int, columns: int) -> list[list[str]]:
    """Return the rows below the header, each with as many cells as it."""
    rows: list[list[str]] = []
    completed = 0
    ends = state.md.block.ruler.getRules("blockquote")
    for number in range(first, last):
        if state.sCount[number] < state.blkIndent:
            break
        line = _line(state, number)
        # No other block begins with a bar.
        if not line.startswith("|") and any(rule(state, number, last, True) for rule in ends):
            break
        if not line or state.is_code_block(number):
            break
        cells = _split_row(line)
        completed += columns - len(cells)
        if completed > _MAX_COMPLETED:
            break
        rows.append(cells[:columns] + [""] * (columns - len(cells)))
    return rows


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip(_WHITE_SPACE)


def _split_row(line: str) -> list[str]:
    cells = [cell.replace("\\|", "|") for cell in _BAR.split(line)] if "\\|" in line else line.split("|")
    if cells[0] == "":
        del cells[0]
    if cells and cells[-1] == "":
        del cells[-1]
    return [cell.strip(_WHITE_SPACE) for cell in cells]


def _add_row(state: StateBlock, tag: str, cells: list[str]) -> None:
    state.tokens.append(Token("row", tag, 0, meta={"cells": cells}))
