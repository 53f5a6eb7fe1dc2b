"""What a word processor's document has beside text that can be read (pure)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from qa.documents.extract.text_builder import TextBuilder

# With less text for each picture, the document may be one of scanned pages.
_TEXT_PER_PICTURE = 300
# In square centimetres. A small picture is an icon, a logo or a signature; a large one may be a scanned page or letter.
_SMALL, _LARGE = 12, 80
_LENGTH = re.compile(r"\s*(\d{1,6}(?:\.\d{1,20})?)\s*(cm|mm|in|pt|pc|px)\s*")
_CENTIMETRES = {"cm": 1, "mm": 0.1, "in": 2.54, "pt": 2.54 / 72, "pc": 2.54 / 6, "px": 2.54 / 96}


@dataclass(slots=True)
class Unreadable:
    """Counts of pictures, comments and embedded objects (by the program that made them), and other reasons."""

    pictures: int = 0
    large_pictures: int = 0
    comments: int = 0
    objects: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)

    def add_picture(self, width: float, height: float) -> None:
        """Count a picture unless it is small.

        Args:
            width: its width in centimetres; 0 if the file does not say.
            height: its height, in the same way.
        """
        area = width * height
        self.pictures += area == 0 or area >= _SMALL
        self.large_pictures += area >= _LARGE

    def report(self, builder: TextBuilder) -> None:
        """Record what the text of a complete document lacks; of its pictures only large ones if it has much text."""
        if self.pictures and len(builder.build().text) < _TEXT_PER_PICTURE * self.pictures:
            builder.report_unread(f"{count(self.pictures, 'picture')}, perhaps of text")
        elif self.large_pictures:
            builder.report_unread(f"{count(self.large_pictures, 'large picture')}, perhaps of text")
        for program, number in sorted(self.objects.items()):
            builder.report_unread(f"{count(number, 'embedded object')}{f' ({program})' if program else ''}")
        if self.comments:
            builder.report_unread(f"{count(self.comments, 'comment')} in the margin, which the text leaves out")
        for reason in dict.fromkeys(self.reasons):
            builder.report_unread(reason)


def centimetres(length: str | None) -> float:
    """Return a length such as `8.5cm` or `240pt` in centimetres; 0 for any other text."""
    match = _LENGTH.fullmatch(length or "")
    return float(match[1]) * _CENTIMETRES[match[2]] if match else 0


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as `2 pictures`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
