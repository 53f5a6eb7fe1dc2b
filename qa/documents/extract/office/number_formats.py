"""Numbers of lists, headings and notes in the formats that word processors offer (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable

_ROMAN = {1000: "m", 900: "cm", 500: "d", 400: "cd", 100: "c", 90: "xc", 50: "l", 40: "xl", 10: "x", 9: "ix", 5: "v"}
_ROMAN |= {4: "iv", 1: "i"}
_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
_ONES += "seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_IRREGULAR = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_IRREGULAR |= {"twelve": "twelfth"}
# Numbers above these are written in digits: Word's Roman numerals end there, and longer letters help no reader.
_MAX_ROMAN, _MAX_LETTERS, _MAX_WORDS = 3999, 26 * 10, 99

# What is left of "Page 3 of 9" without its numbers.
_PAGE_LABEL = re.compile(r"[\W\d_]*(?:(?:page|p|of)[\W\d_]*)*", re.IGNORECASE)


def is_page_label(text: str) -> bool:
    """Return whether a text only says that it is the number of a page."""
    return bool(_PAGE_LABEL.fullmatch(text))


def to_letters(number: int) -> str:
    """Return a to z, then aa, bb and so on, as word processors count."""
    if not 1 <= number <= _MAX_LETTERS:
        return str(number)
    repeats, letter = divmod(number - 1, 26)
    return chr(ord("a") + letter) * (repeats + 1)


def to_roman(number: int) -> str:
    """Return a Roman numeral in lower case."""
    if not 1 <= number <= _MAX_ROMAN:
        return str(number)
    numeral = ""
    for value, letters in _ROMAN.items():
        count, number = divmod(number, value)
        numeral += letters * count
    return numeral


def to_ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd and so on."""
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def to_words(number: int) -> str:
    """Return a number in words, up to 99."""
    if not 0 <= number <= _MAX_WORDS:
        return str(number)
    ones = _ONES.split()
    if number < len(ones):
        return ones[number]
    tens, rest = divmod(number, 10)
    word = _TENS.split()[tens - 2]
    return f"{word}-{ones[rest]}" if rest else word


def to_ordinal_words(number: int) -> str:
    """Return first, second and so on, up to 99."""
    words = to_words(number)
    if words.isdecimal():
        return to_ordinal(number)
    head, hyphen, last = words.rpartition("-")
    last = _IRREGULAR.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return f"{head}{hyphen}{last}"


def _circled(number: int) -> str:
    return chr(0x2460 + number - 1) if 1 <= number <= 20 else str(number)


_WORD_FORMATS: dict[str, Callable[[int], str]] = {
    "decimalZero": lambda number: f"{number:02d}",
    "lowerLetter": to_letters,
    "upperLetter": lambda number: to_letters(number).upper(),
    "lowerRoman": to_roman,
    "upperRoman": lambda number: to_roman(number).upper(),
    "ordinal": to_ordinal,
    "cardinalText": lambda number: to_words(number).capitalize(),
    "ordinalText": lambda number: to_ordinal_words(number).capitalize(),
    "decimalEnclosedCircle": _circled,
    "numberInDash": lambda number: f"- {number} -",
    "hex": lambda number: f"{number:X}",
    "none": lambda _: "",
}
_WORD_FORMATS["decimalEnclosedCircleChinese"] = _circled
_OPEN_DOCUMENT_FORMATS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman", "": "none"}


def format_number(number: int, format: str) -> str:
    """Return a number in a format of Word, such as `lowerRoman`; in digits if the format is unknown."""
    return _WORD_FORMATS.get(format, str)(number)


def format_open_document_number(number: int, format: str) -> str:
    """Return a number in a format of OpenDocument, such as `i`."""
    return format_number(number, _OPEN_DOCUMENT_FORMATS.get(format, "decimal"))
