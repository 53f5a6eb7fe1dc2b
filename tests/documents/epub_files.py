"""Write books (EPUB)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

_NAV = "nav.xhtml"
_METADATA = "<dc:title>The pump</dc:title>"
_XHTML = "application/xhtml+xml"


def page(body: str, title: str = "page") -> str:
    """Return a page."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml" '
        f'xmlns:epub="http://www.idpf.org/2007/ops"><head><title>{title}</title></head><body>{body}</body></html>'
    )


def nav(*entries: tuple[str, str], kind: str = "toc") -> str:
    """Return a navigation page of references and titles (EPUB 3)."""
    links = "".join(f'<li><a href="{href}">{title}</a></li>' for href, title in entries)
    return page(f'<nav epub:type="{kind}"><h1>Contents</h1><ol>{links}</ol></nav>')


def ncx(*entries: tuple[str, str]) -> str:
    """Return a table of contents of references and titles (EPUB 2)."""
    points = "".join(
        f'<navPoint><navLabel><text>{title}</text></navLabel><content src="{src}"/></navPoint>'
        for src, title in entries
    )
    return f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{points}</navMap></ncx>'


def book(
    files: Mapping[str, str | bytes],
    *,
    spine: Sequence[str] = (),
    metadata: str = _METADATA,
    extra: Mapping[str, str | bytes] | None = None,
    guide: str = "",
) -> bytes:
    """Return a book of these files, in the order of the spine, else all pages in their order.

    Args:
        files: the content of each file.
        spine: names of the files in reading order.
        metadata: elements of the metadata.
        extra: further files, with their paths in the archive.
        guide: elements of the guide.
    """
    kinds = {name: _media_type(name) for name in files}
    properties = ("", "nav")
    items = "".join(
        f'<item id="{name}" href="{name}" media-type="{kind}" properties="{properties[name == _NAV]}"/>'
        for name, kind in kinds.items()
    )
    order = spine or [name for name, kind in kinds.items() if kind == _XHTML and name != "nav.xhtml"]
    refs = "".join(f'<itemref idref="{name}"/>' for name in order)
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/" version="3.0" '
        f'unique-identifier="id"><metadata>{metadata}</metadata><manifest>{items}</manifest><spine>{refs}</spine>'
        f"<guide>{guide}</guide></package>"
    )
    container = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("OEBPS/book.opf", opf)
        for name, content in {**{f"OEBPS/{name}": content for name, content in files.items()}, **(extra or {})}.items():
            archive.writestr(name, content)
    return file.getvalue()


def _media_type(name: str) -> str:
    suffixes = {"ncx": "application/x-dtbncx+xml", "svg": "image/svg+xml", "jpg": "image/jpeg"}
    return suffixes.get(name.rpartition(".")[2], _XHTML)
