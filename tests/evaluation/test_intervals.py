"""Intervals against an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from qa.evaluation.intervals import bootstrap_interval, mean_interval
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


@pytest.mark.parametrize(("method", "biased"), [("percentile", False), ("basic", True)])
def test_the_interval_of_any_measure(method: str, biased: bool) -> None:
    def measured(scores: np.ndarray, marks: np.ndarray) -> float:
        return auroc(scores, marks) or 0.0

    theirs = bootstrap(
        (VALUES, MARKS), measured, paired=True, vectorized=False, n_resamples=2000, method=method, rng=2
    ).confidence_interval
    ours = bootstrap_interval(lambda r: auroc(VALUES[r], MARKS[r]), len(VALUES), samples=2000, biased=biased)
    assert near(ours, (theirs.low, theirs.high))


def test_samples_that_do_not_allow_a_measure_are_left_out() -> None:
    scores, marks = np.array([0.1, 0.9]), np.array([False, True])
    assert bootstrap_interval(lambda r: auroc(scores[r], marks[r]), 2) == (1.0, 1.0)
    assert bootstrap_interval(lambda r: auroc(scores[r], np.array([True, True])), 2) is None


def test_a_calibration_error_lies_in_its_interval_though_samples_have_larger_ones() -> None:
    confidences = np.random.default_rng(5).random(2_000)
    right = np.random.default_rng(6).random(2_000) < confidences
    error = calibration_error(confidences, right)
    low, high = bootstrap_interval(lambda r: calibration_error(confidences[r], right[r]), 2_000, biased=True) or (1, 0)
    assert error is not None
    assert 0 <= low <= error <= high + 1e-9
    assert high < 0.04
