"""Which lines are columns and which are rows of a table; how that reads is tested with whole files."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from qa.documents.extract import columns
from qa.documents.extract.columns import in_columns
from qa.documents.extract.layout import Line

HEIGHT = 12.0


def lines(*rows: Sequence[tuple[float, str]], widths: float = 5.0) -> list[Line]:
    """Lines of words that are so wide a character; each part of a row begins where it says."""
    made: list[Line] = []
    for number, parts in enumerate(rows):
        words: list[tuple[str, float, float]] = []
        for left, text in parts:
            at = left
            for word in text.split():
                words.append((word, at, at + widths * len(word)))
                at += widths * (len(word) + 1)
        text = " ".join(word for word, _, _ in words)
        made.append(Line(text, words[0][1], words[-1][2], -14.0 * number, HEIGHT, broken=False, words=words))
    return made


def texts(made: Sequence[Line]) -> list[str]:
    return [line.text for line in made]


PROSE = [
    "the museum was opened in the spring",
    "of that year by its first keeper, who",
    "gathered the pottery of the valley in",
    "a list that nobody has ever printed.",
]


def test_prose_is_columns() -> None:
    rows = lines(*([(60, line), (320, line.upper().lower())] for line in PROSE))
    assert texts(in_columns(rows)) == [*PROSE, *PROSE]


@pytest.mark.parametrize("count", [3, 4])
def test_a_few_lines_are_no_columns(count: int) -> None:
    made = in_columns(lines(*([(60, line), (320, line)] for line in PROSE[:count])))
    assert len(made) == (count if count == 3 else 2 * count)


def test_long_cells_that_begin_with_capitals_are_no_columns() -> None:
    rows = [[(60.0, line.capitalize()), (320.0, line.capitalize())] for line in PROSE]
    made = in_columns(lines(*rows))
    assert texts(made) == texts(lines(*rows))
    assert not any(line.is_row for line in made)


def test_short_cells_in_small_letters_are_rows() -> None:
    options = [
        "perform a benchmark on decoding",
        "use strict rules of decoding",
        "print this help and then exit",
        "tell the version and then exit",
    ]
    made = in_columns(lines(*([(60, f"-{place}"), (200, option)] for place, option in enumerate(options))))
    assert texts(made) == [f"-{place} | {option}" for place, option in enumerate(options)]


def test_short_lines_are_no_columns() -> None:
    rows = [[(60.0, "of the box"), (200.0, "by the old door")]] * 4
    assert texts(in_columns(lines(*rows))) == ["of the box by the old door"] * 4


def test_three_columns_of_prose_are_no_table() -> None:
    short = ["the museum was opened", "in the spring of that", "year by its keeper who", "gathered the pottery"]
    rows = [[(60.0, line), (220.0, line), (380.0, line)] for line in short]
    assert texts(in_columns(lines(*rows))) == texts(lines(*rows))


def test_two_words_twice_are_no_table() -> None:
    twice = [[(60.0, "them"), (200.0, "Brussels,")], [(60.0, "Washington,"), (200.0, "Santiago,")]]
    assert texts(in_columns(lines(*twice))) == ["them Brussels,", "Washington, Santiago,"]
    thrice = [*twice, [(60.0, "Lima,"), (200.0, "Rome")]]
    assert texts(in_columns(lines(*thrice))) == ["them | Brussels,", "Washington, | Santiago,", "Lima, | Rome"]


def test_rows_have_white_space_in_common() -> None:
    # Each with its neighbours, and all with none.
    rows = [
        [(60.0, "one two"), (140.0, "a")],
        [(60.0, "one two three"), (170.0, "a")],
        [(100.0, "one two"), (200.0, "a")],
    ]
    made = in_columns(lines(*rows))
    assert [line.is_row for line in made] == [True, True, False]
    # By less than half of a line's height.
    thin = [[(60.0, "one two"), (130.0, "a b")], [(60.0, "one two three"), (150.0, "a b")]]
    assert not any(line.is_row for line in in_columns(lines(*thin)))


def test_each_of_many_lines_takes_no_more_work(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, compared = columns._shared, 0

    def counted(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float] | None:
        nonlocal compared
        compared += 1
        return shared(one, other)

    monkeypatch.setattr(columns, "_shared", counted)
    rows = [[(60.0, "aa")], [(60.0, "aa"), (200.0, "a longer cell than those of the rows of a table can be")]]
    work = []
    for count in (500, 2_000):
        compared = 0
        assert len(in_columns(lines(*(rows[number % 2] for number in range(count))))) == count
        work.append(compared / count)
    assert work[1] < 1.5 * work[0]
