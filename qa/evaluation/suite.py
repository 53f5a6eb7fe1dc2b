"""A suite: which data sets are evaluated in which mode, and the figures they must reach (TOML)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qa.errors import DatasetError
from qa.evaluation.input_files import content_of
from qa.evaluation.systems import Mode


@dataclass(frozen=True, slots=True)
class Entry:
    """One evaluation.

    Attributes:
        path: of the data set.
        mode: what is evaluated.
        limit: at most so many questions.
        at_least, at_most: by metric, what the figure must reach or must not exceed.
    """

    path: Path
    mode: Mode
    limit: int | None = None
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)

    def limited(self, limit: int | None) -> Entry:
        """Return the same evaluation with at most `limit` questions."""
        limits = [number for number in (self.limit, limit) if number is not None]
        return replace(self, limit=min(limits, default=None))

    def failures(self, metrics: Mapping[str, float | None]) -> list[str]:
        """Return what a report's metrics miss, in words; a gate on a metric that is null is missed."""
        missed = []
        for sign, gates in (("below", self.at_least), ("above", self.at_most)):
            for name, gate in gates.items():
                value = metrics.get(name)
                if value is None:
                    missed.append(f"{self.path.name}, {self.mode}: {name} is not measured, and has a gate of {gate:g}")
                elif value < gate if sign == "below" else value > gate:
                    missed.append(f"{self.path.name}, {self.mode}: {name} is {value:.4g}, {sign} the gate of {gate:g}")
        return missed


class _Set(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: str
    mode: Mode
    limit: int | None = Field(None, ge=1)
    optional: bool = False
    at_least: dict[str, float] = Field(default_factory=dict)
    at_most: dict[str, float] = Field(default_factory=dict)


class _Suite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    set: list[_Set] = Field(min_length=1)


def load_suite(path: Path) -> tuple[list[Entry], list[str]]:
    """Read a suite; paths in it count from its folder.

    Returns:
        What there is to evaluate, and the optional sets that are not there.

    Raises:
        DatasetError: the file is no suite, or a set that is not optional is not there.
    """
    try:
        suite = _Suite.model_validate(tomllib.loads(content_of(path)))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise DatasetError(f"{path}: not a suite ({_first(error)})", field="dataset") from error
    entries: list[Entry] = []
    absent: list[str] = []
    for made in suite.set:
        place = path.parent / made.path
        if place.exists():
            entries.append(Entry(place, made.mode, made.limit, made.at_least, made.at_most))
        elif made.optional:
            absent.append(made.path)
        else:
            raise DatasetError(f"{path}: {made.path}: there is no such file", field="dataset")
    return entries, absent


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        wrong: Any = error.errors()[0]
        return f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}"
    return str(error)
