from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.search.sentence_coverage import coverage

WEIGHTS = {"train": 1.0, "leave": 2.0, "noon": 5.0}


def stems(text: str) -> list[str]:
    return [word.removesuffix("s") for word in re.findall(r"\w+", text.casefold())]


def covered(text: str, *titles: str) -> float:
    return coverage(WEIGHTS, text, titles, stems)


def test_words_count_where_they_stand_together() -> None:
    assert covered("The train leaves at noon. It is red.") == 1.0
    assert covered("Trains are red. One leaves at noon.") == pytest.approx(7 / 8)
    assert covered("At noon. It leaves. A train!") == pytest.approx(5 / 8)
    assert covered("Nothing of it.") == 0.0


@pytest.mark.parametrize("end", [". ", "?! ", '." ', ".)  ", "… ", ".\n", "\n\n", "\r\n  \r\n"])
def test_where_sentences_end(end: str) -> None:
    assert covered(f"The train{end}Noon") == pytest.approx(5 / 8)


@pytest.mark.parametrize("inside", ["\n", " 3.5 ", ", ", ".x ", " of Dr. ", " in U.S. "])
def test_where_they_do_not(inside: str) -> None:
    assert covered(f"The train{inside}noon") == pytest.approx(6 / 8)


def test_of_a_table_the_lines_are_looked_at() -> None:
    rows = [f"Train {n}\tplatform {n}" for n in range(40)]
    assert covered("\n".join([*rows, "Ferry\tNoon"])) == pytest.approx(5 / 8)
    assert covered("\n".join([*rows, "Train\tNoon"])) == pytest.approx(6 / 8)


def test_each_sentence_stands_under_the_titles() -> None:
    assert covered("It is red. It leaves.", "Trains", "At noon") == 1.0
    assert covered("It leaves.", "Ferries") == pytest.approx(2 / 8)


def test_case_and_question_without_words() -> None:
    assert covered("NOON") == pytest.approx(5 / 8)
    assert coverage({}, "Noon", (), stems) == 0.0
    assert coverage({"noon": 0.0}, "Noon", (), stems) == 0.0


@given(st.text(), st.lists(st.text(), max_size=2))
def test_any_text_gives_a_share(text: str, titles: list[str]) -> None:
    assert 0.0 <= covered(text, *titles) <= 1.0
    assert covered(text + "\n\nThe train leaves at noon.", *titles) == 1.0
