"""Blocks that Markdown has in practice and CommonMark has not: footnotes, admonitions, tabs and containers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

_FOOTNOTE = re.compile(r"\[\^([^\]\s]+)\]:[ \t]*")
_CONTAINER = re.compile(r":{3,}[ \t]*(.*)")
# `!!! note "Title"`, a fold-out `??? note`, and `=== "Tab"`.
_ADMONITION = re.compile(r"(?:!!!|\?\?\?\+?|===[!+]?(?=[ \t]+[\"']))[ \t]+(.+)")
_QUOTED = re.compile(r"[\"'](.*)[\"']")
_MARKUP_OF_CONTAINER = re.compile(r"[\[\]{}]|\b\w+=(?=\")|[\"#]|(?<!\w)\.(?=\w)")
_INDENT = 4
_MAX_DEPTH = 20


def add_rules(parser: MarkdownIt) -> None:
    """Add the blocks to a parser."""
    parser.block.ruler.before(
        "table", "extension", _extension, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _extension(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Parse the block that begins at a line, if it is one of these; its first character decides, for speed."""
    position = state.bMarks[first] + state.tShift[first]
    rule = _RULES.get(state.src[position : position + 1])
    return rule is not None and not state.is_code_block(first) and rule(state, first, last, silent)


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _footnote(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    match = _FOOTNOTE.match(_line(state, first))
    if not match or _is_too_deep(state):
        return False
    if not silent:
        lines = list(_continued(state, first + 1, last, is_lazy=True))
        # The escaped bracket keeps the mark from being read as a footnote again.
        text = "\n".join([f"\\[^{match[1]}]: {_line(state, first)[match.end() :]}", *lines])
        _parse_inside(state, text)
        state.line = first + 1 + len(lines)
    return True


def _container(state: StateBlock, first: int, _: int, silent: bool) -> bool:
    match = _CONTAINER.match(_line(state, first))
    if not match:
        return False
    if not silent:
        state.line = first + 1
        _add_paragraph(state, " ".join(_MARKUP_OF_CONTAINER.sub(" ", match[1]).split()), first)
    return True


def _admonition(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    match = _ADMONITION.match(_line(state, first))
    if not match or _is_too_deep(state):
        return False
    if not silent:
        title = _QUOTED.search(match[1])
        _add_paragraph(state, title[1] if title else match[1].strip().capitalize(), first)
        lines = list(_continued(state, first + 1, last, is_lazy=False))
        _parse_inside(state, "\n".join(lines))
        state.line = first + 1 + len(lines)
    return True


def _continued(state: StateBlock, first: int, last: int, *, is_lazy: bool) -> Iterator[str]:
    """Yield the lines that belong to a block, without its indent: indented ones, and blank ones before these.

    Args:
        state: the parser's state.
        first: the line after the first of the block.
        last: the line after the last that can belong to it.
        is_lazy: whether lines without indent continue the block's first paragraph.
    """
    blank = 0
    for number in range(first, last):
        if state.isEmpty(number):
            blank += 1
            continue
        indent = state.sCount[number] - state.blkIndent
        if indent < _INDENT and (not is_lazy or blank or _FOOTNOTE.match(_line(state, number))):
            return
        is_lazy = is_lazy and not blank
        yield from [""] * blank
        blank = 0
        yield " " * max(0, indent - _INDENT) + _line(state, number)


def _is_too_deep(state: StateBlock) -> bool:
    return bool(state.env.get("depth", 0) >= _MAX_DEPTH)


def _parse_inside(state: StateBlock, text: str) -> None:
    state.env["depth"] = state.env.get("depth", 0) + 1
    state.md.block.parse(text, state.md, state.env, state.tokens)
    state.env["depth"] -= 1


def _add_paragraph(state: StateBlock, text: str, line: int) -> None:
    if not text:
        return
    state.push("paragraph_open", "p", 1)
    token = state.push("inline", "", 0)
    token.content, token.children, token.map = text, [], [line, line + 1]
    state.push("paragraph_close", "p", -1)


_RULES: dict[str, Callable[[StateBlock, int, int, bool], bool]] = {
    "[": _footnote,
    ":": _container,
    **dict.fromkeys("!?=", _admonition),
}
