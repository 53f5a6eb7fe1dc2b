"""The command of a public set: read the file, run the shipped models on it, and print the figures."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from qa.config import Settings
from qa.engine import Engine
from qa.errors import DatasetError
from qa.evaluation.intervals import Estimate
from qa.factory import build_engine

Row = TypeVar("Row")


def run(
    documentation: str | None, load: Callable[[Path], Sequence[Row]], score: Callable[[Sequence[Row], Engine], str]
) -> None:
    """Load the file that the command line names, and print its score.

    Args:
        documentation: of the command's module; the help prints it.
        load: reads the rows of the file.
        score: runs the engine on the rows, and returns the lines to print.
    """
    parser = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    path = parser.parse_args().path
    try:
        rows = load(path)
    except DatasetError as error:
        parser.error(f"{error}; --help says where the file comes from")
    with tempfile.TemporaryDirectory() as folder, build_engine(Settings(index_dir=Path(folder))) as engine:
        print(score(rows, engine))


def format_figures(figures: Mapping[str, Estimate]) -> Iterator[str]:
    """Yield a line for each figure: its name, its value, and the 95 % interval over resampled rows."""
    for name, (value, interval) in figures.items():
        if value is not None and interval is not None:
            yield f"{name:32} {value:.3f}  ({interval[0]:.3f} to {interval[1]:.3f})"
