from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.training.data.question_styles import keep_keywords, misspell, restyle

QUESTION = "How often does the conveyor need cleaning?"


def test_keywords_are_the_words_that_carry_meaning() -> None:
    assert keep_keywords(QUESTION) == "often conveyor need cleaning"
    # One word alone would ask for anything.
    assert keep_keywords("What is it about?") == "What is it about?"
    assert keep_keywords("Who is the owner?") == "Who is the owner?"


def test_misspelling_changes_the_middle_of_one_long_word() -> None:
    results = {misspell(QUESTION, random.Random(seed)) for seed in range(60)}
    words = QUESTION.split(" ")
    for result in results:
        (changed,) = [pair for pair in zip(words, result.split(" "), strict=True) if pair[0] != pair[1]] or [("", "")]
        if changed != ("", ""):
            old, new = changed
            assert len(old) > 4
            assert (old[0], old[-1]) == (new[0], new[-1])
            assert abs(len(old) - len(new)) <= 1
    assert len(results) > 10
    assert misspell("Who is it?", random.Random(1)) == "Who is it?"


@given(st.text(), st.integers(0, 30))
def test_any_question_can_be_restyled(question: str, seed: int) -> None:
    results = [restyle(question, random.Random(seed), rephrase=True) for _ in range(2)]
    assert results[0] == results[1]


@pytest.mark.parametrize("rephrase", [True, False])
def test_shares_of_the_edits(rephrase: bool) -> None:
    chooser = random.Random(1)
    results = [restyle(QUESTION, chooser, rephrase=rephrase) for _ in range(3000)]
    shares = {
        "unchanged": sum(result == QUESTION for result in results) / len(results),
        "unmarked": sum(not result.endswith("?") for result in results) / len(results),
        "longer": sum(len(result) > len(QUESTION) + 10 for result in results) / len(results),
    }
    # Keywords have no question mark either.
    assert shares["unmarked"] == pytest.approx(0.37 if rephrase else 0.3, abs=0.03)
    assert shares["longer"] == pytest.approx(0.1 if rephrase else 0, abs=0.02)
    assert shares["unchanged"] == pytest.approx(0.5 if rephrase else 0.62, abs=0.04)
