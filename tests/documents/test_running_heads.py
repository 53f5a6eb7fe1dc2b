"""Running heads and feet: rows at the edges of pages that recur, wherever and in whichever order they are drawn."""

from __future__ import annotations

import re
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
        words = [(m[0], 60.0 + 6 * m.start(), 60.0 + 6 * m.end() - 3) for m in re.finditer(r"\S+", text)]
        lines.append(Line(text, 60, words[-1][2], bottom, height, False, words))
    return lines


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
    heads = [f"Chapter {n // 5 + 1}: {('Mills', 'Ferries', 'Schools', 'Inns')[n // 5]}      {n + 1}" for n in range(20)]
    assert trim(*([(head, 800.0), *body(n)] for n, head in enumerate(heads))) == bodies(20)


def test_heads_that_change_with_each_page_are_known_by_the_page_number() -> None:
    topics = ("Oil", "Belts", "Pumps", "Rods", "Gears", "Nuts", "Chains", "Hooks")
    heads = [f"{topic}      {n + 1}" for n, topic in enumerate(topics)]
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


@pytest.mark.parametrize(
    "title", ["Week {}", "Employee 10{}", "Invoice 2024-00{}", "Step {}", "{}. Oil", "Step {} of 6"]
)
def test_a_title_of_the_size_of_the_text_that_counts_up_is_no_head(title: str) -> None:
    titles = [title.format(n + 1) for n in range(6)]
    for gap in (14, 40):
        pages = [[(text, 700.0 + gap), *body(n)] for n, text in enumerate(titles)]
        assert [lines[0] for lines in trim(*pages)] == titles


def test_a_last_line_that_counts_up_is_no_foot() -> None:
    pages = [[*body(n), (f"Room 20{n + 1}", 644.0)] for n in range(6)]
    assert [lines[-1] for lines in trim(*pages)] == [f"Room 20{n + 1}" for n in range(6)]


@pytest.mark.parametrize(
    "foot", ["- {} -", "{} / 6", "Page {} of 6", "Handbook, page {}", "Brekke AS | {}", "Brekke AS            {}"]
)
def test_a_page_number_that_is_set_apart_is_removed(foot: str) -> None:
    assert trim(*([*body(n), (foot.format(n + 1), 644.0)] for n in range(6))) == bodies(6)


def test_a_page_number_at_the_outer_margin_is_removed() -> None:
    heads = ["{} The mill", "The wheel and its turns {}"]
    pages = [[(heads[n % 2].format(n + 10), 800.0), *body(n)] for n in range(8)]
    assert trim(*pages) == bodies(8)


def test_a_header_row_that_a_table_repeats_on_each_page_stays() -> None:
    def rows(number: int) -> list[Placed]:
        return [(f"{chr(97 + number)}{line:<19}{line * number % 7:<10}{line}", 682.0 - 18 * line) for line in range(9)]

    header = "Pupil               Mark      Year"
    pages = [[("Brekke AS", 740.0), (header, 700.0), *rows(number)] for number in range(4)]
    trimmed = trim(*pages)
    assert [lines.count(header) for lines in trimmed] == [1] * 4
    assert [lines.count("Brekke AS") for lines in trimmed] == [1, 0, 0, 0]


def test_a_head_with_gaps_above_a_table_is_removed() -> None:
    pages = [
        [(f"Pupils              Page {n + 1}", 740.0), *((f"{n}{r:<19}{r}", 682.0 - 18 * r) for r in range(9))]
        for n in range(4)
    ]
    assert not [line for lines in trim(*pages) for line in lines if "Pupils" in line]


def test_pages_that_are_alike_keep_their_text() -> None:
    pages = [[*body(0, lines=12), (f"Copy      {n + 1}", 30.0)] for n in range(5)]
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
