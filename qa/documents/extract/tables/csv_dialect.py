"""The dialect of a CSV file: delimiter and quotation (pure)."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from qa.documents.extract.tables.columns import normalize_name

_DELIMITERS = ",;\t|"
# A unit separator, which does not occur in text; it is the delimiter of a table with one column.
_NO_DELIMITER = "\x1f"
_SPACE_BEFORE_QUOTE = re.compile(r'[,;|] +"')
# Rows and characters from which the dialect is chosen.
_SAMPLE_ROWS, _SAMPLE = 200, 200_000


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the cells of a table are written.

    Attributes:
        delimiter: the character between cells.
        quoting: `csv.QUOTE_MINIMAL`, or `csv.QUOTE_NONE` if quotation marks are text.
        escape: the character that makes the next one text.
        skips_spaces: whether spaces before a cell are no part of it.
    """

    delimiter: str
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL
    escape: str | None = None
    skips_spaces: bool = False

    @property
    def has_delimiter(self) -> bool:
        """Whether a row may have more than one cell."""
        return self.delimiter != _NO_DELIMITER

    def read(self, text: str) -> Iterator[list[str]]:
        """Yield the records of a text; raise csv.Error for a field that is too long."""
        lines = io.StringIO(text, newline="")
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quoting=self.quoting,
            escapechar=self.escape,
            skipinitialspace=self.skips_spaces,
        )


def choose_dialect(text: str, text_column: str, delimiter: str = "") -> Dialect:
    """Return the dialect whose rows have the most even number of cells, of several alike the first.

    Args:
        text: the whole file.
        text_column: the text column, which may be the only one.
        delimiter: the delimiter, if the file names it.
    """
    delimiters = delimiter or _DELIMITERS
    sample = text[:_SAMPLE]
    skips_spaces = _SPACE_BEFORE_QUOTE.search(sample) is not None
    candidates = [Dialect(delimiter, skips_spaces=skips_spaces) for delimiter in delimiters]
    # Tables with tabs often have no quoting, so that a quotation mark is a character like others.
    candidates += [Dialect("\t", csv.QUOTE_NONE)] if "\t" in delimiters else []
    if '\\"' in sample:
        candidates += [replace(candidate, escape="\\") for candidate in candidates[: len(delimiters)]]
    scores = {candidate: _score(candidate, sample, is_cut=len(text) > _SAMPLE) for candidate in candidates}
    best = max(candidates, key=lambda candidate: scores[candidate])
    first_line = text.split("\n", 1)[0].strip().strip('"')
    is_one_column = normalize_name(first_line) == normalize_name(text_column)
    if not delimiter and (scores[best] <= 0 or is_one_column):
        return Dialect(_NO_DELIMITER)
    return best


def _score(dialect: Dialect, sample: str, *, is_cut: bool) -> float:
    """Return how even rows are: the part of them with the usual number of cells, more for more cells."""
    try:
        rows = [row for row in islice(dialect.read(sample), _SAMPLE_ROWS) if any(map(str.strip, row))]
    except csv.Error:
        return 0
    if is_cut and len(rows) > 1:
        rows.pop()
    if not rows:
        return 0
    # A quotation mark that is not closed takes many lines into a field.
    lines = sum(1 + cell.count("\n") for row in rows for cell in row if "\n" in cell) + len(rows)
    (width, count), *_ = Counter(map(len, rows)).most_common(1)
    is_table = sum(1 for row in rows if len(row) > 1) > len(rows) / 2
    return 0 if width < 2 or not is_table else count / len(rows) * (1 - 1 / (width + 1)) * (len(rows) / lines) ** 0.1
