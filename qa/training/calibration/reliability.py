"""A reliability diagram as SVG: how often answers of a confidence are right (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from qa.evaluation.metrics import Bin

DIAGRAM = "reliability.svg"
"""Its file, in the reader's folder."""

_SIDE, _LEFT, _TOP = 240, 40, 30
_PANEL = _SIDE + 70


def reliability_svg(panels: Mapping[str, Sequence[Bin]]) -> str:
    """Return one diagram for each title, side by side; a dot's area stands for how many answers its bin has."""
    drawn = [
        f'<g transform="translate({place * _PANEL} 0)">{_panel(title, bins)}</g>'
        for place, (title, bins) in enumerate(panels.items())
    ]
    width, height = _PANEL * len(panels), _SIDE + _TOP + 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11"><rect width="{width}" height="{height}" fill="white"/>'
        f"{''.join(drawn)}</svg>\n"
    )


def _panel(title: str, bins: Sequence[Bin]) -> str:
    parts = [f'<text x="{_LEFT}" y="18" font-size="13">{escape(title)}</text>']
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<path d="M{_x(0)} {_y(tick)}H{_x(1)}M{_x(tick)} {_y(0)}V{_y(1)}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{_y(tick) + 4}" text-anchor="end">{tick:g}</text>')
        parts.append(f'<text x="{_x(tick)}" y="{_y(0) + 15}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" stroke="#888" stroke-dasharray="4 4"/>')
    points = " ".join(f"{_x(b.confidence):.1f},{_y(b.accuracy):.1f}" for b in bins)
    parts.append(f'<polyline points="{points}" fill="none" stroke="#2b6cb0" stroke-width="2"/>')
    largest = max((b.count for b in bins), default=1)
    parts += [
        f'<circle cx="{_x(b.confidence):.1f}" cy="{_y(b.accuracy):.1f}" r="{5 * (b.count / largest) ** 0.5:.1f}" '
        'fill="#2b6cb0"/>'
        for b in bins
    ]
    parts.append(f'<text x="{_x(0.5)}" y="{_y(0) + 30}" text-anchor="middle">confidence; upwards: share right</text>')
    return "".join(parts)


def _x(value: float) -> float:
    return _LEFT + _SIDE * value


def _y(value: float) -> float:
    return _TOP + _SIDE * (1 - value)
