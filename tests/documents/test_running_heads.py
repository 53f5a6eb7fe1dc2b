"""Running heads and feet: rows at the edges of pages that recur, wherever and in whichever order they are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from qa.documents.extract.pdf.layout import Line
from qa.documents.extract.pdf.running_heads import remove_running_heads
from tests.documents.pdf_files import extract_one, painted

Placed = tuple[str, float]
BODY = [
    "The mill was built in 1822 by Halvor Brekke, who had seen such mills in Holland and wished for one of his own, as",
    "its wheel turns eleven times a minute when the river is full, and stands still in winter, until the middle of May",
]


def page(*rows: Placed, height: float = 10.0) -> list[Line]:
    """Return lines of one height with these texts and distances from the lower edge of the page."""
    lines = []
    for text, bottom in rows:
        words = [(word, 60.0 + 6 * start, 60.0 + 6 * start + 5 * len(word)) for start, word in _split(text)]
        lines.append(Line(text, 60, words[-1][2], bottom, height, False, words))
    return lines


def _split(text: str) -> Sequence[tuple[int, str]]:
    return [(len(" ".join(text.split()[:number])), word) for number, word in enumerate(text.split())]


def body(number: int, lines: int = 4) -> list[Placed]:
    return [
        (f"{'abcdefghij'[number % 10] * 3} and {BODY[line % 2][line:]}", 700.0 - 14 * line) for line in range(lines)
    ]


def texts(pages: Sequence[Sequence[Line]]) -> list[list[str]]:
    return [[line.text for line in lines] for lines in pages]


def trim(*pages: Sequence[Placed]) -> list[list[str]]:
    return texts(remove_running_heads([page(*rows) for rows in pages], [842.0] * len(pages)))


def bodies(count: int) -> list[list[str]]:
    return [[text for text, _ in body(number)] for number in range(count)]


def test_a_head_of_three_lines_is_removed_and_its_constant_lines_stay_once() -> None:
    heads = [("Brekke AS", 800.0), ("Handbook, version 4", 786.0)]
    pages = [[*heads, (f"Page {n + 1} of 6", 772.0), *body(n)] for n in range(6)]
    first, *others = trim(*pages)
    assert first == ["Brekke AS", "Handbook, version 4", *bodies(1)[0]]
    assert others == bodies(6)[1:]


def test_a_head_that_a_cover_lacks_stays_on_the_page_after_it() -> None:
    pages = [body(0), *([("Valid from 4 May 2021", 800.0), *body(n)] for n in range(1, 6))]
    trimmed = trim(*pages)
    assert trimmed[1] == ["Valid from 4 May 2021", *bodies(2)[1]]
    assert trimmed[2:] == bodies(6)[2:]


def test_a_constant_foot_stays_at_the_end_of_the_last_page() -> None:
    pages = [[("Confidential", 30.0), *body(n)] for n in range(4)]
    *others, last = trim(*pages)
    assert others == bodies(4)[:-1]
    assert last == [*bodies(4)[-1], "Confidential"]


@pytest.mark.parametrize("first", [True, False], ids=["drawn first", "drawn last"])
def test_the_order_of_drawing_does_not_matter(first: bool) -> None:
    furniture = [[(f"Manual | {n + 1}", 800.0), ("Confidential", 30.0)] for n in range(5)]
    pages = [[*rows, *body(n)] if first else [*body(n), *rows] for n, rows in enumerate(furniture)]
    trimmed = trim(*pages)
    assert trimmed[:-1] == bodies(4)


def test_left_and_right_pages_may_differ() -> None:
    heads = [f"{n + 1} The mill" if n % 2 else f"Handbook of the harbour {n + 1}" for n in range(8)]
    assert trim(*([(head, 800.0), *body(n)] for n, head in enumerate(heads))) == bodies(8)


def test_each_chapter_may_have_another_head() -> None:
    heads = [f"Chapter {n // 5 + 1}: {('Mills', 'Ferries', 'Schools', 'Inns')[n // 5]} {n + 1}" for n in range(20)]
    assert trim(*([(head, 800.0), *body(n)] for n, head in enumerate(heads))) == bodies(20)


def test_heads_that_change_with_each_page_are_known_by_the_page_number() -> None:
    topics = ("Oil", "Belts", "Pumps", "Rods", "Gears", "Nuts", "Chains", "Hooks")
    heads = [f"{topic} {n + 1}" for n, topic in enumerate(topics)]
    assert trim(*([(head, 800.0), *body(n)] for n, head in enumerate(heads))) == bodies(8)


def test_page_numbers_may_be_roman() -> None:
    numerals = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
    assert trim(*([*body(n), (numeral, 30.0)] for n, numeral in enumerate(numerals))) == bodies(10)


def test_a_page_that_has_only_a_head_and_a_foot_becomes_empty() -> None:
    pages = [[("The manual", 800.0), *body(n), (f"Page {n + 1}", 30.0)] for n in range(9)]
    pages[4] = [("The manual", 800.0), ("Page 5", 30.0)]
    assert trim(*pages)[4] == []


def test_nothing_is_removed_from_two_pages() -> None:
    pages = [[("Confidential", 800.0), *body(n)] for n in range(2)]
    assert trim(*pages) == [["Confidential", *lines] for lines in bodies(2)]


def test_lines_that_differ_in_more_than_a_page_number_stay() -> None:
    days = [[(f"On day {n} it was {degrees} degrees.", 800.0)] for n, degrees in enumerate((21, 19, 25, 22))]
    assert trim(*days) == [[text for text, _ in rows] for rows in days]
    numbered = [[(f"Lot {n + 1} was sold to buyer {'ABCD'[n]}.", 700.0), *body(n)[1:]] for n in range(4)]
    assert trim(*numbered) == [[text for text, _ in rows] for rows in numbered]


def test_a_numbered_title_is_no_head() -> None:
    pages = [[*page((f"Step {n + 1}", 760.0), height=20), *page(*body(n))] for n in range(5)]
    trimmed = remove_running_heads(pages, [842.0] * 5)
    assert [lines[0].text for lines in trimmed] == [f"Step {n + 1}" for n in range(5)]


def test_pages_that_are_alike_keep_their_text() -> None:
    pages = [[*body(0, lines=12), (f"Copy {n + 1}", 30.0)] for n in range(5)]
    assert trim(*pages) == [[text for text, _ in body(0, lines=12)]] * 5


def test_a_sentence_that_runs_over_pages_stays_whole() -> None:
    def paint(number: int) -> object:
        def draw(canvas: Canvas) -> None:
            canvas.drawString(60, 30, "Confidential")
            canvas.drawString(60, 800, "Brekke AS")
            canvas.drawString(60, 786, f"Page {number} of 4")
            canvas.setFont("Helvetica", 9)
            canvas.drawString(
                60, 740, f"of lot {number}, which was sold to a keeper whose mill had burned in the flood"
            )
            canvas.drawString(
                60, 729, f"of that mill {number} was carried over the fjord by a ferry from a yard, and it"
            )

        return draw

    text = extract_one(painted(*(paint(number) for number in range(1, 5))), "a.pdf").text  # type: ignore[arg-type]
    assert "from a yard, and it of lot 2, which was sold" in text
    assert "from a yard, and it of lot 4, which was sold" in text
    assert (text.count("Brekke AS"), text.count("Confidential"), "Page 2" in text) == (1, 1, False)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["a", "b 1", "b 2", "c iv", "Page 3", "4"]), st.floats(0, 842)), max_size=6),
        max_size=8,
    )
)
def test_no_line_is_added_or_repeated(pages: list[list[Placed]]) -> None:
    trimmed = trim(*pages)
    assert len(trimmed) == len(pages)
    for lines, rows in zip(trimmed, pages, strict=True):
        left = [text for text, _ in rows]
        for line in lines:
            left.remove(line)
