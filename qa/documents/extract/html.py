"""HTML: the main text of a page, with its headings as sections.

What is around the text is told by the elements and roles that HTML has for it. Nothing is guessed, so that no text is
lost that a page does not set apart itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lxml import etree, html

from qa.documents.extract.plain_text import decoded
from qa.documents.extract.text_builder import ExtractedText, TextBuilder, as_rows
from qa.errors import InvalidInput

_LEFT_OUT = frozenset(
    {"audio", "button", "canvas", "datalist", "dialog", "embed", "head", "iframe", "input", "math", "menu", "nav"}
    | {"noscript", "object", "script", "select", "style", "svg", "template", "textarea", "title", "video"}
)
_AROUND = frozenset({"aside", "footer", "header"})
_ROLES_LEFT_OUT = frozenset(
    {"alert", "banner", "complementary", "contentinfo", "dialog", "menu", "menubar", "navigation", "search"}
)
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt"}
    | {"fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "li", "main", "ol", "p", "section"}
    | {"summary", "table", "td", "th", "tr", "ul"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_DECLARED = re.compile(rb"<meta[^>]+charset\s*=", re.IGNORECASE)


def extract_html(data: bytes, name: str) -> ExtractedText:
    """Extract a page's text: of its one `main` or `article`, if it has such, else of all that is not set apart.

    Raises:
        UnsupportedFormat: it is not text.
        InvalidInput: it is in no encoding that is known, or elements are nested so deeply that text would be lost.
    """
    page = _parsed(data, name)
    builder = TextBuilder()
    if page is None:
        return builder.made()
    walk = _Walk(builder)
    walk.into(_main(page))
    walk.end_block()
    return builder.made(" ".join((page.findtext(".//title") or "").split()))


def _parsed(data: bytes, name: str) -> html.HtmlElement | None:
    """Parse in the encoding that the page declares, else in the one that it most likely has."""
    if b"\0" in data or not _DECLARED.search(data[:4096]):
        data = decoded(data, name).encode("utf-8", "surrogatepass")
        parser = html.HTMLParser(encoding="utf-8")
    else:
        parser = html.HTMLParser()
    try:
        page = html.document_fromstring(data, parser)
    except etree.ParserError:
        # It has no element at all.
        return None
    if any("depth" in entry.message for entry in parser.error_log):
        raise InvalidInput(f"{name}: elements are nested too deeply", field=name)
    return page


def _main(page: html.HtmlElement) -> html.HtmlElement:
    for path in ("//main | //*[@role='main']", "//article"):
        found = [element for element in page.xpath(path) if element.text_content().strip()]
        if len(found) == 1:
            return found[0]
    return page


class _Walk:
    """Goes through elements in the order of the text; inline ones run together, others are blocks."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._inline: list[str] = []

    def into(self, element: html.HtmlElement) -> None:
        """Add an element's text, without what stands behind it."""
        tag = element.tag
        if not isinstance(tag, str) or _is_left_out(element):
            return
        if tag in _HEADINGS:
            self.end_block()
            self._builder.heading(_words(element))
        elif tag == "table" and not element.xpath(".//table | .//ul | .//ol | .//h2 | .//h3"):
            self.end_block()
            for caption in element.iterchildren("caption"):
                self._builder.block(_words(caption))
            rows = [row for row in element.iter("tr") if not _is_left_out(row)]
            self._builder.block(as_rows([[_words(cell) for cell in row.xpath("./td | ./th")] for row in rows]))
        elif tag in ("ul", "ol") and not element.xpath(".//p | .//table | .//div"):
            self.end_block()
            self._builder.block("\n".join(_items(element)))
        elif tag == "pre":
            self.end_block()
            self._builder.block(element.text_content())
        elif tag == "br":
            self._inline.append("\n")
        else:
            self._inside(element, is_block=tag in _BLOCKS)

    def _inside(self, element: html.HtmlElement, *, is_block: bool) -> None:
        if is_block:
            self.end_block()
        self._inline.append(_one_line(element.text))
        for child in element:
            self.into(child)
            self._inline.append(_one_line(child.tail))
        if is_block:
            self.end_block()

    def end_block(self) -> None:
        """Add what has run together."""
        lines = "".join(self._inline).split("\n")
        self._builder.block("\n".join(" ".join(line.split()) for line in lines))
        self._inline = []


def _is_left_out(element: html.HtmlElement) -> bool:
    if element.tag in _LEFT_OUT or element.get("role", "").lower() in _ROLES_LEFT_OUT:
        return True
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    # Those of an article are its own.
    return element.tag in _AROUND and not any(True for _ in element.iterancestors("article", "main"))


def _items(element: html.HtmlElement, depth: int = 0) -> list[str]:
    """Return a list's lines, those of lists inside it too."""
    made = [*_loose(element.text, depth)]
    number = _number(element.get("start"), 1)
    for child in element:
        if isinstance(child.tag, str) and not _is_left_out(child):
            if child.tag in ("ul", "ol"):
                made += _items(child, depth + 1)
            else:
                number = _number(child.get("value"), number)
                nested = child.xpath("./ul | ./ol")
                marker = f"{number}. " if element.tag == "ol" else "- "
                made.append("  " * depth + marker + _words(child, nested))
                made += [line for inner in nested for line in _items(inner, depth + 1)]
                number += 1
        made += _loose(child.tail, depth)
    return made


def _loose(text: str | None, depth: int) -> list[str]:
    """Return the line that text between the items of a list makes."""
    return ["  " * depth + " ".join(text.split())] if text and text.strip() else []


def _number(given: str | None, otherwise: int) -> int:
    return int(given) if given and given.strip().lstrip("-").isdecimal() else otherwise


def _words(element: html.HtmlElement, without: Sequence[html.HtmlElement] = ()) -> str:
    """Return the text inside an element on one line."""
    return " ".join("".join(_pieces(element, without)).split())


def _pieces(element: html.HtmlElement, without: Sequence[html.HtmlElement] = ()) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child not in without and isinstance(child.tag, str) and not _is_left_out(child):
            apart = " " if child.tag in _BLOCKS or child.tag == "br" else ""
            yield apart
            yield from _pieces(child)
            yield apart
        yield child.tail or ""


def _one_line(text: str | None) -> str:
    """Return text as a browser shows it: a line ends only where a `br` stands."""
    return re.sub(r"\s+", " ", text or "")
