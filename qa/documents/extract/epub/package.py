"""The package of an EPUB: its metadata, reading order and navigation."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from qa.documents.extract.epub.archive import Archive, Element, inner_text, iterate, local_name, types_of
from qa.documents.extract.text_builder import clean_properties
from qa.errors import InvalidInput
from qa.types import Meta

# These only keep fonts from being copied.
_FONT_ALGORITHMS = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
_MAX_FALLBACKS = 10
CONTENTS = frozenset({"toc", "index", "loi", "lot"})
"""Types of parts that list places in the book."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file of the book."""

    path: str
    media_type: str
    properties: frozenset[str]
    fallback: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the table of contents: the title of a place in a file."""

    path: str
    fragment: str
    title: str


@dataclass(frozen=True, slots=True)
class Package:
    """What the package document says.

    Attributes:
        title: the book's title.
        meta: authors and other properties.
        spine: the files in reading order.
        entries: the entries of the table of contents for each file.
        contents: paths of tables of contents and indexes among the files.
    """

    title: str
    meta: Meta
    spine: Sequence[Item]
    entries: Mapping[str, Sequence[Entry]]
    contents: frozenset[str]


def read_package(archive: Archive) -> Package:
    """Read the package of a book.

    Raises:
        InvalidInput: the file is not an EPUB, or its text is encrypted.
    """
    name = archive.name
    path = archive.find_package()
    root = archive.read_xml(path) if path else None
    if path is None or root is None:
        raise InvalidInput(f"{name}: not an EPUB, or damaged (no package document); download it again", field=name)
    items = {item.get("id", ""): _read_item(item, path) for item in iterate(root, "item") if item.get("href")}
    spine = dict.fromkeys(
        _follow_fallback(items[reference], items)
        for itemref in iterate(root, "itemref")
        if (reference := itemref.get("idref", "")) in items
    )
    _reject_encrypted(archive, {item.path for item in spine})
    navigation = next((item for item in items.values() if "nav" in item.properties), None)
    ncx = next((item for item in items.values() if item.media_type == "application/x-dtbncx+xml"), None)
    entries: list[Entry] = []
    contents = {_resolve(path, guide.get("href", ""))[0] for guide in iterate(root, "reference") if _is_contents(guide)}
    if navigation:
        nav = archive.read_xml(navigation.path)
        entries = list(_read_nav(nav, navigation.path))
        contents |= {navigation.path, *_read_landmarks(nav, navigation.path)}
    if ncx and not entries:
        entries = list(_read_ncx(archive.read_xml(ncx.path), ncx.path))
    by_path: dict[str, list[Entry]] = {}
    for entry in entries:
        by_path.setdefault(entry.path, []).append(entry)
    return Package(_first(root, "title"), _read_meta(root), tuple(spine), by_path, frozenset(contents))


def _read_item(item: Element, package: str) -> Item:
    path, _ = _resolve(package, item.get("href", ""))
    properties = frozenset(item.get("properties", "").split())
    return Item(path, item.get("media-type", "").casefold(), properties, item.get("fallback"))


def _follow_fallback(item: Item, items: Mapping[str, Item]) -> Item:
    """Return the text that stands for a picture or another foreign file, if there is one."""
    text = item
    for _ in range(_MAX_FALLBACKS):
        if "html" in text.media_type or text.fallback is None or text.fallback not in items:
            break
        text = items[text.fallback]
    return item if "nav" in text.properties else text


def _resolve(base: str, href: str) -> tuple[str, str]:
    """Return the path that a reference in a file names, and its fragment."""
    path, _, fragment = href.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(path))) if path else base
    return path.lstrip("/"), unquote(fragment)


def _reject_encrypted(archive: Archive, paths: set[str]) -> None:
    for encrypted in iterate(archive.read_xml("META-INF/encryption.xml"), "EncryptedData"):
        algorithms = {method.get("Algorithm") for method in iterate(encrypted, "EncryptionMethod")}
        files = {unquote(file.get("URI", "")).lstrip("/") for file in iterate(encrypted, "CipherReference")}
        if files & paths and not algorithms <= _FONT_ALGORITHMS:
            raise InvalidInput(
                f"{archive.name}: the book is encrypted (copy protection, DRM); add a copy without it",
                field=archive.name,
            )


def _first(root: Element, name: str) -> str:
    """Return the first property of a name in the book's metadata that is not blank."""
    texts = (inner_text(element) for meta in iterate(root, "metadata") for element in iterate(meta, name))
    return next(filter(None, texts), "")


def _read_meta(root: Element) -> Meta:
    authors = [inner_text(creator) for meta in iterate(root, "metadata") for creator in iterate(meta, "creator")]
    unique = root.get("unique-identifier")
    identifier = next((inner_text(item) for item in iterate(root, "identifier") if item.get("id") == unique), "")
    return clean_properties(
        author=", ".join(dict.fromkeys(filter(None, authors))),
        language=_first(root, "language"),
        publisher=_first(root, "publisher"),
        date=_first(root, "date"),
        identifier=identifier or _first(root, "identifier"),
    )


def _is_contents(element: Element) -> bool:
    return bool(types_of(element) & CONTENTS)


def _read_nav(root: Element | None, path: str) -> Iterator[Entry]:
    for nav in iterate(root, "nav"):
        if "toc" in types_of(nav):
            for link in iterate(nav, "a"):
                if (href := link.get("href")) and (title := inner_text(link)):
                    yield Entry(*_resolve(path, href), title)


def _read_landmarks(root: Element | None, path: str) -> Iterator[str]:
    """Yield the paths of tables of contents and indexes that have a file to themselves."""
    for nav in iterate(root, "nav"):
        if "landmarks" in types_of(nav):
            for link in iterate(nav, "a"):
                target, fragment = _resolve(path, link.get("href", ""))
                if _is_contents(link) and not fragment:
                    yield target


def _read_ncx(root: Element | None, path: str) -> Iterator[Entry]:
    for point in iterate(root, "navPoint"):
        label = next((child for child in point if local_name(child) == "navlabel"), None)
        content = next((child for child in point if local_name(child) == "content"), None)
        if content is not None and (title := inner_text(label)):
            yield Entry(*_resolve(path, content.get("src", "")), title)
