"""Names of the columns of a table (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns of text, title and id, as the caller gave them; None for the usual names.

    Case and white space around a name do not matter. If the caller names no text column and the table has none, each
    row becomes a text of its values.
    """

    text: str | None = None
    title: str | None = None
    id: str | None = None


def find_column(names: Iterable[str], wanted: str) -> str | None:
    """Return the name that equals the wanted one, or else the only one that differs in case and white space."""
    names = list(names)
    if wanted in names:
        return wanted
    similar = [name for name in dict.fromkeys(names) if normalize_name(name) == normalize_name(wanted)]
    return similar[0] if len(similar) == 1 else None


def normalize_name(name: str) -> str:
    """Return a column's name without differences that do not matter."""
    return " ".join(name.split()).casefold()


def unique_names(header: Sequence[str]) -> list[str]:
    """Return a name for each column: a number for one without a name, and a number after one that is repeated."""
    names: list[str] = []
    # A name may have several lines.
    cells = [" ".join(cell.split()) for cell in header]
    taken, used = set(cells), Counter[str]()
    for number, cell in enumerate(cells, 1):
        name = cell or f"Column {number}"
        used[name] += 1
        while used[name] > 1 and (numbered := f"{name} {used[name]}") in taken:
            used[name] += 1
        names.append(numbered if used[name] > 1 else name)
    return names
