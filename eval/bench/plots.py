"""Draw the plots in `results/` as SVG from the tables beside them.

    python -m eval.bench.plots [FOLDER]

Draws FOLDER/clients.svg, growing.svg and scale.svg, each from the CSV file of the same name.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

RESULTS = Path(__file__).parents[1] / "results"
# The moving average covers this number of rows on each side.
_SMOOTHING = 4

Columns = dict[str, list[float]]


def main() -> None:
    """Draw every plot whose table is in the folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=RESULTS)
    folder = parser.parse_args().folder
    for name, draw in (("clients", draw_clients), ("growing", draw_growing), ("scale", draw_scale)):
        if (folder / f"{name}.csv").exists():
            draw(folder)


def draw_clients(folder: Path) -> None:
    """Draw FOLDER/clients.svg: answers per second by number of clients."""
    table = _read_table(folder / "clients.csv")
    lines = {"questions": table["answered_a_second"]}
    _draw_lines(folder / "clients.svg", "answers per second", "clients", table["clients"], lines)


def draw_growing(folder: Path) -> None:
    """Draw FOLDER/growing.svg: processor time to index a passage by index size, as a moving average."""
    table = _read_table(folder / "growing.csv")
    costs = [sum(parts) for parts in zip(table["add_ms_a_passage"], table["catch_up_ms_a_passage"], strict=True)]
    windows = [costs[max(0, i - _SMOOTHING) : i + _SMOOTHING + 1] for i in range(len(costs))]
    lines = {"add and catch up": [sum(window) / len(window) for window in windows]}
    title = "processor time for each passage, ms"
    _draw_lines(folder / "growing.svg", title, "passages", table["passages"], lines)


def draw_scale(folder: Path) -> None:
    """Draw FOLDER/scale.svg: search time by index size."""
    table = _read_table(folder / "scale.csv")
    lines = {
        "search p50": table["search_p50"],
        "search p95": table["search_p95"],
        "vectors p50": table["dense_p50"],
        "vectors p95": table["dense_p95"],
    }
    _draw_lines(folder / "scale.svg", "milliseconds", "passages", table["passages"], lines)


def _read_table(path: Path) -> Columns:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def _draw_lines(
    path: Path, title: str, x_label: str, xs: Sequence[float], lines: Mapping[str, Sequence[float]]
) -> None:
    """Write a plot with a logarithmic x axis and a y axis from 0."""
    figure = Figure(figsize=(6.2, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for name, ys in lines.items():
        axes.plot(xs, ys, label=name)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(x_label)
    axes.set_xscale("log")
    axes.set_xticks([x for x in xs if len(xs) <= 8 or str(int(x)).rstrip("0") == "1" or x == xs[-1]])
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(bottom=0, top=1.1 * max(max(ys) for ys in lines.values()))
    axes.grid(visible=True, axis="y", color="#ddd")
    axes.legend(frameon=False, ncols=len(lines), fontsize=9)
    # Without the salt, and with the default metadata, the file would differ in every run.
    with mpl.rc_context({"svg.hashsalt": "spanlight", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
