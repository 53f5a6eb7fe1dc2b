from __future__ import annotations

import random

import pytest

from qa.training.data.examples import Example
from qa.training.data.question_edits import FUNCTION_WORDS, WORD, WordEdits, word_shape
from qa.types import Span

CONTEXT = "Ida Brandt opened the mill in 1887."
ANSWER = Span(0, 10)


def example(question: str, answer: Span | None = None, context: str = CONTEXT) -> Example:
    return Example(question, context, answer)


@pytest.mark.parametrize(
    ("unanswerable", "edits"),
    [
        ("Who closed the old mill in 1887?", {"opened": ["closed"]}),
        # Two changes, a function word, a negation, and a different question.
        ("Who closed the new mill in 1887?", {}),
        ("Who opened an old mill in 1887?", {}),
        ("Who didn't the old mill in 1887?", {}),
        ("What is a mill for?", {}),
    ],
)
def test_single_replaced_word_is_learned(unanswerable: str, edits: dict[str, list[str]]) -> None:
    examples = [example("who opened the old mill in 1887?", ANSWER), example("when did it open?", Span(30, 34))]
    assert WordEdits.learn([*examples, example(unanswerable)]).by_word == edits
    elsewhere = example(unanswerable, context="Of another mill.")
    assert WordEdits.learn([*examples, elsewhere]).by_word == {}


def test_unseen_word_gets_a_replacement_of_its_shape() -> None:
    edits = WordEdits.learn([example("who opened the mill?", ANSWER), example("who closed the mill?")])
    chooser = random.Random(1)
    assert edits.replacement("opened", chooser) == "closed"
    assert edits.replacement("painted", chooser) == "closed"
    assert edits.replacement("closed", chooser) is None
    assert edits.replacement("mill", chooser) is None


@pytest.mark.parametrize(("word", "ending"), [("1887", "0"), ("largest", "est"), ("mills", "s"), ("mill", "")])
def test_shape_of_a_word_is_its_ending(word: str, ending: str) -> None:
    assert word_shape(word) == ending


def test_numbers_and_contractions_are_one_word() -> None:
    assert WORD.findall("1,500 of Ida's mills didn't burn in 3.5 hours") == [
        *("1,500", "of", "Ida", "s", "mills", "didn't", "burn", "in", "3.5", "hours"),
    ]
    assert "s" in FUNCTION_WORDS
