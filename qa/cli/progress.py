"""Progress bars on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.cli.output import stderr

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@dataclass(frozen=True, slots=True)
class ProgressBar:
    """A bar that advances in steps, such as files, and shows the page of the current one."""

    _bar: Progress
    _task: TaskID
    _description: str

    def advance(self, steps: int) -> None:
        """Advance by the number of steps just finished."""
        self._bar.update(self._task, advance=steps, description=self._description)

    def show_page(self, page: int, pages: int) -> None:
        """Show that the current step has finished a page."""
        self._bar.update(self._task, description=f"{self._description}, page {page} of {pages}")


@contextmanager
def progress_bar(description: str, total: int | None = None) -> Iterator[ProgressBar]:
    """Show a progress bar if standard error is a terminal.

    Args:
        description: shown before the bar.
        total: number of steps; None if it is unknown.
    """
    # Rich takes longer to import than most commands take to run.
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr(), disable=not stderr().is_terminal) as bar:
        yield ProgressBar(bar, bar.add_task(description, total=total), description)
