"""Rebuild paragraphs, headings and whole words from the lines of PDF pages (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from qa.text.tables import ROW_SEPARATOR

# A line continues the paragraph of the previous line if it is at most this many of its heights below that line, and
# if the ratio of the two heights is at most the second value.
LINE_STEP, _MAX_HEIGHT_RATIO = 1.7, 1.25
# The same for the lines of a program listing, which has blank lines.
LISTING_STEP = 3.0
# A line at least this wide, as a share of the widest in its column, flows into the next one.
_FULL_WIDTH = 0.85
# In points: lines whose left edges round to the same multiple are in one column.
_COLUMN_GRID = 12
_MAX_HEADING_LINES = 3
# In line heights: the width of a space.
_SPACE = 0.25
# Dots between a title and its number, as in a table of contents.
LEADERS = re.compile(r"(?:\. ?){4}")
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_ITEM = re.compile(r"[•‣▪◦–*-] |\(?(\d{1,2}|[a-z])[.)] ")
_HYPHEN = re.compile(r"[^\W_]-$")
# Stripped from both ends of a word.
_PUNCTUATION = ".,;:!?\"'“”‘’()[]"

# Skips the first and the last word of a line, which may be parts of hyphenated words.
_INNER = slice(1, -1)


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a table row.

    Attributes:
        cells: the text of each cell; an empty cell keeps its place.
        parts: the lines that the cells were read from, in the order of the cells.
        starts_table: whether this is the first row of its table.
        is_header: whether the row names the columns.
        labelled: whether the first cell of each row of the table names what the row is about.
    """

    cells: Sequence[str]
    parts: Sequence[Line]
    starts_table: bool = False
    is_header: bool = False
    labelled: bool = False


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
        row: the cells, if the line is a table row; `text` has bars between them.
        is_code: whether the line belongs to a program listing, which keeps its line ends.
    """

    text: str
    left: float
    right: float
    bottom: float
    height: float
    ends_mid_word: bool
    words: Sequence[tuple[str, float, float]] = ()
    row: Row | None = None
    is_code: bool = False

    @property
    def cells(self) -> Sequence[str]:
        """The cells of a table row; empty for other lines."""
        return self.row.cells if self.row else ()

    @property
    def parts(self) -> Sequence[Line]:
        """The lines of the page that this line was made from, in the order of its text."""
        return self.row.parts if self.row else (self,)


@dataclass(frozen=True, slots=True)
class Heading:
    """A title of the outline; `on_page` if the page has it as a line."""

    text: str
    on_page: bool


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, a program listing or a table.

    Attributes:
        text: the paragraph.
        ends_mid_word: whether its last word continues on the next page.
        is_code: whether it is a listing.
        rows: the cells of each row, if it is a table.
        header_rows: number of rows at the start that name the columns.
        labelled: whether the first cell of a row names what the row is about.
    """

    text: str
    ends_mid_word: bool = False
    is_code: bool = False
    rows: Sequence[Sequence[str]] = ()
    header_rows: int = 0
    labelled: bool = False

    @property
    def is_table(self) -> bool:
        """Whether the paragraph is a table."""
        return bool(self.rows)


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
    for block in _split_blocks(lines):
        if block[0].row:
            yield _build_table(block)
            continue
        text = block[0].text
        for previous, line in pairwise(block):
            # A short line ends where its author ended it, as in an address; a full one flows into the next.
            width = widest[_column(previous)]
            is_full = previous.right - previous.left >= _FULL_WIDTH * width or is_wrapped(
                previous, line, previous.left + width
            )
            if previous.ends_mid_word:
                text += line.text
            elif is_full and not line.is_code and not _ITEM.match(line.text):
                text += " " + line.text
            else:
                text += "\n" + line.text
        yield Paragraph(text, block[-1].ends_mid_word, block[-1].is_code)


def _split_blocks(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """Yield the lines of each paragraph, listing and table."""
    start = 0
    for number, (previous, line) in enumerate(pairwise(lines), 1):
        if line.row:
            is_same = previous.row is not None and not line.row.starts_table
        elif previous.row or previous.is_code != line.is_code:
            is_same = False
        elif line.is_code:
            is_same = 0 < previous.bottom - line.bottom <= LISTING_STEP * line.height
        else:
            is_same = previous.ends_mid_word or _continues(previous, line)
        if not is_same:
            yield lines[start:number]
            start = number
    if lines:
        yield lines[start:]


def _build_table(rows: Sequence[Line]) -> Paragraph:
    header_rows = sum(line.row is not None and line.row.is_header for line in rows)
    labelled = rows[0].row is not None and rows[0].row.labelled
    text = ROW_SEPARATOR.join(line.text for line in rows)
    return Paragraph(text, rows=[line.cells for line in rows], header_rows=header_rows, labelled=labelled)


def is_wrapped(before: Line, after: Line, limit: float) -> bool:
    """Return whether the first word of a line does not fit behind the line above, so that it had to be wrapped."""
    if before.ends_mid_word or not after.words:
        return True
    _, left, right = after.words[0]
    return not LEADERS.search(before.text) and before.right + _SPACE * after.height + right - left > limit - 1


def _column(line: Line) -> int:
    return round(line.left / _COLUMN_GRID)


def _continues(previous: Line, line: Line) -> bool:
    """Return whether a line continues the paragraph of the previous one, which may be in another column."""
    is_similar = max(previous.height, line.height) <= _MAX_HEIGHT_RATIO * min(previous.height, line.height)
    if is_similar and 0 < previous.bottom - line.bottom <= LINE_STEP * line.height:
        return True
    return not _SENTENCE_END.search(previous.text) and line.text[:1].islower()


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
            resolve_hyphen(line, next_line, vocabulary, same_page=number < len(lines))
            for number, (line, next_line) in enumerate(zip(lines, following, strict=True), 1)
        ]


def resolve_hyphen(
    line: Line, following: Line | None, vocabulary: Collection[str] = (), *, same_page: bool = True
) -> Line:
    """Return a line with `Line.ends_mid_word` set if its last word continues on the next line, without its hyphen."""
    if line.ends_mid_word and following:
        return restore_hyphen(line) if _keeps_hyphen(line.text, following.text, vocabulary) else line
    if not following or line.row or not _HYPHEN.search(line.text):
        return line
    if following.text[:1].islower() or (same_page and following.text[:1].isalnum() and _continues(line, following)):
        keeps = _keeps_hyphen(line.text[:-1], following.text, vocabulary)
        return replace(line if keeps else _drop_hyphen(line), ends_mid_word=True)
    return line


def _drop_hyphen(line: Line) -> Line:
    *earlier, (word, left, right) = line.words
    return replace(line, text=line.text[:-1], words=[*earlier, (word[:-1], left, right)])


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


def cut_line(line: Line, words: Sequence[tuple[str, float, float]]) -> Line:
    """Return the part of a line that consists of `words`."""
    if len(words) == len(line.words):
        return line
    is_last = words[-1] == line.words[-1]
    return replace(
        line,
        text=" ".join(word for word, _, _ in words),
        left=words[0][1],
        right=words[-1][2],
        ends_mid_word=line.ends_mid_word and is_last,
        words=words,
    )


def restore_hyphen(line: Line) -> Line:
    """Return a line that ends in the middle of a word with the hyphen that PDFium dropped."""
    *earlier, (word, left, right) = line.words
    return replace(line, text=line.text + "-", words=[*earlier, (word + "-", left, right)])


def _is_title(title: str, text: str) -> bool:
    return title.casefold() == re.sub(r"^[\d.]+\s+", "", text).casefold() or title.casefold() == text.casefold()


def ends_sentence(text: str) -> bool:
    """Return whether a paragraph ends where a sentence does."""
    return _SENTENCE_END.search(text) is not None
