"""Characters of symbol fonts, and those that are invisible (pure)."""

from __future__ import annotations

import re

_GREEK = dict(zip("ABGDEZHQIKLMNXOPRSTUFCYW", "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ", strict=True))
_GREEK |= dict(zip("abgdezhqiklmnxoprVstufcywJjv", "αβγδεζηθικλμνξοπρςστυφχψωϑϕϖ", strict=True))
# The upper half of the font Symbol, from A0.
_SYMBOL_UPPER = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪\0〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"
_SYMBOL = {ord(letter): greek for letter, greek in _GREEK.items()}
_SYMBOL |= dict(zip(b"\"$'*-@\\^`~", "∀∃∋∗−≅∴⊥‾∼", strict=True))
_SYMBOL |= {0xA0 + place: character for place, character in enumerate(_SYMBOL_UPPER) if character != "\0"}
_WINGDINGS = {0x6C: "●", 0x6E: "■", 0x6F: "□", 0x71: "❑", 0x75: "◆", 0x76: "❖", 0x9F: "•", 0xA0: "▪", 0xA7: "▪"}
_WINGDINGS |= {0xA8: "□", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE8: "➔", 0xF0: "⇨", 0xF3: "⇔"}
_WINGDINGS |= {0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑", 0x4A: "☺", 0x28: "☎", 0x2A: "✉", 0xFA: "▫", 0xF1: "⇧"}
_WINGDINGS |= {0x81 + place: chr(0x2460 + place) for place in range(10)}
_WINGDINGS |= {0x8C + place: chr(0x2776 + place) for place in range(10)}
_WINGDINGS_2 = {0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0x97: "●", 0xA3: "□"}
_WINGDINGS_3 = {0x66: "←", 0x67: "→", 0x68: "↑", 0x69: "↓", 0x7D: "▶", 0x84: "◀"}
_FONTS = {"symbol": _SYMBOL, "wingdings": _WINGDINGS, "wingdings 2": _WINGDINGS_2, "wingdings 3": _WINGDINGS_3}
# Word stores the codes of symbol fonts in this private area.
_PRIVATE = re.compile(r"[\uf020-\uf0ff]")
# A soft hyphen is only visible at the end of a line. The others have no width.
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))


def is_symbol_font(font: str) -> bool:
    """Return whether a font shows other characters than Unicode has at its codes."""
    return font.casefold() in _FONTS


def symbol(font: str, code: int) -> str:
    """Return the character that a symbol font shows for a code; empty if Unicode has none or it is unknown."""
    if 0xF000 <= code <= 0xF0FF:
        code -= 0xF000
    elif code > 0xFF:
        return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else ""
    table = _FONTS.get(font.casefold())
    if table is None:
        return chr(code) if chr(code).isprintable() else ""
    ascii_character = chr(code) if table is _SYMBOL and 0x20 <= code < 0x7F else ""
    return table.get(code, ascii_character)


def replace_symbols(text: str, font: str) -> str:
    """Replace the private characters of symbol fonts in a text; those of an unknown font are read as Symbol."""
    known = font if is_symbol_font(font) else "Symbol"
    return _PRIVATE.sub(lambda match: symbol(known, ord(match[0])), text)
