"""Metrics with bootstrap 95 % confidence intervals: resample the questions with replacement (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qa.evaluation.metrics import calibration_error

Interval = tuple[float, float]
Measure = Callable[[NDArray[np.intp]], float | None]
"""Computes a metric on the rows at the given positions; None where it is undefined on them."""

_PERCENTILES = (2.5, 97.5)


class Estimate(NamedTuple):
    """The value of a metric and its 95 % confidence interval; None where it is undefined."""

    value: float | None
    interval: Interval | None


UNDEFINED = Estimate(None, None)


def estimate(measure: Measure, count: int) -> Estimate:
    """Return a metric of `count` rows with its interval; undefined without rows."""
    return Estimate(measure(np.arange(count)), bootstrap_interval(measure, count)) if count else UNDEFINED


def estimate_mean(values: Sequence[float], scale: float = 1.0) -> Estimate:
    """Return a mean, times `scale`, with its interval; undefined without values."""
    return Estimate(scale * float(np.mean(values)), mean_interval(values, scale=scale)) if len(values) else UNDEFINED


def estimate_calibration_error(confidences: NDArray[np.float64], right: NDArray[np.bool_]) -> Estimate:
    """Return a calibration error with its interval; undefined without confidences."""
    return Estimate(calibration_error(confidences, right), calibration_interval(confidences, right))


def mean_interval(values: Sequence[float], *, scale: float = 1.0, samples: int = 2_000) -> Interval | None:
    """Return the interval of a mean, times `scale`; None if there are no values."""
    array = scale * np.asarray(values, np.float64)
    if len(array) and array.min() == array.max():
        return float(array[0]), float(array[0])
    return bootstrap_interval(lambda rows: float(array[rows].mean()), len(array), samples=samples)


def bootstrap_interval(measure: Measure, count: int, *, samples: int = 500, seed: int = 1) -> Interval | None:
    """Return the interval of a metric of `count` rows; None without rows, or where every sample leaves it undefined."""
    if not count:
        return None
    rng = np.random.default_rng(seed)
    values = (measure(rng.integers(0, count, count)) for _ in range(samples))
    defined = [value for value in values if value is not None]
    if not defined:
        return None
    low, high = np.percentile(defined, _PERCENTILES)
    return float(low), float(high)


def calibration_interval(
    confidences: NDArray[np.float64], right: NDArray[np.bool_], *, samples: int = 500, seed: int = 1
) -> Interval | None:
    """Return the interval of a calibration error; None if there are no confidences.

    The calibration error of a resample is biased upwards and never below 0, so a plain percentile interval would be too
    high. The lower end is therefore as far below the error as the upper percentile is above it. The lower end is 0 if
    perfectly calibrated confidences would reach the same error by chance.
    """
    count = len(confidences)
    error = calibration_error(confidences, right)
    resampled = bootstrap_interval(
        lambda rows: calibration_error(confidences[rows], right[rows]), count, samples=samples, seed=seed
    )
    if error is None or resampled is None:
        return None
    rng = np.random.default_rng(seed)
    by_chance = [calibration_error(confidences, rng.random(count) < confidences) or 0.0 for _ in range(samples)]
    high = max(error, resampled[1])
    return 0.0 if error <= np.percentile(by_chance, _PERCENTILES[1]) else max(0.0, 2 * error - high), high
