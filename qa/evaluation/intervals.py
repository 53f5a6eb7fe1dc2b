"""How far a figure may be off by chance: 95 % intervals by resampling the questions (bootstrap; pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

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


def bootstrap_interval(
    measure: Measure, count: int, *, samples: int = 500, biased: bool = False, seed: int = 1
) -> Interval | None:
    """Return the interval of a measure of `count` rows; None of nothing, or where no sample allows the measure.

    Args:
        measure: takes the places of rows.
        count: of rows.
        samples: how often they are drawn.
        biased: the measure, which is never below 0, is larger on a sample than on what the sample is drawn from, as a
            calibration error is: the interval is turned around (basic bootstrap) instead of read off (percentile).
        seed: of the draws.
    """
    if not count:
        return None
    chooser = np.random.default_rng(seed)
    drawn = (measure(chooser.integers(0, count, count)) for _ in range(samples))
    found = [value for value in drawn if value is not None]
    whole = measure(np.arange(count))
    if not found or whole is None:
        return None
    low, high = (float(edge) for edge in np.percentile(found, _OUTSIDE))
    return (max(0.0, 2 * whole - high), max(0.0, 2 * whole - low)) if biased else (low, high)
