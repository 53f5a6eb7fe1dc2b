from __future__ import annotations

import math
from collections.abc import Iterable

import pytest

from qa.training.calibration.thresholds import Guess, choose_answered, choose_unsure, measure_shares


def right(confidences: Iterable[float], group: str = "") -> list[Guess]:
    return [Guess(confidence, True, True, group) for confidence in confidences]


def wrong(confidences: Iterable[float], group: str = "") -> list[Guess]:
    return [Guess(confidence, False, True, group) for confidence in confidences]


def unanswerable(confidences: Iterable[float], group: str = "") -> list[Guess]:
    return [Guess(confidence, False, False, group) for confidence in confidences]


HUNDREDTHS = [n / 100 for n in range(100)]


def test_few_unanswerable_questions_are_answered() -> None:
    # From .88 upwards are 12 of the 100 unanswerable questions.
    assert choose_answered([*right([0.5, 0.7, 0.9, 0.95] * 50), *unanswerable(HUNDREDTHS)], 0.15) == 0.88
    assert choose_answered([*right([0.5, 0.7, 0.9, 0.95] * 50), *unanswerable([0.3] * 100)], 0.15) == 0.5


def test_the_limit_holds_in_each_group_that_is_large_enough() -> None:
    clear, hard = unanswerable([0.1] * 400, "office"), unanswerable(HUNDREDTHS[::2], "tables")
    guesses = [*right([0.6, 0.9] * 300), *clear, *hard]
    # In the group, 7 of 50 may be answered, although 54 of all 450 may.
    assert choose_answered(guesses, 0.15) == 0.86
    assert sum(guess.confidence >= 0.86 for guess in hard) == 7
    few = unanswerable(HUNDREDTHS[::4], "tables")
    assert choose_answered([*right([0.6, 0.9] * 300), *clear, *few], 0.15) == 0.12


def test_more_answers_are_right_than_wrong() -> None:
    guesses = [*right([0.8] * 60), *wrong([0.8] * 30), *wrong([0.4] * 29), *wrong([0.2])]
    assert choose_answered(guesses, 0.15) == 0.4
    assert choose_answered([*guesses, *wrong([0.4])], 0.15) == 0.8
    assert choose_answered(wrong([0.4, 0.8]), 0.15) == 1.0
    assert choose_answered([], 0.15) == 1.0


@pytest.mark.parametrize(("share", "threshold"), [(0.0, 0.5), (0.5, 0.6)])
def test_answers_to_unanswerable_questions_weigh_as_much_as_their_assumed_share(share: float, threshold: float) -> None:
    guesses = [*right([0.6] * 60), *wrong([0.5] * 55), *unanswerable([0.5] * 10 + [0.1] * 90)]
    assert choose_answered(guesses, share) == threshold


def test_few_right_guesses_are_hidden() -> None:
    assert choose_unsure([*right(HUNDREDTHS), *wrong([0.01] * 50), *unanswerable([0.02] * 50)]) == 0.03
    assert choose_unsure(right([0.3] * 10)) == 0.3
    assert choose_unsure(wrong([0.3])) == 0.0


def test_few_right_guesses_are_hidden_in_each_group() -> None:
    # 5 of all 150 may be hidden, but only 3 of the 50 in the second group, and all of a small one.
    sure, doubtful = right([0.9] * 100, "office"), right([n / 100 for n in range(50)], "tables")
    assert choose_unsure([*sure, *doubtful]) == 0.03
    assert choose_unsure([*sure, *right([n / 100 for n in range(30)], "tables")]) == 0.03


def test_shares_count_questions_by_their_label() -> None:
    guesses = [*right([0.1, 0.5, 0.9, 0.9]), *wrong([0.9, 0.2]), *unanswerable([0.6, 0.9, 0.1, 0.1, 0.1])]
    shares = measure_shares(guesses, answered=0.6, unsure=0.2)
    assert (shares.answered, shares.wrongly_answered, shares.hidden) == (0.5, 0.4, 0.25)
    nothing = measure_shares([], 0.6, 0.2)
    assert all(math.isnan(share) for share in (nothing.answered, nothing.wrongly_answered, nothing.hidden))
