"""The characters of RTF: bytes of a font's code page, and Unicode with replacements for old programs (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from qa.documents.extract.office.symbols import symbol
from qa.documents.extract.rtf.tokens import SYMBOL_CHARSET, codec_of_charset, codec_of_page

# Control characters other than white space are no text, and a NUL cannot be stored.
_CONTROL = dict.fromkeys([*set(range(0x20)) - set(map(ord, "\t\n\r")), 0x7F])
_CODECS = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}


@dataclass(slots=True)
class Font:
    """A font; its codec is None if it is that of the document."""

    codec: str | None = None
    is_symbol: bool = False
    name: str = ""


class Decoder:
    """Decodes the characters of a file.

    Attributes:
        fonts: the fonts of the file, by their numbers.
    """

    def __init__(self) -> None:
        self.fonts: dict[int, Font] = {}
        self._codec = "cp1252"
        self._default_font = 0
        self._raw: list[str] = []
        self._to_skip = 0
        self._high_surrogate = 0

    def set_encoding(self, word: str, number: int) -> None:
        """Read a control word about the encoding of the whole file."""
        if word == "ansicpg":
            self._codec = codec_of_page(number)
        elif word == "deff":
            self._default_font = number
        elif word in _CODECS:
            self._codec = _CODECS[word]

    def define_font(self, number: int, word: str, value: int) -> None:
        """Read a control word of the table of fonts about a font."""
        if word == "f":
            self.fonts[number] = Font()
        elif number in self.fonts and word == "fcharset":
            self.fonts[number].codec = codec_of_charset(value)
            self.fonts[number].is_symbol = value == SYMBOL_CHARSET
        elif number in self.fonts and word == "cpg":
            self.fonts[number].codec = codec_of_page(value)

    def font(self, number: int) -> Font:
        """Return a font; the default one for a negative number."""
        return self.fonts.get(number if number >= 0 else self._default_font, Font())

    def add(self, text: str) -> None:
        """Add characters of the code page, less those that only replace a Unicode character."""
        skipped = min(self._to_skip, len(text))
        self._to_skip -= skipped
        # Characters of several bytes may mix codes and letters, so they are decoded together.
        self._raw.append(text[skipped:])

    def end_skipping(self) -> None:
        """Take the next characters as text: a replacement ends with its group or before a control word."""
        self._to_skip = 0

    def skips_symbol(self) -> bool:
        """Return whether a control symbol only replaces a Unicode character."""
        if not self._to_skip:
            return False
        self._to_skip -= 1
        return True

    def take(self, font_number: int) -> str:
        """Return the characters that were added, in the encoding of a font."""
        if not self._raw:
            return ""
        raw = "".join(self._raw)
        self._raw.clear()
        font = self.font(font_number)
        if font.is_symbol:
            text = "".join(symbol(font.name, ord(character)) for character in raw)
        else:
            text = raw if raw.isascii() else raw.encode("latin-1").decode(font.codec or self._codec, "replace")
        return text.translate(_CONTROL)

    def unicode(self, number: int, to_skip: int) -> str:
        """Return the character of a Unicode control word.

        Args:
            number: its code, negative from 0x8000 upwards; astral characters come as two surrogates.
            to_skip: number of characters after it that replace it.
        """
        self._to_skip = to_skip
        code = number + 0x10000 if number < 0 else number
        if 0xD800 <= code < 0xDC00:
            self._high_surrogate = code
            return ""
        high, self._high_surrogate = self._high_surrogate, 0
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
        return chr(code) if 0 < code <= 0x10FFFF and code not in _CONTROL else ""
