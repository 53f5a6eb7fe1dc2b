"""Lines on pages ─► paragraphs under headings (pure): what a PDF does not tell, and a reader sees."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

# A line belongs to the paragraph of the one above within so many of its heights, and if they are about as high.
STEP, _ALIKE = 1.7, 1.25
# A line that reaches so far, of the widest in its column, runs on in the next.
_FULL = 0.85
# Points: lines that begin so near to each other stand in one column.
_COLUMN = 12
_HEADING_LINES = 3
_FEWEST_PAGES = 3
_MOST_NUMBERS = 4
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_ITEM = re.compile(r"[•‣▪◦–*-] |\(?(\d{1,2}|[a-z])[.)] ")
_DIGITS = re.compile(r"\d{1,9}")
_HYPHEN = re.compile(r"[^\W_]-$")
# Around a word, and no part of it.
_MARKS = ".,;:!?\"'“”‘’()[]"

# The first and the last word of a line may be parts of one.
_INNER = slice(1, -1)

_Shape = tuple[str, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its box, in points from the lower left corner; `broken` if its last word goes on in the next.

    `words` are what stands between white space, with the left and the right edge of each. `is_row` if it is one of a
    table, with bars between its cells.
    """

    text: str
    left: float
    right: float
    bottom: float
    height: float
    broken: bool
    words: Sequence[tuple[str, float, float]] = ()
    is_row: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A title of the outline; `stands` where a line of the page is it."""

    text: str
    stands: bool


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, or a table; `broken` if it ends in the middle of a word."""

    text: str
    broken: bool = False
    is_table: bool = False


_Part = tuple[Heading | None, list[Paragraph]]


def headed(lines: Sequence[Line], titles: Sequence[str]) -> Iterator[_Part]:
    """Yield a page's paragraphs under the headings that the outline has on it, first those before any.

    A heading may take several lines. A title that no line is counts from the top of the page.
    """
    found: dict[int, tuple[int, str]] = {}
    missing = None
    for title in titles:
        place = next((p for p in _places(lines, title) if p[0] not in found), None)
        if place:
            found[place[0]] = (place[1], " ".join(line.text for line in lines[place[0] : place[1]]))
        else:
            missing = title
    edges = sorted(found)
    first = edges[0] if edges else len(lines)
    yield Heading(missing, stands=False) if missing else None, list(_paragraphs(lines[:first]))
    for start, following in zip(edges, [*edges, len(lines)][1:], strict=True):
        end, text = found[start]
        yield Heading(text, stands=True), list(_paragraphs(lines[end:following]))


def _places(lines: Sequence[Line], title: str) -> Iterator[tuple[int, int]]:
    """Yield the first line of each run of lines that is a title, and the one behind the last."""
    for start in range(len(lines)):
        for end in range(start + 1, min(start + _HEADING_LINES, len(lines)) + 1):
            if _same(title, " ".join(line.text for line in lines[start:end])):
                yield start, end


def _paragraphs(lines: Sequence[Line]) -> Iterator[Paragraph]:
    widest: dict[int, float] = {}
    for line in lines:
        widest[_column(line)] = max(widest.get(_column(line), 0.0), line.right - line.left)
    text, above = "", None
    for line in lines:
        if above is None:
            text = line.text
        elif above.broken:
            text += line.text
        elif above.is_row and line.is_row:
            text += "\n" + line.text
        elif above.is_row or line.is_row or not _goes_on(above, line):
            yield Paragraph(text, is_table=above.is_row)
            text = line.text
        else:
            # A line that reaches as far as those that begin where it does runs on in the next.
            full = above.right - above.left >= _FULL * widest[_column(above)]
            text += (" " if full and not _ITEM.match(line.text) else "\n") + line.text
        above = line
    if above:
        yield Paragraph(text, above.broken, above.is_row)


def _column(line: Line) -> int:
    return round(line.left / _COLUMN)


def _goes_on(above: Line, line: Line) -> bool:
    """Tell whether a line belongs to the paragraph of the one above, be it in the next column."""
    alike = max(above.height, line.height) <= _ALIKE * min(above.height, line.height)
    if alike and 0 < above.bottom - line.bottom <= STEP * line.height:
        return True
    return not _SENTENCE_END.search(above.text) and line.text[:1].islower()


def without_running_heads(pages: Sequence[Sequence[Line]]) -> list[Sequence[Line]]:
    """Return pages without their first and last lines where most have the same, but for the number of the page."""
    kept = list(pages)
    for edge in (0, -1):
        at: dict[_Shape, list[int]] = {}
        for number, lines in enumerate(kept):
            # Never a page's only line.
            for shape in _shapes(lines[edge].text, number) if len(lines) > 1 else ():
                at.setdefault(shape, []).append(number)
        enough = max(_FEWEST_PAGES, len(pages) / 2)
        for number in {number for numbers in at.values() if len(numbers) >= enough for number in numbers}:
            kept[number] = kept[number][1:] if edge == 0 else kept[number][:-1]
    return kept


def _shapes(text: str, page: int) -> Iterator[_Shape]:
    """Yield what a line may have in common with those of other pages: each number is the same, or rises with theirs."""
    numbers = [int(digits) for digits in _DIGITS.findall(text)]
    choices = (
        [((n, 0), (n - page, 1)) for n in numbers] if len(numbers) <= _MOST_NUMBERS else [((n, 0),) for n in numbers]
    )
    for chosen in product(*choices):
        yield _DIGITS.sub("0", text), chosen


def whole_words(pages: Sequence[Sequence[Line]]) -> Iterator[Sequence[Line]]:
    """Yield pages, told where the last word of a line goes on in the next: PDFium sees that of neighbours only.

    It leaves out the hyphen of every word that a line's end breaks; those that are the word's own come back.
    """
    written = {word.strip(_MARKS).casefold() for lines in pages for line in lines for word in line.text.split()[_INNER]}
    for lines, following in zip(pages, [*pages[1:], ()], strict=True):
        below = [*lines[1:], following[0] if following else None]
        yield [
            _mended(line, then, written, neighbours=place < len(lines))
            for place, (line, then) in enumerate(zip(lines, below, strict=True), 1)
        ]


def _mended(line: Line, below: Line | None, written: Collection[str], *, neighbours: bool) -> Line:
    if line.broken and below:
        return with_hyphen(line) if _is_its_own(line.text, below.text, written) else line
    if not below or line.is_row or not _HYPHEN.search(line.text):
        return line
    if below.text[:1].islower() or (neighbours and below.text[:1].isalnum() and _goes_on(line, below)):
        own = _is_its_own(line.text[:-1], below.text, written)
        return replace(line, text=line.text if own else line.text[:-1], broken=True)
    return line


def _is_its_own(begins: str, ends: str, written: Collection[str]) -> bool:
    """Tell whether the hyphen at which a word was broken is the word's: before a name, between others, or by usage."""
    first, second = begins.rpartition(" ")[2].strip(_MARKS), ends.partition(" ")[0].strip(_MARKS)
    if f"{first}-{second}".casefold() in written:
        return True
    if not second[:1].islower() and not (len(first) > 1 and first.isupper() and second.isupper()):
        return True
    return first.count("-") > 1 or ("-" in first and ("-" in second or second.casefold() in written))


def with_hyphen(line: Line) -> Line:
    """Return a line that is broken with the hyphen at which it is."""
    *before, (word, left, right) = line.words
    return replace(line, text=line.text + "-", words=[*before, (word + "-", left, right)])


def _same(title: str, text: str) -> bool:
    return title.casefold() == re.sub(r"^[\d.]+\s+", "", text).casefold() or title.casefold() == text.casefold()


def ends_sentence(text: str) -> bool:
    """Tell whether a paragraph ends where a sentence does."""
    return _SENTENCE_END.search(text) is not None
