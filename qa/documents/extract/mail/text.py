"""Text of mails: character sets, headers, wrapped lines, and the choice between plain text and HTML."""

from __future__ import annotations

import binascii
import codecs
import quopri
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from qa.documents.extract.html.page import extract_html
from qa.documents.extract.plain_text import decode
from qa.documents.extract.text_builder import ExtractedText, TextBuilder
from qa.errors import InvalidInput

# Browsers and mail programs read the first as the second, which contains it.
_SUPERSETS = {
    **dict.fromkeys(("iso8859-1", "latin_1"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk"), "gb18030"),
    **dict.fromkeys(("euc_kr", "ks_c_5601_1987"), "cp949"),
    "shift_jis": "cp932",
    "iso8859-9": "cp1254",
}
# Codecs of Python that no mail uses; some take quadratic time.
_NOT_CHARSETS = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"})
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ufeff\ud800-\udfff]")
_PICTURE_MARKS = re.compile(r"\[cid:[^\]\s]{1,200}\]|\[image: [^\]\n]{0,200}\]")
_ENCODED_WORD = re.compile(r"=\?([^?*\s]{1,60})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?\r\n]*)\?=")
_SIGNATURE = "-- "
# Characters of a header that are read.
MAX_HEADER = 20_000
# Plain text with fewer of the words of the HTML text than this share is only a notice.
_WORDS_OF_HTML = 0.6


def decode_text(data: bytes, charset: str | None) -> str:
    """Decode the text of a mail as its declared charset; if that is unknown or wrong, as the most likely one.

    Line ends become line feeds. Control characters are dropped.
    """
    text = _decode_as(data, charset)
    if text is None:
        try:
            text = decode(data.replace(b"\0", b""), "")
        except InvalidInput:
            text = data.decode("cp1252", "replace")
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n"))


def _decode_as(data: bytes, charset: str | None) -> str | None:
    """Return the text, or None if the charset is unknown or the bytes are not valid in it."""
    name = re.sub(r"^(iso-8859-\d+)-[ei]$", r"\1", (charset or "us-ascii").strip(" '\"").casefold())
    try:
        codec = codecs.lookup(re.sub(r"^(?:x-|windows-|ibm-?|cp-)+(?=\w*\d)", "cp", name)).name
    except LookupError:
        try:
            codec = codecs.lookup(name.removeprefix("x-")).name
        except (LookupError, ValueError):
            return None
    except ValueError:
        return None
    if codec.replace("-", "_") in _NOT_CHARSETS:
        return None
    for candidate in dict.fromkeys((_SUPERSETS.get(codec, codec), codec)):
        try:
            return data.decode(candidate)
        except (LookupError, ValueError):
            continue
    return None


def decode_bytes_in_header(value: str) -> str:
    """Return a header's value on one line, with bytes that are not ASCII (surrogates in `value`) decoded."""
    data = " ".join(value.split()).encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def decode_header_value(value: str) -> str:
    """Return a header's value on one line, with its encoded words (RFC 2047) decoded.

    Args:
        value: the value as the parser has it.
    """
    value = decode_bytes_in_header(value[:MAX_HEADER])
    # A character may be split between two encoded words, so adjacent words of one charset are decoded together.
    pieces: list[tuple[bytes, str]] = []
    end, is_word = 0, False
    for match in _ENCODED_WORD.finditer(value):
        charset, encoding, encoded = match.groups()
        between = value[end : match.start()]
        if between.strip() or not is_word:
            pieces.append((between.encode(), "utf-8"))
        word = _decode_word(encoded, encoding)
        if is_word and pieces[-1][1] == charset and not between.strip():
            word = pieces.pop()[0] + word
        pieces.append((word, charset))
        end, is_word = match.end(), True
    pieces.append((value[end:].encode(), "utf-8"))
    return " ".join("".join(decode_text(piece, charset) for piece, charset in pieces).split())


def _decode_word(encoded: str, encoding: str) -> bytes:
    if encoding in "qQ":
        return quopri.decodestring(encoded.encode(), header=True)
    try:
        return binascii.a2b_base64(encoded + "=" * (-len(encoded) % 4))
    except ValueError:
        return encoded.encode()


def format_date(value: str) -> str | None:
    """Return the ISO form of a date in a header; None if it is not a date."""
    try:
        date = parsedate_to_datetime(value[:200])
        return date.isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def format_utc(date: datetime | None) -> str | None:
    """Return the ISO form of a date in UTC."""
    return date.astimezone(UTC).isoformat() if date else None


def unwrap_flowed(text: str, *, delete_space: bool = False) -> str:
    """Join the soft-wrapped lines of `format=flowed` text (RFC 3676).

    Args:
        text: the text.
        delete_space: whether the space at a soft line end only marks it (`DelSp=yes`).
    """
    lines: list[list[str]] = []
    previous_depth, is_open = 0, False
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        if not (is_open and depth == previous_depth and content != _SIGNATURE):
            lines.append([f"{'>' * depth} "] if depth else [])
        is_open = content.endswith(" ") and content != _SIGNATURE
        lines[-1].append(content[:-1] if is_open and delete_space else content)
        previous_depth = depth
    joined = map("".join, lines)
    return "\n".join(line if line == _SIGNATURE else line.rstrip() for line in joined)


def plain_body(text: str) -> ExtractedText:
    """Return a plain text without the marks that mail programs put where pictures were."""
    builder = TextBuilder()
    builder.add_block(_PICTURE_MARKS.sub("", text))
    return builder.build()


def html_body(text: str, name: str) -> ExtractedText:
    """Return the text of an HTML body.

    Raises:
        InvalidInput: the HTML is damaged.
    """
    # The byte-order mark outweighs a charset that the page declares.
    return extract_html(codecs.BOM_UTF8 + text.encode("utf-8", "replace"), name)


def choose_body(plain: ExtractedText | None, html: ExtractedText | None) -> ExtractedText | None:
    """Return the better of two forms of a mail's text.

    It is the plain text unless that is a notice without the text, or lacks the structure of a table.
    """
    if plain is None or html is None or not html.text or not plain.text:
        return html if plain is None or (html and html.text) else plain
    words, shown = _words(plain.text), _words(html.text)
    if len(words & shown) < _WORDS_OF_HTML * len(shown):
        return html
    has_table = any(len(table.rows) > 1 and len(table.rows[0]) > 1 for table in html.tables)
    return html if has_table and len(words & shown) > _WORDS_OF_HTML * len(words) else plain


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.casefold()))


def is_encrypted(text: str) -> bool:
    """Return whether a text is a PGP message."""
    return text.lstrip().startswith("-----BEGIN PGP MESSAGE-----")
