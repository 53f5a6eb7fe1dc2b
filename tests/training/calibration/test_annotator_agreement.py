from __future__ import annotations

import pytest

from qa.training.calibration.annotator_agreement import AnnotatorAgreement, annotator_agreement

OPINION = AnnotatorAgreement((0.1, 0.2, 0.3, 0.4))


@pytest.mark.parametrize(
    ("text", "golds", "expected"),
    [
        ("the red car", ["red car"], 1.0),
        ("blue", ["red car"], 0.1),
        ("car of the man", ["red fast old car"], 0.2),
        ("car", ["red car"], 0.3),
        ("big red old car", ["red old car"], 0.4),
        # Where several people answered, they decide; where there is no answer, nothing is right.
        ("car", ["red car", "red"], 0.0),
        ("red", ["red car", "red"], 1.0),
        ("car", [], 0.0),
    ],
)
def test_an_answer_near_the_only_one_is_partly_right(text: str, golds: list[str], expected: float) -> None:
    assert OPINION.rightness(text, golds) == expected


def test_shares_are_counted_where_several_people_answered() -> None:
    # "car" is itself one of three answers: next to each of the two others, that other person agrees with it.
    found = annotator_agreement([("car", ["red car", "car", "blue bus"])] * 20 + [("car", ["red car"])] * 50)
    assert found.shares == (1.0, 0.0, 1.0, 0.0)
    assert annotator_agreement([("car", ["red car", "bus"])] * 20).shares == (0.0, 0.0, 0.0, 0.0)
    assert annotator_agreement([("car", ["red car", "car"])] * 5).shares == (0.0, 0.0, 0.0, 0.0)
