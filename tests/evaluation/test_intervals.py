"""Intervals against an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from qa.evaluation.intervals import bootstrap_interval, calibration_interval, mean_interval
from qa.evaluation.metrics import auroc, calibration_error

CHOOSER = np.random.default_rng(4)
VALUES = CHOOSER.beta(0.4, 0.3, 300)
MARKS = CHOOSER.random(300) < 0.3 + 0.4 * VALUES


def near(ours: tuple[float, float] | None, theirs: tuple[float, float]) -> bool:
    assert ours is not None
    return bool(np.allclose(ours, theirs, atol=(theirs[1] - theirs[0]) / 10))


def test_the_interval_of_a_mean() -> None:
    theirs = bootstrap((VALUES,), np.mean, n_resamples=4000, method="percentile", rng=2).confidence_interval
    assert near(mean_interval(VALUES.tolist(), scale=100), (100 * theirs.low, 100 * theirs.high))
    assert mean_interval([]) is None
    assert mean_interval([0.5] * 4) == (0.5, 0.5)


def test_the_interval_of_any_measure() -> None:
    def measured(scores: np.ndarray, marks: np.ndarray) -> float:
        return auroc(scores, marks) or 0.0

    theirs = bootstrap(
        (VALUES, MARKS), measured, paired=True, vectorized=False, n_resamples=2000, method="percentile", rng=2
    ).confidence_interval
    assert near(
        bootstrap_interval(lambda r: auroc(VALUES[r], MARKS[r]), len(VALUES), samples=2000), (theirs.low, theirs.high)
    )


def test_samples_that_do_not_allow_a_measure_are_left_out() -> None:
    scores, marks = np.array([0.1, 0.9]), np.array([False, True])
    assert bootstrap_interval(lambda r: auroc(scores[r], marks[r]), 2) == (1.0, 1.0)
    assert bootstrap_interval(lambda r: auroc(scores[r], np.array([True, True])), 2) is None
    assert calibration_interval(np.array([]), np.array([], bool)) is None


@pytest.mark.parametrize(("off", "least"), [(0.0, 0.9), (0.15, 0.8)])
def test_a_calibration_error_lies_in_its_interval_and_so_does_the_true_one(off: float, least: float) -> None:
    held = []
    for seed in range(40):
        chooser = np.random.default_rng(seed)
        chances = chooser.random(400)
        right = chooser.random(400) < chances
        confidences = np.clip(chances * (1 - off), 0, 1)
        error = calibration_error(confidences, right)
        low, high = calibration_interval(confidences, right, samples=60) or (1.0, 0.0)
        assert error is not None
        assert low <= error <= high
        held.append(low <= float(np.mean(np.abs(chances - confidences))) <= high)
    assert np.mean(held) >= least
