"""What `qa extract` prints: text for people, JSON or CSV for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

from qa.cli.output import lines, styled

if TYPE_CHECKING:
    from qa.rows import Cell, ExtractedRow


def rows(extracted: Iterable[ExtractedRow], as_json: bool) -> None:
    """Print each row when it is done: a line for each cell below the document, or one line of JSON."""
    from qa.wire.extraction import row_out

    for row in extracted:
        if as_json:
            lines([row_out(row).model_dump_json()])
            continue
        styled(row.title or row.document_id, style="bold")
        lines([f"{name}: {_describe(cell)}" for name, cell in row.cells.items()])
        lines([""])


def table(names: Sequence[str], extracted: Iterable[ExtractedRow]) -> None:
    """Print the rows as CSV."""
    from qa.wire.row_csv import rows_to_csv

    for line in rows_to_csv(names, extracted):
        typer.echo(line, nl=False)


def _describe(cell: Cell) -> str:
    from qa.wire.row_csv import describe_place

    answer = cell.shown
    if answer is None:
        return cell.status.replace("_", " ")
    label = "unsure; best guess: " if cell.status == "unsure" else ""
    text = " ".join(answer.text.split())
    return f"{label}{text}  {answer.confidence:.0%} sure, {describe_place(answer)}"
