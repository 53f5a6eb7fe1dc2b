"""Choose the encoding of a text from its bytes (pure).

A byte-order mark decides, then UTF-8. Text in neither is most often Windows-1252, the encoding of Western Windows
programs, so any other encoding needs evidence.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass

from charset_normalizer import from_bytes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # A UTF-32 mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_WESTERN = "cp1252"
# Western encodings of other systems: Mac OS before X, and DOS.
_OTHER_WESTERN = ("mac_roman", "cp850", "cp437")
# Escape sequences that select Japanese or Korean characters.
_ISO_2022 = ((re.compile(rb"\x1b\$[@B]|\x1b\([IJ]"), "iso2022_jp"), (re.compile(rb"\x1b\$\)C"), "iso2022_kr"))
_UTF_8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_NULS = re.compile(rb"\0+")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
# Control characters that occur in text: back space of overstruck print, tab, line ends, form feed, end of file,
# and escape of terminal colours.
_TEXT_CONTROLS = frozenset(b"\b\t\n\v\f\r\x1a\x1b")
_CONTROL_BYTES = bytes(byte for byte in (*range(32), 127) if byte not in _TEXT_CONTROLS)
_ODD_CATEGORIES = frozenset({"Cc", "Cn", "Co", "Cs"})
_QUOTES = frozenset("‘’“”«»–—…")
_FIT_WITHIN_WORD = {"’": 1, "‘": 0, "–": 0, "—": 0.5}
# In bytes: from how much of a long file the encoding is chosen, and how much is taken around a byte beyond ASCII.
_SAMPLE, _BEFORE, _AFTER = 200_000, 100, 1_000
# A byte that is no part of a longer character in any encoding of the legacy ones.
_SPACE = re.compile(rb"[ \t\r\n]")
_MAX_CONTROLS = 0.02
# Of UTF-16 without a mark: at most this share of characters that text does not have.
_MAX_ODD = 0.01
# At least this share of characters that nearly every text has: ASCII, which includes spaces and line ends.
_MIN_ASCII = 0.03
# In Latin alphabets a letter beyond ASCII has ASCII letters around it; in others they are next to each other.
_MAX_LATIN_ADJACENT = 0.5
# Fewer characters beyond ASCII than these give no evidence of another alphabet, or of another Latin encoding.
_MIN_OTHER_ALPHABET, _MIN_OTHER_LATIN = 8, 40
# How much better characters fit into their words in another Western encoding, of at most 2.
_MIN_BETTER_FIT = 0.7
# Bytes of symbols and quotation marks that Windows-1252 has and ISO 8859 has not.
_WINDOWS_BYTE = re.compile(rb"[\x80-\x9f]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec, and the length of the byte-order mark in bytes."""

    name: str
    mark: int = 0


def detect_encoding(data: bytes) -> Encoding | None:
    """Return the most likely encoding of a text; None if the bytes are not text.

    The bytes may be invalid in the encoding at some places: one damaged byte does not change the choice.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return Encoding(name, len(mark))
    sample = data[:_SAMPLE]
    if b"\0" in sample and (wide := _detect_wide(sample)):
        return Encoding(wide)
    for escape, name in _ISO_2022:
        if escape.search(sample) and _decodes(sample, name):
            return Encoding(name)
    if _share_of_controls(sample) > _MAX_CONTROLS:
        return None
    return Encoding("utf-8" if _is_utf_8(data) else _detect_legacy(_sample_high_bytes(data)))


def decode_head(data: bytes) -> str:
    """Return the start of a file as text in which ASCII is right, whatever its encoding."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    wide = _detect_wide(data) if b"\0" in data else None
    return data.decode(wide or "latin-1", "replace")


def _is_utf_8(data: bytes) -> bool:
    """Return whether the bytes are UTF-8, apart from fewer invalid bytes than there are characters beyond ASCII."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        rest, sequences = _UTF_8_SEQUENCE.subn(b"", data)
        # The end of a file may be cut within a character.
        invalid = len(_HIGH_BYTE.findall(rest))
        return sequences > 0 and invalid <= sequences
    return True


def _share_of_controls(data: bytes) -> float:
    # Padding around a text is no part of it, and a run of NUL bytes is one fault.
    data = _NULS.sub(b"\0", data.strip(b"\0") or data)
    return (len(data) - len(data.translate(None, _CONTROL_BYTES))) / max(1, len(data))


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        # The sample may end within a character.
        codecs.getincrementaldecoder(encoding)("strict").decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _detect_wide(data: bytes) -> str | None:
    """Return the order of UTF-16 or UTF-32 without a mark: the one in which the text has most ASCII characters."""
    best, best_share = None, _MIN_ASCII
    for name in _WIDE:
        unit = 4 if "32" in name else 2
        try:
            text = data[: len(data) // unit * unit].decode(name, "replace" if unit == 2 else "strict")
        except UnicodeDecodeError:
            continue
        count = sum(map(_is_plain, text))
        share = count / max(1, len(text))
        if count > 1 and share > best_share and sum(map(_is_odd, text)) <= _MAX_ODD * len(text):
            best, best_share = name, share
    return best


def _is_plain(character: str) -> bool:
    return " " <= character <= "~" or character in "\t\r\n"


def _is_odd(character: str) -> bool:
    return unicodedata.category(character) in _ODD_CATEGORIES and not character.isspace()


def _sample_high_bytes(data: bytes) -> bytes:
    """Return the start of a text, or pieces around its bytes beyond ASCII if the start has few of them."""
    start = data[:_SAMPLE]
    if len(start) == len(data) or len(_HIGH_BYTE.findall(start)) >= _MIN_OTHER_LATIN:
        return start
    pieces: list[bytes] = []
    size = end = 0
    while size < _SAMPLE and (high := _HIGH_BYTE.search(data, end)):
        first = max(end, high.start() - _BEFORE)
        # A piece that ends at a space does not cut a character.
        space = _SPACE.search(data, high.end() + _AFTER, high.end() + 2 * _AFTER)
        end = space.end() if space else high.end() + 2 * _AFTER
        pieces.append(data[first:end])
        size += end - first
    return b"".join(pieces)


def _detect_legacy(data: bytes) -> str:
    """Return the most likely of the encodings from before Unicode."""
    high = len(_HIGH_BYTE.findall(data))
    adjacent = high - len(_HIGH_RUN.findall(data))
    is_latin = high < _MIN_OTHER_ALPHABET or adjacent <= _MAX_LATIN_ADJACENT * high
    if is_latin:
        western = _detect_western(data)
        if western != _WESTERN or high < _MIN_OTHER_LATIN:
            return western
    matches = from_bytes(data)
    best = matches.best()
    fitting = [match for match in matches if _WESTERN in match.could_be_from_charset]
    if best is None or (fitting and fitting[0].chaos <= best.chaos):
        return _WESTERN
    return best.encoding


def _detect_western(data: bytes) -> str:
    fits = {name: _mean_fit(data, name) for name in (_WESTERN, *_OTHER_WESTERN)}
    best = max(_OTHER_WESTERN, key=lambda name: fits[name])
    if fits[best] >= fits[_WESTERN] + _MIN_BETTER_FIT:
        return best
    # The byte of the euro sign in ISO 8859-15 is that of the currency sign, which texts do not have.
    return "iso8859_15" if b"\xa4" in data and not _WINDOWS_BYTE.search(data) else _WESTERN


def _mean_fit(data: bytes, encoding: str) -> float:
    """Return how well the characters beyond ASCII fit into their words, between -1 and 1."""
    text = f" {data.decode(encoding, 'replace')} "
    fits = [_fit(*text[n - 1 : n + 2]) for n, character in enumerate(text) if not character.isascii()]
    return sum(fits) / max(1, len(fits))


def _fit(before: str, character: str, after: str) -> float:
    """Return how likely a character beyond ASCII is between its neighbours, between -1 and 1."""
    if character == "\ufffd" or unicodedata.category(character) in _ODD_CATEGORIES:
        return -1
    if character.isalpha():
        # An upper-case letter does not follow a lower-case one, nor is a letter next to a digit.
        is_odd = (character.isupper() and before.islower()) or before.isdigit() or after.isdigit()
        return -1 if is_odd else 1 if before.isalpha() or after.isalpha() else 0
    if before.isalpha() and after.isalpha():
        # Of all symbols, only apostrophes and dashes are within words.
        return _FIT_WITHIN_WORD.get(character, -1)
    return 1 if character in _QUOTES else 0.5
