"""Lines on a plane as SVG (pure)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _BELOW = 520, 260, 70, 30, 50
_COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1")


def lines_svg(title: str, across: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Return a plot with a line for each name; `across` is on a logarithmic scale, what goes up begins at 0."""
    points = [point for line in lines.values() for point in line]
    low, high = (math.log10(edge(x for x, _ in points)) for edge in (min, max))
    top = 1.1 * max(y for _, y in points) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        share = (math.log10(x) - low) / ((high - low) or 1.0)
        return _LEFT + _WIDTH * share, _TOP + _HEIGHT * (1 - y / top)

    parts = [f'<text x="{_LEFT}" y="18" font-size="13">{escape(title)}</text>']
    for tick in range(6):
        value = top * tick / 5
        _, height = place(10**low, value)
        parts.append(f'<path d="M{_LEFT} {height:.1f}h{_WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for x in sorted({x for x, _ in points if x in (points[0][0], 10 ** round(math.log10(x)), 10**high)}):
        left, _ = place(x, 0)
        parts.append(f'<text x="{left:.1f}" y="{_TOP + _HEIGHT + 16}" text-anchor="middle">{x:,.0f}</text>')
    apart = _WIDTH / max(3, len(lines))
    for number, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(
            f'<text x="{_LEFT + 8 + apart * number:.0f}" y="{_TOP + 14}" fill="{colour}">{escape(name)}</text>'
        )
    below = _TOP + _HEIGHT + 36
    parts.append(f'<text x="{_LEFT + _WIDTH / 2}" y="{below}" text-anchor="middle">{escape(across)}</text>')
    width, height = _LEFT + _WIDTH + 30, _TOP + _HEIGHT + _BELOW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11"><rect width="{width}" height="{height}" fill="white"/>'
        f"{''.join(parts)}</svg>\n"
    )
