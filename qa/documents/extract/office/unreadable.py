"""What a word processor's document has beside text that can be read (pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from qa.documents.extract.text_builder import TextBuilder

# With less text for each picture, the document may be one of scanned pages.
_TEXT_PER_PICTURE = 300


@dataclass(slots=True)
class Unreadable:
    """Counts of pictures, comments and embedded objects (by the program that made them), and other reasons."""

    pictures: int = 0
    comments: int = 0
    objects: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)

    def report(self, builder: TextBuilder) -> None:
        """Record what the text of a complete document lacks; pictures only if there is little else."""
        if self.pictures and len(builder.build().text) < _TEXT_PER_PICTURE * self.pictures:
            builder.report_unread(f"{count(self.pictures, 'picture')}, perhaps of text")
        for program, number in sorted(self.objects.items()):
            builder.report_unread(f"{count(number, 'embedded object')}{f' ({program})' if program else ''}")
        if self.comments:
            builder.report_unread(f"{count(self.comments, 'comment')} in the margin, which the text leaves out")
        for reason in dict.fromkeys(self.reasons):
            builder.report_unread(reason)


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as `2 pictures`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
