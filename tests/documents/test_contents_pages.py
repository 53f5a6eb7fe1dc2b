"""Tables of contents and indexes of books are kept, and marked as such."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from qa.documents.extract.pdf.contents_pages import find_contents
from qa.documents.extract.pdf.layout import Line
from tests.documents.pdf_files import drawn, extract_one, mark_of

LEADERS = [
    "1 Introduction . . . . . . . . . . . . 1",
    "1.1 Oil .............................. 2",
    "1.2 Belts, and how they are changed by",
    "the keeper . . . . . . . . . . . . . . 4",
    "2 Parts ____________________ 9",
]
PLAIN = ["Contents", "Foreword vii", "The mill 1", "The ferry and its master 12", "The school of Tarn 30"]
INDEX = ["axle, 4, 17", "belt, 3–5", "bolt, see nut", "C", "chain, 9", "oil, 2, 11, 14", "pump rod, 6", "wheel, 1"]
PROSE = [f"The pump of mill {number} is oiled in May." for number in range(6)]


def lines(texts: Sequence[str]) -> list[Line]:
    return [Line(text, 60, 60 + 5 * len(text), 700 - 14 * number, 10, False) for number, text in enumerate(texts)]


def found(*pages: Sequence[str]) -> list[list[str]]:
    """Return the texts of each page that are marked."""
    marked = find_contents([lines(page) for page in pages])
    return [[page[n] for part in parts for n in part] for page, parts in zip(pages, marked, strict=True)]


BOOK = [PROSE] * 6


@pytest.mark.parametrize("table", [LEADERS, PLAIN], ids=["leaders", "title"])
def test_a_table_of_contents_is_found(table: Sequence[str]) -> None:
    assert found([*table], *BOOK)[0] == table
    assert not any(found([*table], *BOOK)[1:])


def test_a_table_of_contents_continues_on_the_next_page() -> None:
    following = ["The inn 44", "The quay 51", "The end 60"]
    assert found(PLAIN, following, *BOOK)[:2] == [PLAIN, following]


def test_text_around_a_table_of_contents_is_not_part_of_it() -> None:
    assert found([PROSE[0], *LEADERS, PROSE[1], PROSE[2], PROSE[3]], *BOOK)[0] == LEADERS


def test_an_index_is_found_with_and_without_its_title() -> None:
    assert found(*BOOK, ["Index", *INDEX])[-1] == ["Index", *INDEX]
    more = [*INDEX, "yard, 3, 8", "zinc, 4, 6, 12"]
    assert found(*BOOK, more)[-1] == more


def test_an_index_with_leaders_is_found() -> None:
    entries = [f"{word} . . . . . . . . . . {page}" for word, page in zip("abcdefghij", range(20, 0, -2), strict=True)]
    assert found(*BOOK, entries)[-1] == entries


@pytest.mark.parametrize(
    "page",
    [
        ["Tea ........ 3", "Coffee ........ 4", "Cake ........ 6", "Soup ........ 9"],
        ["Accounts ........ 4471", "Bakery ........ 4480", "Cellar ........ 4495", "Desk ........ 4499"],
        ["Adams, 34", "Brekke, 41", "Cole, 29", "Dahl, 55", "Eide, 38", "Foss, 61", "Gran, 47", "Haug, 52"],
        ["Pupil Maths Year", "Odd Fjeld B 1", "Karl Moe A 2", "Per Lind C 3", "Ines Dahl B 4"],
        PROSE,
    ],
    ids=["menu", "directory", "ages", "grades", "prose"],
)
def test_other_lists_that_end_in_numbers_are_text(page: Sequence[str]) -> None:
    assert found(page) == [[]]


def test_contents_are_marked_in_the_text_of_a_pdf() -> None:
    extracted = extract_one(
        drawn(["Contents", "The mill 2", "The ferry 3", "The school 4"], PROSE, ["The end."]), "a.pdf"
    )
    assert extracted.text.startswith("Contents\nThe mill 2\nThe ferry 3\nThe school 4\n\nThe pump")
    assert [mark_of(extracted, words).kind for words in ("The ferry", "The pump of mill 3")] == ["contents", "text"]


def test_a_long_line_costs_little() -> None:
    assert found(["Contents", "x. " * 200_000, ". " * 200_000, "1 " * 200_000]) == [[]]
