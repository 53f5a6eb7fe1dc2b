"""Detection of columns and table rows; `test_extract` covers the resulting text of whole files."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from qa.documents.extract import columns
from qa.documents.extract.columns import arrange_lines
from qa.documents.extract.layout import Line

HEIGHT = 12.0


def lines(*rows: Sequence[tuple[float, str]], widths: float = 5.0) -> list[Line]:
    """Return lines of words; each part of a row has a left edge, and each character the width `widths`."""
    result: list[Line] = []
    for number, parts in enumerate(rows):
        words: list[tuple[str, float, float]] = []
        for left, text in parts:
            edge = left
            for word in text.split():
                words.append((word, edge, edge + widths * len(word)))
                edge += widths * (len(word) + 1)
        text = " ".join(word for word, _, _ in words)
        result.append(Line(text, words[0][1], words[-1][2], -14.0 * number, HEIGHT, ends_mid_word=False, words=words))
    return result


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
    assert not any(line.is_row for line in arranged)


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


def test_three_columns_of_prose_are_not_a_table() -> None:
    short = ["the museum was opened", "in the spring of that", "year by its keeper who", "gathered the pottery"]
    rows = [[(60.0, line), (220.0, line), (380.0, line)] for line in short]
    assert texts(arrange_lines(lines(*rows))) == texts(lines(*rows))


def test_two_rows_of_single_words_are_not_a_table() -> None:
    twice = [[(60.0, "them"), (200.0, "Brussels,")], [(60.0, "Washington,"), (200.0, "Santiago,")]]
    assert texts(arrange_lines(lines(*twice))) == ["them Brussels,", "Washington, Santiago,"]
    thrice = [*twice, [(60.0, "Lima,"), (200.0, "Rome")]]
    assert texts(arrange_lines(lines(*thrice))) == ["them | Brussels,", "Washington, | Santiago,", "Lima, | Rome"]


def test_table_rows_share_white_space() -> None:
    # Each row shares a gap with its neighbours, but no gap is common to all.
    rows = [
        [(60.0, "one two"), (140.0, "a")],
        [(60.0, "one two three"), (170.0, "a")],
        [(100.0, "one two"), (200.0, "a")],
    ]
    arranged = arrange_lines(lines(*rows))
    assert [line.is_row for line in arranged] == [True, True, False]
    # The common gap is less than half a line height wide.
    thin = [[(60.0, "one two"), (130.0, "a b")], [(60.0, "one two three"), (150.0, "a b")]]
    assert not any(line.is_row for line in arrange_lines(lines(*thin)))


def test_work_for_each_line_does_not_grow_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    intersect, calls = columns._intersect, 0

    def count(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float] | None:
        nonlocal calls
        calls += 1
        return intersect(a, b)

    monkeypatch.setattr(columns, "_intersect", count)
    rows = [[(60.0, "aa")], [(60.0, "aa"), (200.0, "a longer cell than those of the rows of a table can be")]]
    calls_per_line = []
    for total in (500, 2_000):
        calls = 0
        assert len(arrange_lines(lines(*(rows[number % 2] for number in range(total))))) == total
        calls_per_line.append(calls / total)
    assert calls_per_line[1] < 1.5 * calls_per_line[0]
