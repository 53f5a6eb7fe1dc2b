"""Compare the intervals with SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from qa.evaluation.intervals import bootstrap_interval, calibration_interval, mean_interval
from qa.evaluation.metrics import auroc, calibration_error

RNG = np.random.default_rng(4)
VALUES = RNG.beta(0.4, 0.3, 300)
MARKS = RNG.random(300) < 0.3 + 0.4 * VALUES


def close(interval: tuple[float, float] | None, expected: tuple[float, float]) -> bool:
    assert interval is not None
    return bool(np.allclose(interval, expected, atol=(expected[1] - expected[0]) / 10))


def test_mean_interval_agrees_with_scipy() -> None:
    expected = bootstrap((VALUES,), np.mean, n_resamples=4000, method="percentile", rng=2).confidence_interval
    assert close(mean_interval(VALUES.tolist(), scale=100), (100 * expected.low, 100 * expected.high))
    assert mean_interval([]) is None
    assert mean_interval([0.5] * 4) == (0.5, 0.5)


def test_bootstrap_interval_agrees_with_scipy() -> None:
    def measure(scores: np.ndarray, marks: np.ndarray) -> float:
        return auroc(scores, marks) or 0.0

    expected = bootstrap(
        (VALUES, MARKS), measure, paired=True, vectorized=False, n_resamples=2000, method="percentile", rng=2
    ).confidence_interval
    assert close(
        bootstrap_interval(lambda r: auroc(VALUES[r], MARKS[r]), len(VALUES), samples=2000),
        (expected.low, expected.high),
    )


def test_skips_samples_on_which_the_metric_is_undefined() -> None:
    scores, marks = np.array([0.1, 0.9]), np.array([False, True])
    assert bootstrap_interval(lambda r: auroc(scores[r], marks[r]), 2) == (1.0, 1.0)
    assert bootstrap_interval(lambda r: auroc(scores[r], np.array([True, True])), 2) is None
    assert calibration_interval(np.array([]), np.array([], bool)) is None


@pytest.mark.parametrize(("shrinkage", "least_coverage"), [(0.0, 0.9), (0.15, 0.8)])
def test_calibration_interval_contains_the_estimate_and_mostly_the_true_error(
    shrinkage: float, least_coverage: float
) -> None:
    covered = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        chances = rng.random(400)
        right = rng.random(400) < chances
        confidences = np.clip(chances * (1 - shrinkage), 0, 1)
        error = calibration_error(confidences, right)
        low, high = calibration_interval(confidences, right, samples=60) or (1.0, 0.0)
        assert error is not None
        assert low <= error <= high
        covered.append(low <= float(np.mean(np.abs(chances - confidences))) <= high)
    assert np.mean(covered) >= least_coverage
