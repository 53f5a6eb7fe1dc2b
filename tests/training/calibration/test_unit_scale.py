from __future__ import annotations

import random

import pytest

from qa.reading.evidence import UnitCandidate, select_units
from qa.training.calibration.unit_scale import QuestionUnits, fit_evidence
from qa.types import Span
from tests.reading.test_answers import hit

TEXT = "One two. Three four. Five six. Seven eight."
SPANS = [Span(0, 8), Span(9, 20), Span(21, 30), Span(31, 43)]


def question(*logits: float, evidence: tuple[int, ...] = (), document: str = "d") -> QuestionUnits:
    """Return a question whose document has one unit for each logit."""
    passage = hit(TEXT, document)
    units = [UnitCandidate(passage, span, logit, 0.0, False) for span, logit in zip(SPANS, logits, strict=False)]
    return QuestionUnits([units], "d", tuple(SPANS[number] for number in evidence))


def draw(count: int, seed: int) -> list[QuestionUnits]:
    """Return questions of which one in three has no evidence; evidence has higher logits, with some noise."""
    chooser = random.Random(seed)
    questions = []
    for number in range(count):
        evidence = () if number % 3 == 0 else (chooser.randrange(4),)
        logits = [chooser.gauss(2.0 if unit in evidence else -2.0, 1.0) for unit in range(4)]
        questions.append(question(*logits, evidence=evidence))
    return questions


def test_units_with_higher_logits_are_more_likely_evidence() -> None:
    scale = fit_evidence(draw(300, seed=1))
    ((best, _),) = select_units(question(2.0, -2.0, -2.0, -2.0).passages, scale, threshold=0.1)
    assert best > 0.8


def test_few_unanswerable_questions_get_evidence() -> None:
    questions = draw(300, seed=2)
    scale = fit_evidence(questions)
    marked = [select_units(q.passages, scale) for q in questions if not q.evidence]
    assert 0 < sum(map(bool, marked)) <= 0.17 * len(marked)
    assert sum(bool(units) and units[0][0] > scale.answered for units in marked) <= 0.03 * len(marked)


def test_the_threshold_marks_most_of_the_evidence() -> None:
    questions = draw(300, seed=3)
    scale = fit_evidence(questions)
    marked = [
        span in [unit.span for _, unit in select_units(q.passages, scale)] for q in questions for span in q.evidence
    ]
    assert sum(marked) > 0.8 * len(marked)


def test_the_second_unit_of_an_answer_needs_less_than_the_first() -> None:
    chooser = random.Random(4)
    pairs = [question(3.0, chooser.gauss(-0.5, 0.5), -4.0, -4.0, evidence=(0, 1)) for _ in range(100)]
    alone = [question(chooser.gauss(-0.5, 0.5), -4.0, -4.0, -4.0) for _ in range(100)]
    scale = fit_evidence([*pairs, *alone])
    assert scale.further <= scale.threshold
    assert sum(len(select_units(q.passages, scale)) == 2 for q in pairs) > 90
    assert sum(bool(select_units(q.passages, scale)) for q in alone) <= 17


def test_units_of_other_documents_are_no_evidence() -> None:
    other = question(1.0, evidence=(0,), document="other")
    assert other.answers(other.passages[0]) == [False]


@pytest.mark.parametrize(("start", "end", "labelled"), [(0, 8, True), (0, 5, True), (6, 43, False)])
def test_a_unit_is_labelled_if_evidence_covers_half_of_it(start: int, end: int, labelled: bool) -> None:
    units = question(1.0)
    assert QuestionUnits(units.passages, "d", (Span(start, end),)).answers(units.passages[0]) == [labelled]
