"""Tokens of RTF: groups, control words and text (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_TOKEN = re.compile(
    r"\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})? ?"
    r"|\\'(?P<code>[0-9A-Fa-f]{2})"
    r"|\\(?P<symbol>[^A-Za-z'])"
    r"|(?P<brace>[{}])"
    r"|(?P<text>[^\\{}\r\n]+)",
    re.DOTALL,
)
# The character sets of fonts, as Windows numbers them.
_CHARSETS = {
    0: "cp1252",
    77: "mac_roman",
    78: "shift_jis",
    79: "big5",
    80: "euc_kr",
    83: "mac_greek",
    84: "mac_cyrillic",
}
_CHARSETS |= {88: "mac_latin2", 89: "mac_latin2", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "cp950"}
_CHARSETS |= {161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251"}
_CHARSETS |= {222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850"}
SYMBOL_CHARSET = 2


@dataclass(frozen=True, slots=True)
class Token:
    """A part of RTF.

    Attributes:
        kind: `open` and `close` are the braces of a group; `byte` is a character of the code page.
        text: the name of a control word or symbol; the text or byte itself.
        number: the parameter of a control word.
    """

    kind: Literal["open", "close", "word", "symbol", "byte", "text"]
    text: str
    number: int | None = None


def tokenize(data: bytes) -> Iterator[Token]:
    """Yield the tokens of a file; binary data is skipped."""
    source = data.decode("latin-1")
    place = 0
    while match := _TOKEN.search(source, place):
        place = match.end()
        if match["word"]:
            number = None if match["number"] is None else int(match["number"])
            if match["word"] == "bin":
                place += max(0, number or 0)
            else:
                yield Token("word", match["word"], number)
        elif match["brace"]:
            yield Token("open" if match["brace"] == "{" else "close", match["brace"])
        elif match["code"]:
            yield Token("byte", chr(int(match["code"], 16)))
        elif match["symbol"]:
            yield Token("symbol", match["symbol"])
        else:
            yield Token("text", match["text"])


def codec_of_charset(charset: int) -> str | None:
    """Return the codec of a font's character set; None if it is that of the document."""
    return _CHARSETS.get(charset)


def codec_of_page(page: int) -> str:
    """Return the codec of a code page; that of Western Windows if it is unknown."""
    codec = {65001: "utf-8", 10000: "mac_roman", 936: "gbk", 0: "cp1252"}.get(page, f"cp{page}")
    try:
        "".encode(codec)
    except LookupError:
        return "cp1252"
    return codec
