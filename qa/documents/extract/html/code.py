"""Listings in HTML, with their line ends."""

from __future__ import annotations

import re

from qa.documents.extract.html.inline import clean_text, collect_special
from qa.documents.extract.html.parsing import Element, raw_text
from qa.documents.extract.html.tags import BLOCKS

_SPECIAL = ("br", "math", "sub", "sup", *(BLOCKS - {"pre"}))
_LINE_CLASS = re.compile(r"(?:^|[\s_-])(?:code-?|token-?)?line(?:$|\s)", re.IGNORECASE)


def code_text(element: Element) -> str:
    """Return the text of a listing, one line for each line that a browser shows."""
    pieces: list[str] = []
    if next(element.iter(*_SPECIAL), None) is None:
        pieces = [raw_text(element)]
    else:
        _collect(element, pieces)
    text = "".join(pieces).replace("\r\n", "\n").replace("\xa0", " ")
    if "\n" not in text.strip():
        lines = _lines(element)
        text = "\n".join("".join(line.itertext()) for line in lines) if len(lines) > 1 else text
    return clean_text("\n".join(line.rstrip() for line in text.split("\n"))).strip("\n")


def _lines(element: Element) -> list[Element]:
    """Return the elements that a style sheet shows as the lines of a listing."""
    inner = element[0] if len(element) == 1 else element
    if all(child.tag == "code" for child in inner):
        return list(inner)
    return [child for child in inner.iterdescendants("span", "code") if _LINE_CLASS.search(child.get("class") or "")]


def _collect(element: Element, pieces: list[str]) -> None:
    if element.text:
        pieces.append(element.text)
    for child in element:
        if child.tag == "br":
            pieces.append("\n")
        elif child.tag in ("math", "sub", "sup"):
            collect_special(child, pieces)
        else:
            is_block = child.tag in BLOCKS
            if is_block:
                _end_line(pieces)
            _collect(child, pieces)
            if is_block:
                _end_line(pieces)
        if child.tail:
            pieces.append(child.tail)


def _end_line(pieces: list[str]) -> None:
    """Begin a line, unless one was just begun."""
    if pieces and not pieces[-1].endswith("\n"):
        pieces.append("\n")
