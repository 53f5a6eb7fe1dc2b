"""Find the tables that drawn lines divide into cells (pure)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter

# In points: lines this near are one line, and lines whose ends are this near touch.
_SAME, _TOUCH = 3.0, 3.0
# In points: cells are wider and higher. The background of a cell may end this far from its border.
_NARROWEST, _LOWEST = 7.0, 5.0
# A page with more lines than this, after joining, is a drawing.
_MAX_RULES, _MAX_CELLS = 600, 20_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A line drawn on a page, in points.

    Attributes:
        position: height of a horizontal line, or distance of a vertical line from the left.
        start: left or lower end.
        end: right or upper end.
    """

    position: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Rules:
    """The lines drawn on a page."""

    horizontal: Sequence[Rule] = ()
    vertical: Sequence[Rule] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells that lines enclose.

    Attributes:
        lefts: left edges of the columns, ascending, and the right edge of the last one.
        bottoms: lower edges of the rows, ascending, and the upper edge of the topmost one.
        merged: for each row from the top and each column, the row and column of the first cell of the merged cell
            that it is part of.
    """

    lefts: Sequence[float]
    bottoms: Sequence[float]
    merged: Sequence[Sequence[tuple[int, int]]]

    def find(self, x: float, y: float) -> tuple[int, int] | None:
        """Return the row, from the top, and the column of a point; None outside the table."""
        if not (self.lefts[0] <= x <= self.lefts[-1] and self.bottoms[0] <= y <= self.bottoms[-1]):
            return None
        column = min(bisect_right(self.lefts, x), len(self.lefts) - 1) - 1
        row = min(bisect_right(self.bottoms, y), len(self.bottoms) - 1) - 1
        return len(self.bottoms) - 2 - row, column


@dataclass(slots=True)
class _Component:
    horizontal: list[Rule] = field(default_factory=list)
    vertical: list[Rule] = field(default_factory=list)


def join_rules(rules: Iterable[Rule]) -> list[Rule]:
    """Return lines by position, with touching lines of the same position joined."""
    joined: list[Rule] = []
    ordered = sorted(rules, key=attrgetter("position"))
    start = 0
    for end in range(1, len(ordered) + 1):
        if end < len(ordered) and ordered[end].position - ordered[start].position <= _SAME:
            continue
        position = ordered[start].position
        current: Rule | None = None
        for rule in sorted(ordered[start:end], key=attrgetter("start")):
            if current and rule.start <= current.end + _TOUCH:
                current = Rule(position, current.start, max(current.end, rule.end))
            else:
                joined += [current] if current else []
                current = Rule(position, rule.start, rule.end)
        joined += [current] if current else []
        start = end
    return joined


def find_grids(rules: Rules) -> Iterator[Grid]:
    """Yield the grids of at least two rows and two columns that touching lines form, the largest first."""
    horizontal, vertical = join_rules(rules.horizontal), join_rules(rules.vertical)
    if max(len(horizontal), len(vertical)) > _MAX_RULES:
        return
    grids = (_build_grid(component) for component in _connect(horizontal, vertical))
    yield from sorted((grid for grid in grids if grid), key=_area, reverse=True)


def _area(grid: Grid) -> float:
    return (grid.lefts[-1] - grid.lefts[0]) * (grid.bottoms[-1] - grid.bottoms[0])


def _connect(horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> Iterator[_Component]:
    """Yield the sets of lines that touch each other."""
    parents = list(range(len(horizontal) + len(vertical)))

    def find(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for number, rule in enumerate(horizontal):
        low = bisect_left(vertical, rule.start - _TOUCH, key=attrgetter("position"))
        high = bisect_right(vertical, rule.end + _TOUCH, key=attrgetter("position"))
        for index in range(low, high):
            if vertical[index].start - _TOUCH <= rule.position <= vertical[index].end + _TOUCH:
                parents[find(number)] = find(len(horizontal) + index)
    components: dict[int, _Component] = {}
    for number, rule in enumerate(horizontal):
        components.setdefault(find(number), _Component()).horizontal.append(rule)
    for number, rule in enumerate(vertical, len(horizontal)):
        components.setdefault(find(number), _Component()).vertical.append(rule)
    yield from components.values()


def _build_grid(component: _Component) -> Grid | None:
    if len(component.horizontal) < 2 or not component.vertical:
        return None
    # The outer lines may be missing: the other lines show how far the table extends.
    lefts = _edges(component.vertical, component.horizontal, _NARROWEST)
    bottoms = _edges(component.horizontal, component.vertical, _LOWEST)
    rows, columns = len(bottoms) - 1, len(lefts) - 1
    if rows < 2 or columns < 2 or rows * columns > _MAX_CELLS:
        return None
    middles_x = [(a + b) / 2 for a, b in pairwise(lefts)]
    middles_y = [(a + b) / 2 for a, b in pairwise(bottoms)]
    right_of, above = _covered(component.vertical, lefts, middles_y), _covered(component.horizontal, bottoms, middles_x)
    return Grid(lefts, bottoms, _merge_cells(rows, columns, right_of, above))


def _edges(rules: Sequence[Rule], crossing: Sequence[Rule], narrowest: float) -> list[float]:
    """Return the positions of parallel lines, and the ends of the lines that cross them, at least so far apart."""
    positions = sorted([rule.position for rule in rules])
    outer = (min(rule.start for rule in crossing), max(rule.end for rule in crossing))
    if positions[0] - outer[0] > narrowest:
        positions.insert(0, outer[0])
    if outer[1] - positions[-1] > narrowest:
        positions.append(outer[1])
    edges = positions[:1]
    for position in positions[1:]:
        if position - edges[-1] > narrowest:
            edges.append(position)
    return edges


def _covered(rules: Sequence[Rule], edges: Sequence[float], middles: Sequence[float]) -> set[tuple[int, int]]:
    """Return pairs of an edge and a cell along it, as indexes, where a line is drawn."""
    covered: set[tuple[int, int]] = set()
    for rule in rules:
        edge = min(range(len(edges)), key=lambda index: abs(edges[index] - rule.position))
        cells = range(bisect_left(middles, rule.start), bisect_right(middles, rule.end))
        covered.update((edge, cell) for cell in cells)
    return covered


def _merge_cells(
    rows: int, columns: int, vertical: set[tuple[int, int]], horizontal: set[tuple[int, int]]
) -> list[list[tuple[int, int]]]:
    """Return, for each row from the top and each column, the first cell of the merged cell that it is part of."""
    merged = [[(row, column) for column in range(columns)] for row in range(rows)]
    for row in range(rows):
        from_bottom = rows - 1 - row
        for column in range(columns):
            if column and (column, from_bottom) not in vertical:
                merged[row][column] = merged[row][column - 1]
            elif row and (from_bottom + 1, column) not in horizontal:
                merged[row][column] = merged[row - 1][column]
    return merged
