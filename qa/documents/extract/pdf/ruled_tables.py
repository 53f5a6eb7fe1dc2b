"""Read the tables whose cells are enclosed by drawn lines (pure)."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, islice, pairwise

from qa.documents.extract.pdf.blocks import split_line
from qa.documents.extract.pdf.grids import Grid, Rules, find_grids
from qa.documents.extract.pdf.layout import Line, cut_line, is_wrapped
from qa.documents.extract.pdf.table_rows import Cell, PrintedRow, build_rows, group_printed_rows, sort_lines

# Bounds the work for each line of a page.
_MAX_GRIDS = 50
# A grid is a table if it has this many cells with text, and this share of all its cells. Drawings have fewer.
_MIN_FILLED, _MIN_FILLED_SHARE = 3, 0.2
_MIN_SPLIT_LINES = 3
# A table whose merged cells repeat more than this many times its text is no table.
_MAX_REPEATED = 3
# In points: the space between the text of a cell and its right edge.
_PADDING = 2.0

_Place = tuple[int, int]
_Content = Mapping[_Place, Cell]


def place_ruled_tables(lines: Sequence[Line], rules: Rules) -> list[Line]:
    """Return the lines of a page with table rows in place of the lines inside grids, where the first of these was."""
    placed = list(lines)
    taken: list[Grid] = []
    for grid in islice(find_grids(rules), _MAX_GRIDS):
        # A grid within a cell of another one is part of that cell.
        if any(_overlap(grid, other) for other in taken):
            continue
        table = _read_grid(placed, grid)
        if table:
            placed = table
            taken.append(grid)
    return placed


def _overlap(a: Grid, b: Grid) -> bool:
    return (
        a.lefts[0] < b.lefts[-1]
        and b.lefts[0] < a.lefts[-1]
        and a.bottoms[0] < b.bottoms[-1]
        and b.bottoms[0] < a.bottoms[-1]
    )


def _read_grid(lines: Sequence[Line], grid: Grid) -> list[Line] | None:
    """Return the lines of the page with the table of a grid in their place; None if the grid is no table."""
    inside: dict[_Place, list[Line]] = defaultdict(list)
    outside: list[Line] = []
    first: int | None = None
    for line in lines:
        parts = _cut_at_cells(line, grid)
        if first is None and any(cell for cell, _ in parts):
            first = len(outside)
        for cell, part in parts:
            if cell is None:
                outside.append(part)
            else:
                inside[cell].append(part)
    grid, content = _split_merged(grid, {cell: sort_lines(parts) for cell, parts in inside.items()})
    rows = _build_cells(content, grid) if content else []
    if first is None or not rows:
        return None
    return [*outside[:first], *build_rows(rows), *outside[first:]]


def _split_merged(grid: Grid, content: _Content) -> tuple[Grid, _Content]:
    """Return a grid without the merged cells whose text is in rows or columns.

    A table in which only every other row is coloured has such cells.
    """
    regions: dict[_Place, list[_Place]] = defaultdict(list)
    for row, cells in enumerate(grid.merged):
        for column, cell in enumerate(cells):
            regions[cell].append((row, column))
    merged = [list(row) for row in grid.merged]
    split: dict[_Place, list[Line]] = defaultdict(list)
    for cell, lines in content.items():
        if len(regions[cell]) == 1:
            split[cell] = list(lines)
            continue
        parts = [(grid.find(*_middle(part)) or cell, part) for line in lines for part in split_line(line)]
        by_column = len({column for (_, column), _ in parts}) > 1 and not any(
            _crosses_column(grid, part) for _, part in parts
        )
        by_row = _is_column_of_rows(grid, regions[cell], parts, by_column=by_column)
        for row, column in regions[cell]:
            merged[row][column] = (row if by_row else cell[0], column if by_column else cell[1])
        for (row, column), part in parts if by_column or by_row else [(cell, line) for line in lines]:
            split[merged[row][column]].append(part)
    return Grid(grid.lefts, grid.bottoms, merged), split


def _middle(line: Line) -> tuple[float, float]:
    return (line.left + line.right) / 2, line.bottom + line.height / 2


def _crosses_column(grid: Grid, line: Line) -> bool:
    return bisect_right(grid.lefts, line.left + _PADDING) != bisect_right(grid.lefts, line.right - _PADDING)


def _is_column_of_rows(
    grid: Grid, region: Sequence[_Place], parts: Sequence[tuple[_Place, Line]], *, by_column: bool
) -> bool:
    """Return whether the lines of a merged cell are those of separate rows rather than of one wrapped text."""
    rows = {row for row, _ in region}
    columns: dict[int, list[tuple[int, Line]]] = defaultdict(list)
    for (row, column), part in parts:
        columns[column if by_column else 0].append((row, part))
    right = grid.lefts[max(column for _, column in region) + 1]
    for column, placed in columns.items():
        limit = (grid.lefts[column + 1] if by_column else right) - _PADDING
        separate = [not is_wrapped(above, line, limit) for (_, above), (_, line) in pairwise(placed)]
        is_one_each = len({row for row, _ in placed}) == len(placed) >= max(2, len(rows) - 1)
        if not is_one_each or sum(separate) * 2 < len(separate):
            return False
    return len(rows) > 1


def _cut_at_cells(line: Line, grid: Grid) -> list[tuple[_Place | None, Line]]:
    """Return the parts of a line in each cell of a grid and outside of it; cells are the first of merged ones."""
    middle = line.bottom + line.height / 2
    if line.row or not grid.bottoms[0] <= middle <= grid.bottoms[-1]:
        return [(None, line)]

    def find(word: tuple[str, float, float]) -> _Place | None:
        position = grid.find((word[1] + word[2]) / 2, middle)
        return grid.merged[position[0]][position[1]] if position else None

    return [(cell, cut_line(line, list(words))) for cell, words in groupby(line.words, key=find)]


def _build_cells(content: _Content, grid: Grid) -> list[Sequence[Cell]]:
    """Return the cells of each row, without columns and rows that have no text; none if the grid is no table."""
    cells = {cell for row in grid.merged for cell in row}
    inner = sum(_length(cell) for cell in content.values() if _has_columns(cell))
    if inner * 2 > sum(map(_length, content.values())):
        return []
    columns = _drop_repeats([[row[column] for row in grid.merged] for column in range(len(grid.merged[0]))], content)
    numbers = _drop_repeats([[row[column] for column in columns] for row in grid.merged], content)
    if len(columns) < 2 or len(numbers) < 2 or len(content) < max(_MIN_FILLED, _MIN_FILLED_SHARE * len(cells)):
        return []
    bands = {number: [content.get(grid.merged[number][column], ()) for column in columns] for number in numbers}
    limits = [grid.lefts[column + 1] - _PADDING for column in columns]
    split = [_split_band(grid, number, band, limits) for number, band in bands.items()]
    # Some tables have lines around their header and their body only, and none between rows. In others, a cell may
    # have several lines that are no rows.
    printed = sum(map(len, split))
    if sum(len(rows) for rows in split if len(rows) > 1) * 2 <= printed:
        split = [[band] for band in bands.values()]
    rows = [row for rows in split for row in rows if any(row)]
    # Cells that are merged by mistake would repeat long texts.
    repeated = sum(_length(cell) for row in rows for cell in row)
    if repeated > _MAX_REPEATED * sum(map(_length, content.values())):
        return []
    return rows if len(rows) >= 2 and any(_distinct(row) >= 2 for row in rows) else []


def _length(cell: Cell) -> int:
    return sum(len(line.text) for line in cell)


def _has_columns(cell: Cell) -> bool:
    """Return whether the lines of a cell have columns, so that the drawn lines are not those of a table."""
    split = sum(len(split_line(line)) > 1 for line in cell)
    return split >= _MIN_SPLIT_LINES and split * 2 >= len(cell)


def _drop_repeats(lines: Sequence[Sequence[_Place]], content: _Content) -> list[int]:
    """Return the indexes of rows or columns of cells without those whose text is all in others too."""
    count = Counter(cell for line in lines for cell in set(line) if cell in content)
    kept: list[int] = []
    for index, line in enumerate(lines):
        filled = {cell for cell in line if cell in content}
        if all(count[cell] > 1 for cell in filled):
            count.subtract(filled)
        else:
            kept.append(index)
    return kept


def _distinct(row: Sequence[Cell]) -> int:
    return len({id(cell) for cell in row if cell})


def _split_band(grid: Grid, number: int, band: Sequence[Cell], limits: Sequence[float]) -> list[Sequence[Cell]]:
    """Return the rows of text between two horizontal lines; one if its lines are those of wrapped cells."""
    following = grid.merged[number + 1] if number + 1 < len(grid.merged) else ()
    if any(row != number for row, _ in grid.merged[number]) or any(row == number for row, _ in following):
        return [band]
    printed = list(_print_rows(band))
    rows = group_printed_rows(printed, limits, has_certain_limits=True)
    if len(rows) < 2 or not all(row[0] and sum(map(bool, row)) >= 2 for row in rows):
        return [band]
    return list(rows)


def _print_rows(band: Sequence[Cell]) -> Iterable[PrintedRow]:
    """Yield the lines of cells that are side by side."""
    placed = [(line, column) for column, cell in enumerate(band) for line in cell]
    placed.sort(key=lambda item: -item[0].bottom)
    start = 0
    for end in range(1, len(placed) + 1):
        top = placed[start][0]
        if end < len(placed) and top.bottom - placed[end][0].bottom < top.height / 2:
            continue
        lines: list[list[Line]] = [[] for _ in band]
        for line, column in placed[start:end]:
            lines[column].append(line)
        cells = [sort_lines(cell) for cell in lines]
        yield PrintedRow(
            cells, placed[end - 1][0].bottom, max(line.height for line, _ in placed[start:end]), unit=start
        )
        start = end
