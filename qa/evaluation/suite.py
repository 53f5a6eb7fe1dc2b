"""Read suites: TOML files that list data sets, the mode for each, and thresholds for their metrics."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qa.errors import DatasetError
from qa.evaluation.input_files import read_text
from qa.evaluation.systems import Mode


@dataclass(frozen=True, slots=True)
class Entry:
    """One evaluation.

    Attributes:
        path: path of the data set.
        mode: what to evaluate.
        limit: maximum number of questions.
        at_least, at_most: lowest and highest allowed values by metric.
        documents: folder of the files that the data set names; None for the folder `docs` beside it.
    """

    path: Path
    mode: Mode
    limit: int | None = None
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)
    documents: Path | None = None

    @property
    def name(self) -> str:
        """The name in messages; the files of several folders are called `dev.json`."""
        return f"{self.path.parent.name}/{self.path.name}" if self.path.parent.name else self.path.name

    def with_limit(self, limit: int | None) -> Entry:
        """Return the same evaluation with at most `limit` questions."""
        limits = [number for number in (self.limit, limit) if number is not None]
        return replace(self, limit=min(limits, default=None))

    def failures(self, metrics: Mapping[str, float | None]) -> list[str]:
        """Return a message for each gate that the metrics miss; a metric that is null misses its gate.

        See `qa.evaluation.parts.gated_metrics` for the metrics that a gate can name.
        """
        missed = []
        for sign, gates in (("below", self.at_least), ("above", self.at_most)):
            for name, gate in gates.items():
                value = metrics.get(name)
                if value is None:
                    missed.append(f"{self.name}, {self.mode}: {name} is not measured but has a gate of {gate:g}")
                elif value < gate if sign == "below" else value > gate:
                    missed.append(f"{self.name}, {self.mode}: {name} is {value:.4g}, {sign} the gate of {gate:g}")
        return missed


class _Set(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: str
    mode: Mode
    limit: int | None = Field(None, ge=1)
    optional: bool = False
    documents: str | None = None
    at_least: dict[str, float] = Field(default_factory=dict)
    at_most: dict[str, float] = Field(default_factory=dict)


class _Suite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    set: list[_Set] = Field(min_length=1)


def load_suite(path: Path) -> tuple[list[Entry], list[str]]:
    """Read a suite; its paths are relative to its folder.

    Returns:
        The entries whose data sets exist, and the paths of missing optional sets.

    Raises:
        DatasetError: the file is not a suite, or a required set is missing.
    """
    try:
        suite = _Suite.model_validate(tomllib.loads(read_text(path)))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise DatasetError(f"{path}: not a suite ({_describe(error)})", field="dataset") from error
    entries: list[Entry] = []
    missing: list[str] = []
    for item in suite.set:
        dataset = path.parent / item.path
        if dataset.exists():
            documents = None if item.documents is None else path.parent / item.documents
            entries.append(Entry(dataset, item.mode, item.limit, item.at_least, item.at_most, documents))
        elif item.optional:
            missing.append(item.path)
        else:
            raise DatasetError(f"{path}: {item.path} not found; fix the path or set optional = true", field="dataset")
    return entries, missing


def _describe(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first: Any = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
