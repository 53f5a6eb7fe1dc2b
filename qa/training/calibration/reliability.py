"""Reliability diagram as SVG: the share of right answers by confidence (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO

from qa.evaluation.metrics import Bin

DIAGRAM = "reliability.svg"
"""Name of its file in the reader's folder."""

# Text stays text, ids are the same in every run, and the user's own matplotlib settings do not matter.
_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "spanlight", "font.size": 9.0, "font.sans-serif": ["DejaVu Sans"]}
# Inches of one diagram.
_WIDTH, _HEIGHT = 3.4, 3.7
# Square points.
_LARGEST_DOT = 60.0


def reliability_svg(panels: Mapping[str, Sequence[Bin]]) -> str:
    """Return one diagram for each title, side by side; the area of a dot is proportional to the answers in its bin."""
    # Imported here: matplotlib takes half a second to import, and only this function needs it.
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(["default", _STYLE]):
        figure = Figure(figsize=(_WIDTH * len(panels), _HEIGHT), layout="constrained")
        columns = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (title, bins) in zip(columns, panels.items(), strict=True):
            confidences, accuracies = [b.confidence for b in bins], [b.accuracy for b in bins]
            largest = max((b.count for b in bins), default=1)
            axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
            axes.plot(confidences, accuracies, color="tab:blue")
            axes.scatter(confidences, accuracies, [_LARGEST_DOT * b.count / largest for b in bins], color="tab:blue")
            axes.set(title=title, xlabel="confidence", ylabel="share of right answers", aspect="equal")
            axes.grid(alpha=0.3)
        svg = StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()
