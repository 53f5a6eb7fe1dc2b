"""Find tables of contents and indexes of books among the lines of PDF pages (pure).

They name what other pages say, so no answer is in them. A table of contents has entries that end in rising page
numbers, after dots or below a title such as "Contents". An index has entries in alphabetical order that end in page
numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from qa.documents.extract.pdf.layout import Line

_TITLE = re.compile(
    r"(?:[\divx]+\.?\s+)?(?:(?:table of |brief |detailed |summary of )?contents?(?: in brief)?|"
    r"(?:list|table) of (?:figures|tables|illustrations|examples|listings|algorithms|abbreviations|boxes|maps))"
    r"(?: \(?continued\)?)?",
    re.IGNORECASE,
)
_INDEX_TITLE = re.compile(
    r"(?:(?:general|subject|name|author|keyword|command|function|concept|alphabetical|topic|term|variable|option) )?"
    r"index(?: of \w+(?: \w+)?)?(?: \(?continued\)?)?",
    re.IGNORECASE,
)
_NUMBER = r"(?:\d{1,4}|[ivxlc]{1,7}|[A-Z]{1,2}[-.]?\d{1,3}|\d{1,2}[-–]\d{1,3})"
_LEADER = re.compile(rf"(?:(?:\.\s?){{4,}}|(?:[·•…_]\s?){{3,}}).{{0,3}}?\s*{_NUMBER}$")
_ENTRY = re.compile(rf"\D.*\D\s+({_NUMBER})$|.*[^\W\d].*?[\s.]({_NUMBER})$")
_INDEX_ENTRY = re.compile(
    r"(?P<term>[^\W\d].*?)(?:,|\s|\.{2,})\s*(?:\d{1,4}|[ivxlc]{1,6})(?:[-–]\d{1,4})?(?:f|ff|n|t)?\.?"
    r"(?:[,;]\s*\d{1,4}(?:[-–]\d{1,4})?(?:f|ff|n|t)?)*[,;]?$"
)
_PAGES_ONLY = re.compile(r"\d{1,4}(?:[-–]\d{1,4})?(?:,\s*\d{1,4}(?:[-–]\d{1,4})?)*[,.]?$")
_SEE = re.compile(r"\bsee (?:also )?\w", re.IGNORECASE)
_MIN_ENTRIES, _MIN_INDEX_ENTRIES = 3, 8
# The most lines between two entries: long titles take two lines.
_MAX_BETWEEN = 2
# The least share of entries among the lines of a run, and of entries in order.
_SHARE, _ORDER = 0.5, 0.85
# In an index without a title: the share of entries, and of entries with several pages.
_INDEX_SHARE, _SEVERAL_SHARE = 0.7, 0.25
_SEVERAL = re.compile(r",\s*\d+(?:[-–]\d+)?,\s*\d+|\d[-–]\d")
# In characters: no entry is longer.
_MAX_ENTRY = 300
# Without a title: the least number of pages of the file, because price lists and directories look like tables of
# contents, and how far page numbers may exceed it.
_MIN_PAGES, _EXTRA_PAGES = 5, 30


def find_contents(pages: Sequence[Sequence[Line]]) -> list[list[range]]:
    """Return for each page the ranges of lines that are a table of contents or an index."""
    found: list[list[range]] = []
    is_contents = is_index = False
    for lines in pages:
        texts = [line.text if len(line.text) <= _MAX_ENTRY else "" for line in lines]
        ranges = list(_find_tables(texts, len(pages), continues=is_contents))
        is_contents = bool(ranges) and ranges[-1].stop >= len(texts) - _MAX_BETWEEN
        if not ranges:
            title = _find_title(texts, _INDEX_TITLE)
            start = title + 1 if title is not None else 0
            is_index = _is_index(texts[start:], len(pages), has_title=is_index or title is not None)
            if is_index:
                ranges = [range(start - 1 if title is not None else 0, len(texts))]
        else:
            is_index = False
        found.append(ranges)
    return found


def _find_title(texts: Sequence[str], pattern: re.Pattern[str]) -> int | None:
    return next((number for number, text in enumerate(texts) if pattern.fullmatch(text.strip())), None)


def _find_tables(texts: Sequence[str], pages: int, *, continues: bool) -> Iterator[range]:
    """Yield the ranges of a page's lines that are tables of contents."""
    title = _find_title(texts, _TITLE)
    is_entry = [_LEADER.search(text) is not None for text in texts]
    if title is not None or continues:
        for number in range(title or 0, len(texts)):
            is_entry[number] = is_entry[number] or _ENTRY.fullmatch(texts[number]) is not None
    for run in _runs(is_entry):
        entries = [texts[number] for number in run if is_entry[number]]
        values = [value for text in entries if (value := _last_number(text)) is not None]
        has_title = title is not None and title < run.stop and run.start - title <= _MAX_BETWEEN + 1
        in_order = sum(after >= before for before, after in pairwise(values)) >= _ORDER * (len(values) - 1)
        if len(entries) < _MIN_ENTRIES or len(entries) < _SHARE * len(run) or not in_order:
            continue
        is_plausible = pages >= _MIN_PAGES and (not values or max(values) <= pages + _EXTRA_PAGES)
        if has_title or continues or is_plausible:
            start = title if title is not None and has_title and title < run.start else run.start
            yield range(start, run.stop)


def _runs(is_entry: Sequence[bool]) -> Iterator[range]:
    """Yield the ranges from an entry to the last one before a longer gap."""
    start = last = -1
    for number, entry in enumerate(is_entry):
        if not entry:
            continue
        if start >= 0 and number - last > _MAX_BETWEEN + 1:
            yield range(start, last + 1)
            start = number
        elif start < 0:
            start = number
        last = number
    if start >= 0:
        yield range(start, last + 1)


def _last_number(text: str) -> int | None:
    digits = re.search(r"(\d{1,4})$", text)
    return int(digits[1]) if digits else None


def _is_index(texts: Sequence[str], pages: int, *, has_title: bool) -> bool:
    """Return whether the lines of a page are entries of an index."""
    matches = [_INDEX_ENTRY.fullmatch(text) for text in texts]
    entries = [match["term"].casefold() for match in matches if match]
    others = sum(
        len(text.strip()) <= 2 or _PAGES_ONLY.fullmatch(text) is not None or _SEE.search(text) is not None
        for text, match in zip(texts, matches, strict=True)
        if not match
    )
    least = _MIN_ENTRIES if has_title else _MIN_INDEX_ENTRIES
    share = _SHARE if has_title else _INDEX_SHARE
    if len(entries) < least or len(entries) + others < share * len(texts):
        return False
    initials = [entry[0] for entry in entries]
    ascending = sum(after >= before for before, after in pairwise(initials))
    several = sum(match is not None and _SEVERAL.search(match[0]) is not None for match in matches)
    leaders = sum(match is not None and _LEADER.search(match[0]) is not None for match in matches)
    numbers = [
        int(number) for match in matches if match for number in re.findall(r"\d+", match[0][match.end("term") :])
    ]
    is_plain = has_title or (
        max(several / _SEVERAL_SHARE, leaders / _SHARE) >= len(entries)
        and pages >= _MIN_PAGES
        and max(numbers, default=0) <= pages + _EXTRA_PAGES
    )
    return is_plain and ascending >= _INDEX_SHARE * (len(initials) - 1)
