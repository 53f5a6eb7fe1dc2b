"""HTML: the main text of a page, with its headings as sections.

Only elements and roles decide what is navigation or other boilerplate. Nothing is guessed, so text is left out only if
the page itself marks it as boilerplate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lxml import etree, html

from qa.documents.extract.plain_text import decode
from qa.documents.extract.text_builder import ExtractedText, TextBuilder, format_table
from qa.errors import InvalidInput

_SKIPPED = frozenset(
    {"audio", "button", "canvas", "datalist", "dialog", "embed", "head", "iframe", "input", "math", "menu", "nav"}
    | {"noscript", "object", "script", "select", "style", "svg", "template", "textarea", "title", "video"}
)
# Skipped unless they belong to an article.
_SURROUNDINGS = frozenset({"aside", "footer", "header"})
_SKIPPED_ROLES = frozenset(
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
    """Extract the text of a page: of its only `main` or `article`, if it has one, else of the whole page.

    Raises:
        UnsupportedFormat: the file is not text.
        InvalidInput: the encoding is unknown, or elements are nested so deeply that text would be lost.
    """
    page = _parse(data, name)
    builder = TextBuilder()
    if page is None:
        return builder.build()
    walker = _Walker(builder)
    walker.add(_find_main(page))
    walker.end_block()
    return builder.build(" ".join((page.findtext(".//title") or "").split()))


def _parse(data: bytes, name: str) -> html.HtmlElement | None:
    """Parse a page in its declared encoding, else in the most likely one; return None if it has no element."""
    if b"\0" in data or not _DECLARED.search(data[:4096]):
        data = decode(data, name).encode("utf-8", "surrogatepass")
        parser = html.HTMLParser(encoding="utf-8")
    else:
        parser = html.HTMLParser()
    try:
        page = html.document_fromstring(data, parser)
    except etree.ParserError:
        return None
    if any("depth" in entry.message for entry in parser.error_log):
        raise InvalidInput(f"{name}: HTML elements are nested too deeply; simplify the page", field=name)
    return page


def _find_main(page: html.HtmlElement) -> html.HtmlElement:
    """Return the only `main` element or `article` that has text, else the whole page."""
    for path in ("//main | //*[@role='main']", "//article"):
        candidates = [element for element in page.xpath(path) if element.text_content().strip()]
        if len(candidates) == 1:
            return candidates[0]
    return page


class _Walker:
    """Visits elements in the order of the text; joins inline elements and begins a block at every other one."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._inline: list[str] = []

    def add(self, element: html.HtmlElement) -> None:
        """Add the text inside an element, without the text after it."""
        tag = element.tag
        if not isinstance(tag, str) or _is_skipped(element):
            return
        if tag in _HEADINGS:
            self.end_block()
            self._builder.add_heading(_inline_text(element))
        elif tag == "table" and not element.xpath(".//table | .//ul | .//ol | .//h2 | .//h3"):
            self.end_block()
            for caption in element.iterchildren("caption"):
                self._builder.add_block(_inline_text(caption))
            rows = [row for row in element.iter("tr") if not _is_skipped(row)]
            cells = [[_inline_text(cell) for cell in row.xpath("./td | ./th")] for row in rows]
            self._builder.add_block(format_table(cells))
        elif tag in ("ul", "ol") and not element.xpath(".//p | .//table | .//div"):
            self.end_block()
            self._builder.add_block("\n".join(_format_list(element)))
        elif tag == "pre":
            self.end_block()
            self._builder.add_block(element.text_content())
        elif tag == "br":
            self._inline.append("\n")
        else:
            self._add_children(element, is_block=tag in _BLOCKS)

    def _add_children(self, element: html.HtmlElement, *, is_block: bool) -> None:
        if is_block:
            self.end_block()
        self._inline.append(_collapse_space(element.text))
        for child in element:
            self.add(child)
            self._inline.append(_collapse_space(child.tail))
        if is_block:
            self.end_block()

    def end_block(self) -> None:
        """Add the inline text collected so far as a block."""
        lines = "".join(self._inline).split("\n")
        self._builder.add_block("\n".join(" ".join(line.split()) for line in lines))
        self._inline = []


def _is_skipped(element: html.HtmlElement) -> bool:
    if element.tag in _SKIPPED or element.get("role", "").lower() in _SKIPPED_ROLES:
        return True
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    return element.tag in _SURROUNDINGS and not any(True for _ in element.iterancestors("article", "main"))


def _format_list(element: html.HtmlElement, depth: int = 0) -> list[str]:
    """Return the lines of a list, including those of nested lists."""
    lines = [*_format_loose_text(element.text, depth)]
    number = _parse_number(element.get("start"), 1)
    for child in element:
        if isinstance(child.tag, str) and not _is_skipped(child):
            if child.tag in ("ul", "ol"):
                lines += _format_list(child, depth + 1)
            else:
                number = _parse_number(child.get("value"), number)
                nested = child.xpath("./ul | ./ol")
                marker = f"{number}. " if element.tag == "ol" else "- "
                lines.append("  " * depth + marker + _inline_text(child, nested))
                lines += [line for inner in nested for line in _format_list(inner, depth + 1)]
                number += 1
        lines += _format_loose_text(child.tail, depth)
    return lines


def _format_loose_text(text: str | None, depth: int) -> list[str]:
    """Return the line for text between the items of a list, if there is any."""
    return ["  " * depth + " ".join(text.split())] if text and text.strip() else []


def _parse_number(value: str | None, default: int) -> int:
    return int(value) if value and value.strip().lstrip("-").isdecimal() else default


def _inline_text(element: html.HtmlElement, excluded: Sequence[html.HtmlElement] = ()) -> str:
    """Return the text inside an element on one line, without that of the excluded children."""
    return " ".join("".join(_text_pieces(element, excluded)).split())


def _text_pieces(element: html.HtmlElement, excluded: Sequence[html.HtmlElement] = ()) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child not in excluded and isinstance(child.tag, str) and not _is_skipped(child):
            separator = " " if child.tag in _BLOCKS or child.tag == "br" else ""
            yield separator
            yield from _text_pieces(child)
            yield separator
        yield child.tail or ""


def _collapse_space(text: str | None) -> str:
    """Return text with each run of white space as one space, as a browser shows it."""
    return re.sub(r"\s+", " ", text or "")
