"""The text of HTML elements on one line, as a reader sees it: superscripts, formulas, pictures of words."""

from __future__ import annotations

import re
from collections.abc import Callable

from qa.documents.extract.html.parsing import Element
from qa.documents.extract.html.tags import BLOCKS, CONTROLS, PLAIN
from qa.documents.extract.office.equations import read_mathml
from qa.documents.extract.scripts import superscript

_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]|(?<=[!-~])[\u200c\u200d](?=[!-~])")
# Browsers read these control characters as Windows-1252.
_CONTROL = re.compile("[\x80-\x9f]")
_ATOM = re.compile(r"[+\-−–]?\w+|[+\-−–*†‡′″]+")
_NUMBER = re.compile(r"\d+")
_FORMULA_CLASS = re.compile(r"math|tex|formula|equation|emoji|smil(?:ey|ie)", re.IGNORECASE)


def inline_text(element: Element) -> str:
    """Return the text inside an element on one line; of an element without text, that of its pictures."""
    if not len(element):
        return clean_text(" ".join((element.text or "").split()))
    pieces: list[str] = []
    collect(element, pieces)
    return clean_text(" ".join("".join(pieces).split())) or describe_pictures(element)


def clean_text(text: str) -> str:
    """Return a text without soft hyphens and other characters of no width."""
    if text.isascii():
        return text
    return _CONTROL.sub(lambda match: match[0].encode("latin-1").decode("cp1252", "ignore"), _INVISIBLE.sub("", text))


def describe_pictures(element: Element) -> str:
    """Return the texts that stand for the pictures inside an element."""
    texts = (picture.get("alt") or "" for picture in element.iter("img", "area"))
    return clean_text(" ".join(" ".join(texts).split()))


def collect(element: Element, pieces: list[str]) -> None:
    """Append the text inside an element to `pieces`, on one line."""
    if element.text:
        pieces.append(element.text)
    for child in element:
        tag = child.tag
        if tag in PLAIN and not len(child):
            if child.text:
                pieces.append(child.text)
        elif not collect_special(child, pieces):
            is_apart = tag in BLOCKS or tag == "br"
            if tag == "li" and child.getprevious() is not None:
                _strip_end(pieces)
                # The items of a list in one line are parted by semicolons.
                pieces.append("; ")
            elif is_apart:
                pieces.append(" ")
            collect(child, pieces)
            if is_apart:
                pieces.append(" ")
        if child.tail:
            pieces.append(child.tail)


def _strip_end(pieces: list[str]) -> None:
    while pieces and not pieces[-1].strip():
        pieces.pop()
    if pieces:
        pieces[-1] = pieces[-1].rstrip()


def collect_special(element: Element, pieces: list[str]) -> bool:
    """Append the text of an element that is not simply the text inside it; return whether it is such an element."""
    reader = _READERS.get(element.tag)
    if reader is None:
        return False
    reader(element, pieces)
    return True


def _collect_link(link: Element, pieces: list[str]) -> None:
    previous = link.getprevious()
    if previous is not None and previous.tag == "a" and not previous.tail:
        pieces.append(" ")
    start = len(pieces)
    collect(link, pieces)
    if not "".join(pieces[start:]).strip():
        pieces.append(describe_pictures(link))


def _collect_superscript(element: Element, pieces: list[str]) -> None:
    pieces.append(format_superscript(_last_character(pieces), inline_text(element), is_link=_is_reference(element)))


def _collect_subscript(element: Element, pieces: list[str]) -> None:
    pieces.append(format_subscript(_last_character(pieces), inline_text(element)))


def _is_reference(element: Element) -> bool:
    """Return whether a superscript refers to a note."""
    parent = element.getparent()
    return element.find(".//a") is not None or (parent is not None and parent.tag == "a")


def _last_character(pieces: list[str]) -> str:
    while pieces and not pieces[-1]:
        pieces.pop()
    return pieces[-1][-1] if pieces else ""


def format_superscript(before: str, text: str, *, is_link: bool = False) -> str:
    """Return a superscript as it is written on one line: `^6` for an exponent, `[1]` for a reference to a note.

    Args:
        before: the character before it.
        text: the superscript.
        is_link: whether it links to a note.
    """
    # The mark of a note may be at the start of its text.
    at_start = bool(text) and not is_link and not before.strip()
    return f"{text} " if at_start else superscript(before, text, is_link=is_link)


def format_subscript(before: str, text: str) -> str:
    """Return a subscript as it is written on one line: `H2O`, `x_i`."""
    if not text or not before.strip():
        return text
    if _NUMBER.fullmatch(text) and not before.isdigit():
        return text
    return f"_{text}" if _ATOM.fullmatch(text) else f"_({text})"


def _collect_formula(element: Element, pieces: list[str]) -> None:
    source = element.get("alttext") or "".join(
        annotation.text or ""
        for annotation in element.iter("annotation")
        if "tex" in (annotation.get("encoding") or "")
    )
    pieces.append(source.strip() or read_mathml(element))


def _collect_picture(element: Element, pieces: list[str]) -> None:
    """Append the text of a picture that is a formula or a letter of a line."""
    if _FORMULA_CLASS.search(element.get("class") or ""):
        pieces.append(element.get("alt") or "")


def _collect_drawing(element: Element, pieces: list[str]) -> None:
    pieces += [f" {''.join(text.itertext())} " for text in element.iter("text")]


def _collect_reading(element: Element, pieces: list[str]) -> None:
    """Append the reading above a word in brackets."""
    pieces.append(f"({inline_text(element)})" if len(element) or element.text else "")


def _collect_quotation(element: Element, pieces: list[str]) -> None:
    pieces.append("“")
    collect(element, pieces)
    pieces.append("”")


_READERS: dict[str, Callable[[Element, list[str]], None]] = {
    "a": _collect_link,
    "img": _collect_picture,
    "math": _collect_formula,
    "q": _collect_quotation,
    "rt": _collect_reading,
    "sub": _collect_subscript,
    "sup": _collect_superscript,
    "svg": _collect_drawing,
    **dict.fromkeys(CONTROLS, lambda _, pieces: pieces.append(" ")),
}
