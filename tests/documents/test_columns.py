"""Detection of columns and table rows; `test_extract` covers the resulting text of whole files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.pdf import columns, stream_tables
from qa.documents.extract.pdf.blocks import Gap, intersect_gaps
from qa.documents.extract.pdf.columns import arrange_lines
from qa.documents.extract.pdf.grids import Rule, Rules
from qa.documents.extract.pdf.layout import Line

HEIGHT = 12.0


def width(word: str, even: float | None) -> float:
    """Return the width of a word in points: that of a font of one width, or of one with narrow and wide letters."""
    return sum(even or (3.0 if character in "ijltf.,:;'|()-" else 5.5) for character in word)


def lines(*rows: Sequence[tuple[float, str]], even: float | None = None) -> list[Line]:
    """Return lines of words; each part of a row has a left edge. All characters have the width `even`, if given."""
    result: list[Line] = []
    for number, parts in enumerate(rows):
        words: list[tuple[str, float, float]] = []
        for left, text in parts:
            edge = left
            for word in text.split():
                words.append((word, edge, edge + width(word, even)))
                edge = words[-1][2] + (even or 3.0)
        text = " ".join(word for word, _, _ in words)
        result.append(Line(text, words[0][1], words[-1][2], -14.0 * number, HEIGHT, ends_mid_word=False, words=words))
    return result


def cells(lines: Sequence[Line]) -> list[Sequence[str]]:
    return [line.cells for line in lines]


def texts(lines: Sequence[Line]) -> list[str]:
    return [line.text for line in lines]


PROSE = [
    "the museum was opened in the spring",
    "of that year by its first keeper, who",
    "gathered the pottery of the valley in",
    "a list that no one has ever printed.",
]


def test_reads_prose_as_columns() -> None:
    rows = lines(*([(60, line), (320, line.upper().lower())] for line in PROSE))
    assert texts(arrange_lines(rows)) == [*PROSE, *PROSE]


@pytest.mark.parametrize("count", [3, 4])
def test_requires_four_lines_for_columns(count: int) -> None:
    arranged = arrange_lines(lines(*([(60, line), (320, line)] for line in PROSE[:count])))
    assert len(arranged) == (count if count == 3 else 2 * count)


def test_long_capitalised_cells_are_not_columns() -> None:
    rows = [[(60.0, line.capitalize()), (320.0, line.capitalize())] for line in PROSE]
    arranged = arrange_lines(lines(*rows))
    assert texts(arranged) == texts(lines(*rows))
    assert not any(line.cells for line in arranged)


def test_reads_short_lowercase_cells_as_table_rows() -> None:
    options = [
        "perform a benchmark on decoding",
        "use strict rules of decoding",
        "print this help and then exit",
        "tell the version and then exit",
    ]
    arranged = arrange_lines(lines(*([(60, f"-{number}"), (200, option)] for number, option in enumerate(options))))
    assert texts(arranged) == [f"-{number} | {option}" for number, option in enumerate(options)]


def test_short_lines_are_not_columns() -> None:
    rows = [[(60.0, "of the box"), (200.0, "by the old door")]] * 4
    assert texts(arrange_lines(lines(*rows))) == ["of the box by the old door"] * 4


def test_reads_three_columns_of_prose_one_after_the_other() -> None:
    short = ["the museum was opened", "in the spring of that", "year by its keeper who", "gathered the pottery"]
    rows = [[(60.0, line), (220.0, line), (380.0, line)] for line in short]
    assert texts(arrange_lines(lines(*rows))) == [*short, *short, *short]


def test_reads_short_columns_as_prose_if_each_is_one_sentence() -> None:
    rows = lines(
        [(60.0, "The committee read the annual report"), (330.0, "It gave the budget of nine million to")],
        [(60.0, "and approved it"), (330.0, "the harbour")],
    )
    arranged = texts(arrange_lines(rows))
    assert arranged == [
        "The committee read the annual report",
        "and approved it",
        "It gave the budget of nine million to",
        "the harbour",
    ]


def test_two_rows_of_single_words_are_not_a_table() -> None:
    twice = [[(60.0, "them"), (200.0, "Brussels,")], [(60.0, "Washington,"), (200.0, "Santiago,")]]
    assert texts(arrange_lines(lines(*twice))) == ["them Brussels,", "Washington, Santiago,"]
    thrice = [*twice, [(60.0, "Lima,"), (200.0, "Rome")]]
    assert texts(arrange_lines(lines(*thrice))) == ["them | Brussels,", "Washington, | Santiago,", "Lima, | Rome"]


def test_table_rows_share_white_space() -> None:
    # Each row shares a gap with its neighbours, but no gap is common to all.
    rows = [
        [(60.0, "one two"), (170.0, "a b")],
        [(60.0, "one two three"), (170.0, "a b")],
        [(60.0, "one two three four five six"), (240.0, "a b")],
    ]
    arranged = arrange_lines(lines(*rows))
    assert [bool(line.cells) for line in arranged] == [True, True, False]
    # The common gap is less than half a line height wide.
    thin = [[(60.0, "one two"), (130.0, "a b")], [(60.0, "one two three"), (150.0, "a b")]]
    assert not any(line.cells for line in arrange_lines(lines(*thin)))


def test_empty_cells_keep_their_place() -> None:
    rows = lines(
        [(60.0, "Berth"), (140.0, "Boat"), (220.0, "Owner"), (300.0, "Fee")],
        [(60.0, "A1"), (140.0, "Wren"), (300.0, "120")],
        [(60.0, "A2"), (220.0, "Tolland"), (300.0, "140")],
        [(60.0, "A3"), (140.0, "Tern"), (220.0, "Fjeld")],
    )
    arranged = arrange_lines(rows)
    assert cells(arranged) == [
        ["Berth", "Boat", "Owner", "Fee"],
        ["A1", "Wren", "", "120"],
        ["A2", "", "Tolland", "140"],
        ["A3", "Tern", "Fjeld", ""],
    ]
    assert [line.row and line.row.is_header for line in arranged] == [True, False, False, False]


def test_joins_the_lines_of_a_row_that_are_apart_in_the_drawing() -> None:
    parts = [
        [(60.0, "Feature"), (300.0, "Basic"), (380.0, "Pro")],
        [(60.0, "Offline maps"), (300.0, "-"), (380.0, "x")],
        [(60.0, "Sea charts"), (300.0, "x"), (380.0, "-")],
    ]
    apart = [
        replace(line, bottom=-14.0 * number)
        for number, row in enumerate(parts)
        for part in row
        for line in lines([part])
    ]
    assert cells(arrange_lines(apart)) == [
        ["Feature", "Basic", "Pro"],
        ["Offline maps", "-", "x"],
        ["Sea charts", "x", "-"],
    ]


def test_wrapped_cells_are_whole() -> None:
    rows = lines(
        [(60.0, "Part"), (200.0, "Interval"), (320.0, "Remark")],
        [(60.0, "Pump"), (200.0, "six weeks"), (320.0, "use grade 32 oil")],
        [(320.0, "and wipe the rod")],
        [(60.0, "Chain"), (200.0, "two years"), (320.0, "order at Brekke")],
    )
    assert cells(arrange_lines(rows)) == [
        ["Part", "Interval", "Remark"],
        ["Pump", "six weeks", "use grade 32 oil and wipe the rod"],
        ["Chain", "two years", "order at Brekke"],
    ]


def test_values_below_an_empty_label_are_a_row() -> None:
    rows = lines(
        [(60.0, "Region"), (200.0, "Month"), (300.0, "Rate")],
        [(60.0, "North"), (200.0, "May"), (300.0, "51")],
        [(200.0, "June"), (300.0, "56")],
        [(60.0, "South"), (200.0, "May"), (300.0, "61")],
    )
    assert cells(arrange_lines(rows))[2] == ["", "June", "56"]


def test_a_heading_within_a_table_is_a_row() -> None:
    rows = lines(
        [(60.0, "Port"), (200.0, "Fee")],
        [(60.0, "Bergen"), (200.0, "120")],
        [(60.0, "Ports of the north and of the far north")],
        [(60.0, "Bodo"), (200.0, "99")],
        [(60.0, "Tromso"), (200.0, "80")],
    )
    assert [line.cells for line in arrange_lines(rows)][2:4] == [
        ["Ports of the north and of the far north", ""],
        ["Bodo", "99"],
    ]


def test_a_sentence_below_a_table_is_no_row() -> None:
    rows = lines(
        [(60.0, "Port"), (400.0, "Fee")],
        [(60.0, "Bergen"), (400.0, "120")],
        [(60.0, "Fees are paid to the harbour master.")],
    )
    assert [bool(line.cells) for line in arrange_lines(rows)] == [True, True, False]


def test_columns_of_numbers_may_be_near_each_other() -> None:
    rows = lines(
        [(60.0, "Total"), (200.0, "31.4"), (226.0, "23.7"), (252.0, "17.7")],
        [(60.0, "Public"), (200.0, "32.6"), (226.0, "23.0"), (252.0, "19.5")],
    )
    assert cells(arrange_lines(rows)) == [["Total", "31.4", "23.7", "17.7"], ["Public", "32.6", "23.0", "19.5"]]


@pytest.mark.parametrize(
    "rows",
    [
        [[(60.0, "a = b + c"), (300.0, "(3.1)")], [(60.0, "d = e - f"), (300.0, "(3.2)")]],
        [[(60.0, f"Chapter {name} . . . . . . . ."), (300.0, str(page))] for name, page in (("one", 3), ("two", 9))],
        [[(20.0, str(number)), (90.0, line)] for number, line in enumerate(PROSE, 8)],
    ],
    ids=["equations", "contents", "line numbers"],
)
def test_aligned_text_that_is_no_table_stays(rows: list[list[tuple[float, str]]]) -> None:
    assert not any(cells(arrange_lines(lines(*rows))))


def test_drawn_lines_make_cells() -> None:
    rows = lines([(60.0, "Main pump of"), (150.0, "It is oiled every six")], [(60.0, "the dock"), (150.0, "weeks.")])
    rows += [replace(line, bottom=line.bottom - 28) for line in lines([(60.0, "Belt"), (150.0, "New in May.")])]
    grid = Rules(
        horizontal=[Rule(y, 55, 260) for y in (14, -17, -34)], vertical=[Rule(x, -34, 14) for x in (55, 130, 260)]
    )
    arranged = arrange_lines(rows, grid)
    assert cells(arranged) == [
        ["Main pump of the dock", "It is oiled every six weeks."],
        ["Belt", "New in May."],
    ]
    assert [word for line in arranged for part in line.parts for word, _, _ in part.words] == [
        *("Main", "pump", "of", "the", "dock", "It", "is", "oiled", "every", "six", "weeks."),
        *("Belt", "New", "in", "May."),
    ]


def test_merged_cells_are_repeated() -> None:
    rows = lines(
        [(60.0, "Region"), (160.0, "Sales in crowns")],
        [(150.0, "May"), (210.0, "June")],
        [(60.0, "North"), (150.0, "51"), (210.0, "56")],
    )
    horizontal = [Rule(13, 55, 260), Rule(-3, 140, 260), Rule(-17, 55, 260), Rule(-31, 55, 260)]
    vertical = [Rule(55, -31, 13), Rule(140, -31, 13), Rule(200, -31, -3), Rule(260, -31, 13)]
    arranged = arrange_lines(rows, Rules(horizontal, vertical))
    assert cells(arranged) == [
        ["Region", "Sales in crowns", "Sales in crowns"],
        ["Region", "May", "June"],
        ["North", "51", "56"],
    ]
    assert [line.row and line.row.is_header for line in arranged] == [True, True, False]


def test_a_frame_around_text_is_no_table() -> None:
    frame = Rules([Rule(13, 50, 400), Rule(-60, 50, 400)], [Rule(50, -60, 13), Rule(400, -60, 13)])
    rows = lines(*([(60.0, line)] for line in PROSE))
    assert arrange_lines(rows, frame) == rows


def test_lines_of_a_listing_are_code_and_keep_their_indentation() -> None:
    # Each character is 5 points wide, whatever its letter.
    listing = lines(
        [(60.0, "def oil(pump):")], [(80.0, "return pump.fill(32, i)")], [(60.0, "print(oil(main))")], even=5.0
    )
    arranged = arrange_lines(listing)
    assert [line.text for line in arranged] == ["def oil(pump):", "    return pump.fill(32, i)", "print(oil(main))"]
    assert all(line.is_code for line in arranged)


def test_prose_in_the_font_of_a_typewriter_is_no_listing() -> None:
    typed = lines(*([(60.0, line)] for line in PROSE), even=5.0)
    assert not any(line.is_code for line in arrange_lines(typed))


def test_statements_in_another_font_are_a_listing() -> None:
    listing = lines(
        [(60.0, "def oil(pump):")], [(80.0, "pump.fill(32)")], [(80.0, "return pump")], [(60.0, "x = oil(main)")]
    )
    arranged = arrange_lines(listing)
    assert all(line.is_code for line in arranged)
    assert arranged[1].text == "   pump.fill(32)"


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=8)
PLACES = st.tuples(st.floats(-50, 700), st.floats(-50, 900), st.floats(1, 30), st.lists(WORDS, min_size=1, max_size=6))
RULES = st.lists(st.builds(Rule, st.floats(-50, 900), st.floats(-50, 900), st.floats(-50, 900)), max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.lists(PLACES, max_size=25), RULES, RULES)
def test_no_word_is_lost_wherever_lines_are(
    places: list[tuple[float, float, float, list[str]]], horizontal: list[Rule], vertical: list[Rule]
) -> None:
    page = [
        replace(line, bottom=bottom, height=height)
        for left, bottom, height, words in places
        for line in lines([(left, " ".join(words))])
    ]
    arranged = arrange_lines(page, Rules(horizontal, vertical))
    placed = Counter(word for line in arranged for part in line.parts for word, _, _ in part.words)
    assert not Counter(word for line in page for word, _, _ in line.words) - placed
    assert all(
        len(line.cells) == len(row.cells) for line, row in pairwise(arranged) if row.row and not row.row.starts_table
    )


@pytest.mark.parametrize(
    "rows",
    [
        [[(60.0, "aa")], [(60.0, "aa"), (200.0, "a longer cell than those of the rows of a table can be")]],
        [[(60.0, line), (320.0, line.capitalize())] for line in PROSE],
        [[(60.0, "aa bb"), (200.0, "c")], [(60.0, "aa bb cc dd ee ff gg hh ii jj kk ll mm"), (400.0, "c")]],
    ],
)
def test_work_for_each_line_does_not_grow_with_their_number(
    monkeypatch: pytest.MonkeyPatch, rows: list[list[tuple[float, str]]]
) -> None:
    calls = 0

    def count(a: Sequence[Gap], b: Sequence[Gap], minimum: float) -> list[Gap]:
        nonlocal calls
        calls += 1
        return intersect_gaps(a, b, minimum)

    for module in (columns, stream_tables):
        monkeypatch.setattr(module, "intersect_gaps", count)
    calls_per_line = []
    for total in (500, 2_000):
        calls = 0
        arrange_lines(lines(*(rows[number % len(rows)] for number in range(total))))
        calls_per_line.append(calls / total)
    assert 0 < calls_per_line[1] < 1.5 * calls_per_line[0]
