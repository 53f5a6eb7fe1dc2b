"""EPUB: the chapters of a book in reading order; the titles in its table of contents are the sections.

A printed table of contents or index is marked as such.
"""

from __future__ import annotations

import codecs
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from qa.documents.extract.epub.archive import (
    Archive,
    Element,
    inner_text,
    iterate,
    local_name,
    parse_xml,
    to_html,
    types_of,
)
from qa.documents.extract.epub.package import CONTENTS, Entry, Item, Package, read_package
from qa.documents.extract.html.names import purpose_of
from qa.documents.extract.html.page import extract_html
from qa.documents.extract.joining import join_texts
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput
from qa.types import Mark, Unread

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# Around the text of a page on the web these are furniture, but in a book they are notes and title pages.
_BOOK_PARTS = frozenset({"article", "aside", "footer", "header", "main"})
_OF_WEB_PAGES = frozenset({"aria-hidden", "id", "role", "style"})
# The classes of these mark line numbers, lines of code and formulas.
_NAMED_PARTS = frozenset({"a", "code", "img", "pre", "span", "td"})
_PICTURES = ("img", "image", "svg", "video", "audio", "object", "canvas")
# Share of a page's text that is in links: above the first it is a table of contents if the book says so, above the
# second if it has links to several files.
_LINKED, _MOSTLY_LINKED, _LINKS = 0.3, 0.7, 5
# Characters beside the navigation of a page that is only a table of contents.
_AROUND_NAVIGATION = 200
_LISTED = 5
_TAG = re.compile(r"[a-z][a-z0-9.-]*")


def extract_epub(data: bytes, name: str) -> ExtractedText:
    """Extract the text of a book.

    Raises:
        InvalidInput: the file is not an EPUB, is damaged or encrypted, or has no text.
        TooLarge: the book is too large when unpacked.
    """
    archive = Archive(data, name)
    package = read_package(archive)
    chapters: list[ExtractedText] = []
    pictures: list[str] = []
    for item in package.spine:
        file = posixpath.basename(item.path)
        content = archive.read(item.path)
        if content is None:
            chapters.append(_unread(f"{file} is missing or damaged"))
        elif "image/" in item.media_type and "svg" not in item.media_type:
            pictures.append(file)
        else:
            chapter = _extract_chapter(content, item, package, name)
            chapters.append(chapter)
            if not chapter.text and _has_picture(content):
                pictures.append(file)
    if pictures:
        listed = ", ".join(pictures[:_LISTED]) + (
            f" and {len(pictures) - _LISTED} more" if len(pictures) > _LISTED else ""
        )
        chapters.append(_unread(f"pictures without text: {listed}"))
    book = join_texts(chapters, carry_section=True)
    if not book.text:
        reasons = "; ".join(part.reason for part in book.unread) or "the book has no text"
        raise InvalidInput(f"{name}: {reasons}; save the book as PDF and read that with OCR", field=name)
    return replace(book, title=package.title or None, meta=package.meta)


def _unread(reason: str) -> ExtractedText:
    return ExtractedText("", unread=(Unread(None, reason),))


def _has_picture(content: bytes) -> bool:
    return any(True for _ in iterate(parse_xml(content, may_be_html=True), *_PICTURES))


def _extract_chapter(content: bytes, item: Item, package: Package, name: str) -> ExtractedText:
    root = parse_xml(content, may_be_html=True)
    if root is None:
        return _unread(f"{posixpath.basename(item.path)} is damaged")
    if local_name(root) == "svg":
        return ExtractedText("\n".join(filter(None, map(inner_text, iterate(root, "text")))))
    body = next(iterate(root, "body"), root)
    is_contents = _is_contents(body, item, package)
    page = _Page.read(body, package.entries.get(item.path, ()))
    _simplify(root, keep_navigation=is_contents)
    try:
        chapter = extract_html(codecs.BOM_UTF8 + to_html(root), name)
    except InvalidInput as error:
        return _unread(f"{posixpath.basename(item.path)}: {error.message.removeprefix(f'{name}: ')}")
    marks = chapter.marks if page is None else tuple(page.name_sections(chapter.marks))
    if is_contents:
        marks = tuple(replace(mark, kind="contents") for mark in (marks or (Mark(0),)))
    return replace(chapter, marks=marks)


def _simplify(root: Element, *, keep_navigation: bool) -> None:
    """Turn a chapter into plain HTML, of which nothing is taken for the furniture of a page on the web."""
    for element in list(root.iter()):
        tag = local_name(element)
        if not tag:
            continue
        if tag in _BOOK_PARTS or (tag == "nav" and keep_navigation):
            tag = "div"
        element.tag = tag if _TAG.fullmatch(tag) else "span"
        if "pagebreak" in types_of(element):
            # The number of a printed page, in the middle of a sentence.
            element.text = None
            del element[:]
        elif tag == "style":
            element.text = None
        for key in [key for key in element.attrib if not _is_kept(key, tag, element.attrib[key])]:
            del element.attrib[key]


def _is_kept(attribute: str, tag: str, value: str) -> bool:
    """Return whether an attribute of a chapter says what its text is, and not how a page on the web is built."""
    if attribute == "class":
        return tag in _NAMED_PARTS or purpose_of(value) == "contents"
    if attribute == "hidden":
        return tag == "nav"
    return not attribute.startswith("{") and attribute not in _OF_WEB_PAGES


def _is_contents(body: Element, item: Item, package: Package) -> bool:
    """Return whether a page is only a table of contents or an index."""
    size = len(inner_text(body)) or 1
    navigation = sum(len(inner_text(nav)) for nav in iterate(body, "nav"))
    if navigation and size - navigation < _AROUND_NAVIGATION:
        return True
    tops = [body, *list(body)[:2]]
    if any("index" in types_of(top) for top in tops if local_name(top)):
        return True
    links = [link for link in iterate(body, "a") if link.get("href")]
    linked = sum(len(inner_text(link)) for link in links) / size
    files = {link.get("href").partition("#")[0] for link in links if "://" not in link.get("href")}
    is_marked = item.path in package.contents or any(CONTENTS & types_of(top) for top in tops if local_name(top))
    return linked >= _LINKED if is_marked else linked >= _MOSTLY_LINKED and len(links) >= _LINKS and len(files) > 2


@dataclass(frozen=True, slots=True)
class _Page:
    """Where the entries of the table of contents are on a page.

    Attributes:
        start: the entry that the page begins with.
        sections: for each heading, the title of its entry.
    """

    start: str | None
    sections: Mapping[str, str]

    @classmethod
    def read(cls, body: Element, entries: Sequence[Entry]) -> _Page | None:
        """Return the entries on a page; None if it has none, or only one that says nothing of its headings."""
        if not entries:
            return None
        headings = {_normalise(inner_text(heading)) for heading in iterate(body, *_HEADINGS)}
        titles = {_normalise(entry.title) for entry in entries}
        if len(headings) > 1 and len(entries) == 1 and not _overlap(headings, titles):
            return None
        pending = [entry.title for entry in entries if not entry.fragment]
        fragments: dict[str, list[str]] = {}
        for entry in entries:
            fragments.setdefault(entry.fragment, []).append(entry.title)
        start, has_text = None, False
        sections: dict[str, str] = {}
        for element in body.iter():
            pending += fragments.pop(element.get("id") or element.get("name") or "-", [])
            is_heading = local_name(element) in _HEADINGS
            text = inner_text(element) if is_heading else (element.text or "").strip()
            if text and pending:
                if not has_text:
                    start = pending[0]
                if is_heading:
                    key = _normalise(text)
                    sections.setdefault(
                        key, next((title for title in pending if _normalise(title) == key), pending[-1])
                    )
                    pending = []
            has_text = has_text or bool(text or (element.tail or "").strip())
        return cls(start, sections)

    def name_sections(self, marks: Sequence[Mark]) -> Iterator[Mark]:
        """Yield the marks of a page with the titles of entries as sections."""
        section = self.start
        if not marks or marks[0].start:
            yield Mark(0, section=section)
        for mark in marks:
            section = self.sections.get(_normalise(mark.section or ""), section)
            yield replace(mark, section=section)


def _overlap(headings: Collection[str], titles: Collection[str]) -> bool:
    """Return whether a heading is a part of a title, or a title of a heading."""
    return any(heading and (heading in title or title in heading) for heading in headings for title in titles)


def _normalise(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())
