from __future__ import annotations

import pytest

from qa.training.calibration.annotator_agreement import AnnotatorAgreement, count_agreement

AGREEMENT = AnnotatorAgreement((0.1, 0.2, 0.3, 0.4))


@pytest.mark.parametrize(
    ("text", "golds", "expected"),
    [
        ("the red car", ["red car"], 1.0),
        ("blue", ["red car"], 0.1),
        ("car of the man", ["red fast old car"], 0.2),
        ("car", ["red car"], 0.3),
        ("big red old car", ["red old car"], 0.4),
        # With several gold answers only they are right; without a gold answer nothing is.
        ("car", ["red car", "red"], 0.0),
        ("red", ["red car", "red"], 1.0),
        ("car", [], 0.0),
    ],
)
def test_answer_near_the_only_gold_answer_is_partly_right(text: str, golds: list[str], expected: float) -> None:
    assert AGREEMENT.probability_correct(text, golds) == expected


def test_agreement_is_counted_on_questions_with_several_gold_answers() -> None:
    # "car" is one of three gold answers: compared with each of the other two, a second person agrees with it.
    agreement = count_agreement([("car", ["red car", "car", "blue bus"])] * 20 + [("car", ["red car"])] * 50)
    assert agreement.shares == (1.0, 0.0, 1.0, 0.0)
    assert count_agreement([("car", ["red car", "bus"])] * 20).shares == (0.0, 0.0, 0.0, 0.0)
    assert count_agreement([("car", ["red car", "car"])] * 5).shares == (0.0, 0.0, 0.0, 0.0)
