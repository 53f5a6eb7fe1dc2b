from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.search.sentence_coverage import coverage

WEIGHTS = {"train": 1.0, "leave": 2.0, "noon": 5.0}


def analyze(text: str) -> list[str]:
    return [word.removesuffix("s") for word in re.findall(r"\w+", text.casefold())]


def covered_share(text: str, *titles: str) -> float:
    return coverage(WEIGHTS, text, titles, analyze)


def test_counts_terms_within_one_sentence() -> None:
    assert covered_share("The train leaves at noon. It is red.") == 1.0
    assert covered_share("Trains are red. One leaves at noon.") == pytest.approx(7 / 8)
    assert covered_share("At noon. It leaves. A train!") == pytest.approx(5 / 8)
    assert covered_share("Nothing of it.") == 0.0


@pytest.mark.parametrize("end", [". ", "?! ", '." ', ".)  ", "… ", ".\n", "\n\n", "\r\n  \r\n"])
def test_counts_sentences_separately(end: str) -> None:
    assert covered_share(f"The train{end}Noon") == pytest.approx(5 / 8)


@pytest.mark.parametrize("inside", ["\n", " 3.5 ", ", ", ".x ", " of Dr. ", " in U.S. "])
def test_does_not_split_inside_a_sentence(inside: str) -> None:
    assert covered_share(f"The train{inside}noon") == pytest.approx(6 / 8)


def test_treats_each_line_of_a_table_as_a_sentence() -> None:
    rows = [f"Train {n}\tplatform {n}" for n in range(40)]
    assert covered_share("\n".join([*rows, "Ferry\tNoon"])) == pytest.approx(5 / 8)
    assert covered_share("\n".join([*rows, "Train\tNoon"])) == pytest.approx(6 / 8)


def test_title_terms_count_for_every_sentence() -> None:
    assert covered_share("It is red. It leaves.", "Trains", "At noon") == 1.0
    assert covered_share("It leaves.", "Ferries") == pytest.approx(2 / 8)


def test_ignores_case_and_handles_questions_without_terms() -> None:
    assert covered_share("NOON") == pytest.approx(5 / 8)
    assert coverage({}, "Noon", (), analyze) == 0.0
    assert coverage({"noon": 0.0}, "Noon", (), analyze) == 0.0


@given(st.text(), st.lists(st.text(), max_size=2))
def test_result_is_a_share_for_any_text(text: str, titles: list[str]) -> None:
    assert 0.0 <= covered_share(text, *titles) <= 1.0
    assert covered_share(text + "\n\nThe train leaves at noon.", *titles) == 1.0
