from __future__ import annotations

import random

import pytest

from qa.training.data.examples import Example
from qa.training.data.question_edits import FUNCTION_WORDS, WORD, Edits, form
from qa.types import Span

CONTEXT = "Ida Brandt opened the mill in 1887."
ANSWER = Span(0, 10)


def asked(question: str, answer: Span | None = None, context: str = CONTEXT) -> Example:
    return Example(question, context, answer)


@pytest.mark.parametrize(
    ("unanswerable", "learnt"),
    [
        ("Who closed the old mill in 1887?", {"opened": ["closed"]}),
        # Two changes, a function word, a denial, and another question altogether.
        ("Who closed the new mill in 1887?", {}),
        ("Who opened an old mill in 1887?", {}),
        ("Who didn't the old mill in 1887?", {}),
        ("What is a mill for?", {}),
    ],
)
def test_one_replaced_word_is_learnt(unanswerable: str, learnt: dict[str, list[str]]) -> None:
    examples = [asked("who opened the old mill in 1887?", ANSWER), asked("when did it open?", Span(30, 34))]
    assert Edits.of([*examples, asked(unanswerable)]).of_word == learnt
    elsewhere = asked(unanswerable, context="Of another mill.")
    assert Edits.of([*examples, elsewhere]).of_word == {}


def test_a_word_that_nobody_replaced_gets_what_stands_for_words_that_look_alike() -> None:
    edits = Edits.of([asked("who opened the mill?", ANSWER), asked("who closed the mill?")])
    chooser = random.Random(1)
    assert edits.replacement("opened", chooser) == "closed"
    assert edits.replacement("painted", chooser) == "closed"
    assert edits.replacement("closed", chooser) is None
    assert edits.replacement("mill", chooser) is None


@pytest.mark.parametrize(("word", "ending"), [("1887", "0"), ("largest", "est"), ("mills", "s"), ("mill", "")])
def test_words_look_alike_by_their_ending(word: str, ending: str) -> None:
    assert form(word) == ending


def test_numbers_and_possessives_stay_whole() -> None:
    assert WORD.findall("1,500 of Ida's mills didn't burn in 3.5 hours") == [
        *("1,500", "of", "Ida", "s", "mills", "didn't", "burn", "in", "3.5", "hours"),
    ]
    assert "s" in FUNCTION_WORDS
