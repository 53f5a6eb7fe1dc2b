"""Parse HTML: choose the encoding as browsers do, and bound the depth of elements."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from lxml import etree

from qa.documents.extract.plain_text import DecodedText, decode_text
from qa.errors import InvalidInput

Element: TypeAlias = Any
"""An lxml element. lxml has no type annotations."""

_DECLARATION = re.compile(
    rb"""<\?xml[^>]*?\bencoding\s*=\s*["']?\s*(?P<xml>[\w:.+-]+)|<meta[^>]+?charset\s*=\s*["']?\s*(?P<meta>[\w:.+-]+)""",
    re.IGNORECASE,
)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
# In bytes: a declaration is at the start of a file.
_DECLARED_WITHIN = 8192
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Browsers read each of these encodings as a larger one that contains it.
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_MULTIBYTE = frozenset({"gb18030", "hz", "cp932", "euc_jp", "iso2022_jp", "iso2022_kr", "cp949", "big5hkscs"})
# Codecs of Python that no page uses, and those with zero bytes, which a declaration in ASCII contradicts.
_NOT_OF_PAGES = re.compile(r"idna|punycode|.*escape|undefined|utf-?(16|32).*|utf-?7|mbcs|oem")
# Of the characters of a page: with more that are invalid, the declaration is wrong.
_MAX_INVALID = 0.01
# Elements within elements. Each level takes a few frames of Python's stack.
_TOO_DEEP = etree.XPath(f"boolean(/*{'/*' * 256})")
_TEXTS = etree.XPath("descendant::text()", smart_strings=False)
# Old pages leave these elements open, each inside the previous one.
_FORMATTING = re.compile(
    r"</?(?:b|big|center|em|font|i|nobr|s|small|span|strike|strong|tt|u)(?:\s[^<>]*)?>", re.IGNORECASE
)
_XHTML_PREFIXES = frozenset({"h", "html", "xhtml"})
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9.-]*")


def decode_page(data: bytes, name: str) -> DecodedText:
    """Decode a page: by its byte-order mark, else as declared, unless its bytes show that the declaration is wrong.

    Raises:
        UnsupportedFormat: the bytes are not text.
    """
    if data.startswith(_MARKS) or b"\0" in data:
        return decode_text(data, name)
    declared = _declared_codec(data)
    if declared not in _MULTIBYTE:
        # Bytes that are UTF-8 by chance are rare in a single-byte encoding.
        try:
            return DecodedText(data.decode("utf-8"))
        except UnicodeDecodeError:
            pass
    if declared is None or declared == "utf-8":
        return decode_text(data, name)
    if declared == "cp1252":
        # Browsers read the few bytes that Windows-1252 lacks as control characters.
        return DecodedText(data.decode("cp1252", "replace"))
    text = data.decode(declared, "replace")
    if text.count("\ufffd") <= _MAX_INVALID * len(text):
        return DecodedText(text)
    return decode_text(data, name)


def _declared_codec(data: bytes) -> str | None:
    """Return Python's name of the encoding that a page declares; None if there is none, or an unknown one."""
    match = _DECLARATION.search(_COMMENT.sub(b"", data[:_DECLARED_WITHIN]))
    if match is None:
        return None
    label = (match["xml"] or match["meta"]).decode("ascii", "replace").lower()
    label = {"x-sjis": "shift_jis", "ks_c_5601-1987": "euc_kr", "x-x-big5": "big5"}.get(label, label)
    try:
        codec = codecs.lookup(label.removeprefix("x-")).name
        b"".decode(codec)
    except (LookupError, ValueError):
        return None
    return None if _NOT_OF_PAGES.fullmatch(codec) else _SUPERSETS.get(codec, codec)


def parse_markup(markup: str, name: str) -> Element | None:
    """Return the root element of a page or of a part of one; None if it has neither element nor text.

    Raises:
        InvalidInput: elements are nested too deeply.
    """
    # The parser ends at a NUL character.
    markup = markup.replace("\0", "")
    page, is_deep = _parse(markup)
    if is_deep:
        page, is_deep = _parse(_FORMATTING.sub("", markup))
    if is_deep:
        raise InvalidInput(f"{name}: HTML elements are nested too deeply; simplify the page", field=name)
    if page is not None and any(f"<{prefix}:" in markup for prefix in _XHTML_PREFIXES):
        _drop_prefixes(page)
    return page


def _parse(markup: str) -> tuple[Element | None, bool]:
    """Return the root element, and whether elements are nested too deeply."""
    # The element classes of lxml.html would take a third of the time.
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        page = etree.fromstring(markup.encode("utf-8", "replace"), parser)
    except etree.LxmlError:
        page = None
    if page is None:
        return None, False
    is_deep = any("depth" in entry.message for entry in parser.error_log)
    return page, is_deep or bool(_TOO_DEEP(page))


def texts_of(element: Element) -> list[str]:
    """Return the texts inside an element, in order; takes a quarter of the time of `itertext`."""
    texts: list[str] = _TEXTS(element)
    return texts


def raw_text(element: Element) -> str:
    """Return the text inside an element as it is in the file."""
    return "".join(texts_of(element))


def walk(page: Element) -> Iterator[tuple[str, Element]]:
    """Yield each element at its start and at its end, in the order of the text: `("start", element)`."""
    yield from etree.iterwalk(page, events=("start", "end"))


def _drop_prefixes(page: Element) -> None:
    """Give elements of XHTML that are written with a prefix, such as `h:p`, their plain name."""
    for element in page.iter():
        if ":" in element.tag:
            prefix, _, local = element.tag.partition(":")
            if prefix.lower() in _XHTML_PREFIXES and _TAG.fullmatch(local):
                element.tag = local
