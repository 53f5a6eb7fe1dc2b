from __future__ import annotations

import pytest

from qa.training.data.altered_questions import altered_questions
from qa.training.data.examples import Example
from qa.types import Span

CONTEXT = "In 1912 the largest mill of Lower Hutton, which Ida Brandt had opened in 1887, burned down."


def example(question: str, answer: str) -> Example:
    start = CONTEXT.index(answer)
    return Example(question, CONTEXT, Span(start, start + len(answer)))


@pytest.mark.parametrize(
    ("question", "answer", "possible"),
    [
        ("who had the largest mill?", "Ida", {"who had the smallest mill?", "who hadn't the largest mill?"}),
        ("what burned down in 1912?", "mill", {"what burned down in 1887?"}),
        ("why was it closed?", "burned", {"why was it opened?", "why wasn't it closed?"}),
    ],
)
def test_a_question_is_altered_and_has_no_answer(question: str, answer: str, possible: set[str]) -> None:
    for seed in range(10):
        asked = example(question, answer)
        (before, made), *more = altered_questions([asked], 5, seed)
        assert before == asked
        assert {made.question, *(other.question for _, other in more)} <= possible
        assert (made.context, made.answer) == (CONTEXT, None)


def test_an_entity_is_never_replaced_by_the_answer_or_by_what_is_asked() -> None:
    asked = [example("What did Ida Brandt open near the Old Bridge?", "mill of Lower Hutton")]
    made = {altered_questions(asked, 1, seed)[0][1].question for seed in range(40)}
    assert len(made) > 1
    assert not any("Hutton" in question for question in made)
    assert asked[0].question not in made


def test_what_shares_a_word_may_be_the_same() -> None:
    text = "Notre Dame, or in full the University of Notre Dame, was built by Edward Sorin in the town of Bend."
    asked = [Example("where does Notre Dame lie?", text, Span(text.index("Bend"), text.index("Bend") + 4))]
    for seed in range(20):
        made = altered_questions([*asked, Example("is it near Old Bridge?", text, Span(0, 5))], 2, seed)
        assert not any("University" in example.question for _, example in made)


@pytest.mark.parametrize(("word", "denied"), [("Can", "Can't"), ("did", "didn't")])
def test_a_negation_keeps_case(word: str, denied: str) -> None:
    ((_, made),) = altered_questions([example(f"{word} they burn it?", "mill")], 1, 1)
    assert made.question == f"{denied} they burn it?"
    assert altered_questions([example(f"{denied} they burn it?", "mill")], 1, 1) == []


def test_the_seed_decides_and_the_count_limits() -> None:
    asked = [example(f"who ran the oldest mill number {n}?", "Ida Brandt") for n in range(20)]
    assert altered_questions(asked, 7, 1) == altered_questions(asked, 7, 1)
    assert len(altered_questions(asked, 7, 1)) == 7
    assert altered_questions(asked, 7, 1) != altered_questions(asked, 7, 2)
    assert altered_questions([Example("who?", CONTEXT, None)], 3, 1) == []


def test_questions_are_altered_again_after_the_others_and_never_alike() -> None:
    asked = [example(f"who opened the largest mill number {n} in 1912?", "Ida Brandt") for n in (10, 20, 30)]
    made = altered_questions(asked, 9, 1)
    assert len({altered.question for _, altered in made}) == len(made) > 3
    assert {before.question for before, _ in made[:3]} == {question.question for question in asked}


def test_a_word_is_replaced_as_people_do() -> None:
    text = "Ida Brandt painted the hall."
    examples = [
        example("who opened the barn?", "Ida Brandt"),
        Example("who closed the barn?", CONTEXT, None),
        Example("who painted it?", text, Span(0, 10)),
    ]
    assert "who closed it?" in {altered.question for _, altered in altered_questions(examples, 9, 1)}


def test_a_phrase_of_the_passage_is_asked_for() -> None:
    text = "The white mill was sold by a miller, and the old barn was kept."
    asked = Example("who sold the white mill?", text, Span(text.index("miller"), text.index(",")))
    made = {altered.question for seed in range(20) for _, altered in altered_questions([asked], 9, seed)}
    assert "who sold the old barn?" in made
    assert not any("miller" in question for question in made)
