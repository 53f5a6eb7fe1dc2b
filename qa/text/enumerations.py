"""The parts of an enumeration such as "tea, coffee and juice" (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.types import Span

# A comma within a number, such as 1,000, is followed by no white space.
_SEPARATOR = re.compile(r"\s*(?:;\s|,\s+(?:and|or|&)\s|,\s|\s(?:and|or|&)\s)\s*", re.IGNORECASE)
_CONJUNCTION = re.compile(r"\b(?:and|or)\b|&", re.IGNORECASE)
_OPENING, _CLOSING = "([{“", ")]}”"
# A longer part is a clause.
_MAX_WORDS, _MAX_WORDS_OF_TWO = 8, 5
# In "9 and 17 May" and "one and a half" the first word is no part. In "May 3, 2024" the last one is none.
_NUMBER = re.compile(r"\d[\d.,:]*|one|two|three|four|five|six|seven|eight|nine|ten|a|half", re.IGNORECASE)
_BOTH = re.compile(r"(?:both|either|between|from)\s+", re.IGNORECASE)


def split_enumeration(text: str) -> list[Span]:
    """Return the parts of a text that is an enumeration; empty if it is one thing.

    Parts are separated by commas, semicolons, "and" and "or" outside brackets. Two parts need a conjunction, as a comma
    alone also separates a street from its town.

    Args:
        text: a short text, such as an answer.
    """
    depths = _bracket_depths(text)
    separators = [match for match in _SEPARATOR.finditer(text) if not depths[match.start()]]
    semicolons = [match for match in separators if match.group().strip() == ";"]
    separators = semicolons or separators
    if not separators:
        return []
    lead = _BOTH.match(text)
    starts = [lead.end() if lead else 0, *(match.end() for match in separators)]
    ends = [*(match.start() for match in separators), len(text)]
    parts = [Span(start, end) for start, end in zip(starts, ends, strict=True) if start < end]
    joined = any(_CONJUNCTION.search(match.group()) for match in separators)
    return parts if _are_parts([part.of(text) for part in parts], joined=joined) else []


def _are_parts(parts: Sequence[str], *, joined: bool) -> bool:
    """Return whether texts look like parts of an enumeration; `joined` says whether a conjunction joins any of them."""
    longest = max((len(part.split()) for part in parts), default=0)
    if len(parts) == 2:
        return joined and longest <= _MAX_WORDS_OF_TWO and not _NUMBER.fullmatch(parts[0])
    return len(parts) > 2 and longest <= _MAX_WORDS and (joined or not _NUMBER.fullmatch(parts[-1]))


def _bracket_depths(text: str) -> list[int]:
    """Return the number of brackets that are open before each character, and at the end."""
    depths = [0]
    for character in text:
        depth = depths[-1] + (character in _OPENING) - (character in _CLOSING)
        depths.append(max(0, depth))
    return depths
