"""How far a figure may be off by chance: 95 % intervals by resampling the questions (bootstrap; pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from qa.evaluation.metrics import calibration_error

Interval = tuple[float, float]
Measure = Callable[[NDArray[np.intp]], float | None]
"""What is measured on some rows, which are given by place; None where they do not allow it."""

_OUTSIDE = (2.5, 97.5)


def mean_interval(values: Sequence[float], *, scale: float = 1.0, samples: int = 2_000) -> Interval | None:
    """Return the interval of a mean, times `scale`; None of nothing."""
    array = scale * np.asarray(values, np.float64)
    if len(array) and array.min() == array.max():
        return float(array[0]), float(array[0])
    return bootstrap_interval(lambda rows: float(array[rows].mean()), len(array), samples=samples)


def bootstrap_interval(measure: Measure, count: int, *, samples: int = 500, seed: int = 1) -> Interval | None:
    """Return the interval of a measure of `count` rows; None of nothing, or where no sample allows the measure."""
    if not count:
        return None
    chooser = np.random.default_rng(seed)
    drawn = (measure(chooser.integers(0, count, count)) for _ in range(samples))
    found = [value for value in drawn if value is not None]
    if not found:
        return None
    low, high = np.percentile(found, _OUTSIDE)
    return float(low), float(high)


def calibration_interval(
    confidences: NDArray[np.float64], right: NDArray[np.bool_], *, samples: int = 500, seed: int = 1
) -> Interval | None:
    """Return the interval of a calibration error; None of nothing.

    Chance makes every sample's error larger than that of what it is drawn from, and never less than 0: the lower edge
    is as far below the error as the upper one of its samples is above it, and 0 if perfect calibration would give as
    large an error by chance.
    """
    count = len(confidences)
    error = calibration_error(confidences, right)
    drawn = bootstrap_interval(lambda r: calibration_error(confidences[r], right[r]), count, samples=samples, seed=seed)
    if error is None or drawn is None:
        return None
    chooser = np.random.default_rng(seed)
    by_chance = [calibration_error(confidences, chooser.random(count) < confidences) or 0.0 for _ in range(samples)]
    high = max(error, drawn[1])
    return 0.0 if error <= np.percentile(by_chance, _OUTSIDE[1]) else max(0.0, 2 * error - high), high
