"""Rebuild paragraphs, headings and whole words from the lines of PDF pages (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

# A line continues the paragraph of the previous line if it is at most this many of its heights below that line, and
# if the ratio of the two heights is at most the second value.
LINE_STEP, _MAX_HEIGHT_RATIO = 1.7, 1.25
# A line at least this wide, as a share of the widest in its column, flows into the next one.
_FULL_WIDTH = 0.85
# In points: lines whose left edges round to the same multiple are in one column.
_COLUMN_GRID = 12
_MAX_HEADING_LINES = 3
_MIN_PAGES = 3
_MAX_NUMBERS = 4
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_ITEM = re.compile(r"[•‣▪◦–*-] |\(?(\d{1,2}|[a-z])[.)] ")
_DIGITS = re.compile(r"\d{1,9}")
_HYPHEN = re.compile(r"[^\W_]-$")
# Stripped from both ends of a word.
_PUNCTUATION = ".,;:!?\"'“”‘’()[]"

# Skips the first and the last word of a line, which may be parts of hyphenated words.
_INNER = slice(1, -1)

_Pattern = tuple[str, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page and its box, in points from the lower left corner.

    Attributes:
        text: the line.
        left: left edge.
        right: right edge.
        bottom: lower edge.
        height: height of the box.
        ends_mid_word: whether the last word continues on the next line.
        words: the words between white space, each with its left and right edge.
        is_row: whether the line is a table row, with bars between its cells.
    """

    text: str
    left: float
    right: float
    bottom: float
    height: float
    ends_mid_word: bool
    words: Sequence[tuple[str, float, float]] = ()
    is_row: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A title of the outline; `on_page` if the page has it as a line."""

    text: str
    on_page: bool


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph or a table; `ends_mid_word` if its last word continues on the next page."""

    text: str
    ends_mid_word: bool = False
    is_table: bool = False


_Section = tuple[Heading | None, list[Paragraph]]


def group_by_heading(lines: Sequence[Line], titles: Sequence[str]) -> Iterator[_Section]:
    """Yield the paragraphs of a page under its headings, first those before any heading.

    Args:
        lines: the lines of the page.
        titles: the titles that the outline has on this page. A title may span several lines; a title that is on
            no line applies from the top of the page.
    """
    headings: dict[int, tuple[int, str]] = {}
    missing = None
    for title in titles:
        match = next((match for match in _find_title(lines, title) if match[0] not in headings), None)
        if match:
            headings[match[0]] = (match[1], " ".join(line.text for line in lines[match[0] : match[1]]))
        else:
            missing = title
    starts = sorted(headings)
    first = starts[0] if starts else len(lines)
    yield Heading(missing, on_page=False) if missing else None, list(_join_paragraphs(lines[:first]))
    for start, following in zip(starts, [*starts, len(lines)][1:], strict=True):
        end, text = headings[start]
        yield Heading(text, on_page=True), list(_join_paragraphs(lines[end:following]))


def _find_title(lines: Sequence[Line], title: str) -> Iterator[tuple[int, int]]:
    """Yield the half-open range of each run of lines that reads as the title."""
    for start in range(len(lines)):
        for end in range(start + 1, min(start + _MAX_HEADING_LINES, len(lines)) + 1):
            if _is_title(title, " ".join(line.text for line in lines[start:end])):
                yield start, end


def _join_paragraphs(lines: Sequence[Line]) -> Iterator[Paragraph]:
    widest: dict[int, float] = {}
    for line in lines:
        widest[_column(line)] = max(widest.get(_column(line), 0.0), line.right - line.left)
    text, previous = "", None
    for line in lines:
        if previous is None:
            text = line.text
        elif previous.ends_mid_word:
            text += line.text
        elif previous.is_row and line.is_row:
            text += "\n" + line.text
        elif previous.is_row or line.is_row or not _continues(previous, line):
            yield Paragraph(text, is_table=previous.is_row)
            text = line.text
        else:
            # A short line ends where its author ended it, as in an address; a full one flows into the next.
            is_full = previous.right - previous.left >= _FULL_WIDTH * widest[_column(previous)]
            text += (" " if is_full and not _ITEM.match(line.text) else "\n") + line.text
        previous = line
    if previous:
        yield Paragraph(text, previous.ends_mid_word, previous.is_row)


def _column(line: Line) -> int:
    return round(line.left / _COLUMN_GRID)


def _continues(previous: Line, line: Line) -> bool:
    """Return whether a line continues the paragraph of the previous one, which may be in another column."""
    is_similar = max(previous.height, line.height) <= _MAX_HEIGHT_RATIO * min(previous.height, line.height)
    if is_similar and 0 < previous.bottom - line.bottom <= LINE_STEP * line.height:
        return True
    return not _SENTENCE_END.search(previous.text) and line.text[:1].islower()


def remove_running_heads(pages: Sequence[Sequence[Line]]) -> list[Sequence[Line]]:
    """Return pages without the first and last lines that most pages share, apart from the page number."""
    trimmed = list(pages)
    for edge in (0, -1):
        pages_by_pattern: dict[_Pattern, list[int]] = {}
        for number, lines in enumerate(trimmed):
            # A page's only line is never removed.
            for pattern in _patterns(lines[edge].text, number) if len(lines) > 1 else ():
                pages_by_pattern.setdefault(pattern, []).append(number)
        enough = max(_MIN_PAGES, len(pages) / 2)
        for number in {number for numbers in pages_by_pattern.values() if len(numbers) >= enough for number in numbers}:
            trimmed[number] = trimmed[number][1:] if edge == 0 else trimmed[number][:-1]
    return trimmed


def _patterns(text: str, page: int) -> Iterator[_Pattern]:
    """Yield the patterns that a line may share with other pages: each number is constant or rises with the page."""
    numbers = [int(digits) for digits in _DIGITS.findall(text)]
    choices = (
        [((n, 0), (n - page, 1)) for n in numbers] if len(numbers) <= _MAX_NUMBERS else [((n, 0),) for n in numbers]
    )
    for choice in product(*choices):
        yield _DIGITS.sub("0", text), choice


def resolve_hyphens(pages: Sequence[Sequence[Line]]) -> Iterator[Sequence[Line]]:
    """Yield pages in which each line that ends inside a hyphenated word has `Line.ends_mid_word`.

    PDFium detects such words only between adjacent lines, and drops the hyphen of each. A hyphen that belongs to the
    word is restored.
    """
    vocabulary = {
        word.strip(_PUNCTUATION).casefold() for lines in pages for line in lines for word in line.text.split()[_INNER]
    }
    for lines, next_page in zip(pages, [*pages[1:], ()], strict=True):
        following = [*lines[1:], next_page[0] if next_page else None]
        yield [
            _resolve_hyphen(line, next_line, vocabulary, same_page=number < len(lines))
            for number, (line, next_line) in enumerate(zip(lines, following, strict=True), 1)
        ]


def _resolve_hyphen(line: Line, following: Line | None, vocabulary: Collection[str], *, same_page: bool) -> Line:
    if line.ends_mid_word and following:
        return restore_hyphen(line) if _keeps_hyphen(line.text, following.text, vocabulary) else line
    if not following or line.is_row or not _HYPHEN.search(line.text):
        return line
    if following.text[:1].islower() or (same_page and following.text[:1].isalnum() and _continues(line, following)):
        keeps = _keeps_hyphen(line.text[:-1], following.text, vocabulary)
        return replace(line, text=line.text if keeps else line.text[:-1], ends_mid_word=True)
    return line


def _keeps_hyphen(before: str, after: str, vocabulary: Collection[str]) -> bool:
    """Return whether a hyphen at a line end belongs to the word.

    It does if the text uses the hyphenated word elsewhere, before a capital or a digit, or next to further hyphens.

    Args:
        before: the line that ends with the first part of the word, without its hyphen.
        after: the next line.
        vocabulary: the words inside all lines, in casefolded form.
    """
    first, second = before.rpartition(" ")[2].strip(_PUNCTUATION), after.partition(" ")[0].strip(_PUNCTUATION)
    if f"{first}-{second}".casefold() in vocabulary:
        return True
    if not second[:1].islower() and not (len(first) > 1 and first.isupper() and second.isupper()):
        return True
    return first.count("-") > 1 or ("-" in first and ("-" in second or second.casefold() in vocabulary))


def restore_hyphen(line: Line) -> Line:
    """Return a line that ends in the middle of a word with the hyphen that PDFium dropped."""
    *earlier, (word, left, right) = line.words
    return replace(line, text=line.text + "-", words=[*earlier, (word + "-", left, right)])


def _is_title(title: str, text: str) -> bool:
    return title.casefold() == re.sub(r"^[\d.]+\s+", "", text).casefold() or title.casefold() == text.casefold()


def ends_sentence(text: str) -> bool:
    """Return whether a paragraph ends where a sentence does."""
    return _SENTENCE_END.search(text) is not None
