from __future__ import annotations

import pytest

from qa.training.data.altered_questions import alter_questions
from qa.training.data.examples import Example
from qa.types import Span

CONTEXT = "In 1912 the largest mill of Lower Hutton, which Ida Brandt had opened in 1887, burned down."


def example(question: str, answer: str) -> Example:
    start = CONTEXT.index(answer)
    return Example(question, CONTEXT, Span(start, start + len(answer)))


@pytest.mark.parametrize(
    ("question", "answer", "alterations"),
    [
        ("who had the largest mill?", "Ida", {"who had the smallest mill?", "who hadn't the largest mill?"}),
        ("what burned down in 1912?", "mill", {"what burned down in 1887?"}),
        ("why was it closed?", "burned", {"why was it opened?", "why wasn't it closed?"}),
    ],
)
def test_altered_question_has_no_answer(question: str, answer: str, alterations: set[str]) -> None:
    for seed in range(10):
        original = example(question, answer)
        pairs = alter_questions([original], 5, seed)
        assert pairs[0][0] == original
        assert {altered.question for _, altered in pairs} <= alterations
        assert (pairs[0][1].context, pairs[0][1].answer) == (CONTEXT, None)


def test_entity_is_not_replaced_with_the_answer_or_itself() -> None:
    originals = [example("What did Ida Brandt open near the Old Bridge?", "mill of Lower Hutton")]
    questions = {alter_questions(originals, 1, seed)[0][1].question for seed in range(40)}
    assert len(questions) > 1
    assert not any("Hutton" in question for question in questions)
    assert originals[0].question not in questions


def test_replacement_shares_no_word_with_question_and_answer() -> None:
    text = "Notre Dame, or in full the University of Notre Dame, was built by Edward Sorin in the town of Bend."
    originals = [Example("where does Notre Dame lie?", text, Span(text.index("Bend"), text.index("Bend") + 4))]
    for seed in range(20):
        pairs = alter_questions([*originals, Example("is it near Old Bridge?", text, Span(0, 5))], 2, seed)
        assert not any("University" in altered.question for _, altered in pairs)


@pytest.mark.parametrize(("word", "negated"), [("Can", "Can't"), ("did", "didn't")])
def test_negation_keeps_case(word: str, negated: str) -> None:
    ((_, altered),) = alter_questions([example(f"{word} they burn it?", "mill")], 1, 1)
    assert altered.question == f"{negated} they burn it?"
    assert alter_questions([example(f"{negated} they burn it?", "mill")], 1, 1) == []


def test_seed_decides_alterations_and_count_limits_them() -> None:
    originals = [example(f"who ran the oldest mill number {n}?", "Ida Brandt") for n in range(20)]
    assert alter_questions(originals, 7, 1) == alter_questions(originals, 7, 1)
    assert len(alter_questions(originals, 7, 1)) == 7
    assert alter_questions(originals, 7, 1) != alter_questions(originals, 7, 2)
    assert alter_questions([Example("who?", CONTEXT, None)], 3, 1) == []


def test_question_is_altered_again_after_all_others_and_differently() -> None:
    originals = [example(f"who opened the largest mill number {n} in 1912?", "Ida Brandt") for n in (10, 20, 30)]
    pairs = alter_questions(originals, 9, 1)
    assert len({altered.question for _, altered in pairs}) == len(pairs) > 3
    assert {original.question for original, _ in pairs[:3]} == {original.question for original in originals}


def test_word_is_replaced_as_in_unanswerable_questions_of_the_data() -> None:
    text = "Ida Brandt painted the hall."
    examples = [
        example("who opened the barn?", "Ida Brandt"),
        Example("who closed the barn?", CONTEXT, None),
        Example("who painted it?", text, Span(0, 10)),
    ]
    assert "who closed it?" in {altered.question for _, altered in alter_questions(examples, 9, 1)}


def test_phrase_is_replaced_with_one_of_the_passage() -> None:
    text = "The white mill was sold by a miller, and the old barn was kept."
    original = Example("who sold the white mill?", text, Span(text.index("miller"), text.index(",")))
    questions = {altered.question for seed in range(20) for _, altered in alter_questions([original], 9, seed)}
    assert "who sold the old barn?" in questions
    assert not any("miller" in question for question in questions)
