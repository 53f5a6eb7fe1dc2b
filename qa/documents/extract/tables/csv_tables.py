"""CSV and TSV: a document for each row, in the dialects that spreadsheets and databases write."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from qa.documents.extract.plain_text import decode_text
from qa.documents.extract.tables.columns import Columns, find_column, unique_names
from qa.documents.extract.tables.csv_dialect import Dialect, choose_dialect
from qa.documents.extract.tables.csv_prose import is_prose
from qa.documents.extract.tables.rows import Row, extract_rows
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput
from qa.types import Unread

# The first line of files that Excel writes or is to read: `sep=;`.
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w\r\n"])"?\r?\n', re.IGNORECASE)
# In characters; a field may contain a whole book.
_MAX_FIELD = 10_000_000
# Smaller integers survive a client that parses all numbers as floats.
_MAX_EXACT = 10**15
# A record separator, which does not occur in text; it marks the end of the file.
_END = "\x1e"
# Rows that are compared with the header, and rows that may precede it.
_SAMPLE_ROWS, _MAX_PREAMBLE = 200, 50
# Part of the usual number of cells that a header has; lines above it have fewer.
_MIN_HEADER = 0.6
_MIN_ALIKE = 0.8
_MIN_GROUPS = 3
_NUMBER = re.compile(r"[-+]?[$€£]?\d[\d.,  ']*%?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ][\d:.]+Z?)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_SENTENCE_END = (".", "!", "?")


def extract_csv(data: bytes, name: str, columns: Columns) -> list[ExtractedText]:
    """Extract the rows of a table.

    The delimiter is the one that gives the most even rows. Lines with fewer cells above the header are the table's
    title. A column with only numbers, or only `true` and `false`, is converted in the metadata, so that filters match
    its values. A column stays text if any value would change when written again, as in postcodes and versions. Prose
    without the structure of a table is one document.

    Args:
        data: the whole file.
        name: the file's name in error messages.
        columns: the names of the columns to read.

    Raises:
        InvalidInput: see `extract_rows`; or a column name that matters is used twice, or a quotation mark is not
            closed. The message names the row, counted from 1 below the header.
    """
    decoded = decode_text(data, name)
    text, delimiters = decoded.text.lstrip("\r\n"), ""
    if separator := _SEPARATOR_LINE.match(text):
        text, delimiters = text[separator.end() :], separator[1]
    csv.field_size_limit(_MAX_FIELD)
    dialect = choose_dialect(text, columns.text or "text", delimiters)
    if columns.text is None and not delimiters:
        delimiter = dialect.delimiter if dialect.has_delimiter else None
        if is_prose(text, delimiter, "text"):
            return [ExtractedText(decoded.text, unread=decoded.unread)]
    records = _read_records(text, dialect, name)
    start = _find_header(records, columns)
    has_header = _has_header(records[start:], columns)
    above, header, body = records[:start], records[start : start + has_header], records[start + has_header :]
    if above and header and _names_groups(above[-1], header[0], columns):
        header = [_join_names(above.pop(), header[0])]
    elif header and body[1:] and _completes(body[0], header[0], columns):
        header = [_join_names(header[0], body.pop(0))]
    names = _name_columns(header, body, columns, name)
    rows = [
        _make_row(record, names, columns, dialect, f"{name}: row {number}") for number, record in enumerate(body, 1)
    ]
    heading = " ".join(cell.strip() for record in above for cell in record if cell.strip())
    unread = list(decoded.unread)
    if heading:
        unread.append(Unread(None, f"lines above the header, kept as the title of the table: {heading[:200]}"))
    text_column = find_column(names, columns.text or "text")
    rows = _convert_columns(rows, [name for name in names if name != text_column])
    return extract_rows(rows, columns, name, names=names, heading=heading or None, unread=unread)


def _read_records(text: str, dialect: Dialect, name: str) -> list[list[str]]:
    """Return the records that are not blank."""
    records: list[list[str]] = []
    last: list[str] = []
    try:
        for last in dialect.read(f"{text}\n{_END}"):
            # The end mark counts as white space.
            if any(map(str.strip, last)):
                records.append(last)
    except csv.Error as error:
        raise InvalidInput(f"{_place(name, len(records))}: not valid CSV ({error})", field=name) from error
    # An unclosed quotation mark takes the rest of the file, and the end mark with it, into its field.
    if last != [_END]:
        place = _place(name, len(records) - 1)
        raise InvalidInput(f"{place}: unclosed quotation mark; close it, or double it inside a field", field=name)
    return records


def _place(name: str, row: int) -> str:
    return f"{name}: row {row}" if row > 0 else f"{name}: header"


def _find_header(records: Sequence[Sequence[str]], columns: Columns) -> int:
    """Return the index of the header, which title lines with fewer cells may precede."""
    counts = [sum(1 for cell in record if cell.strip()) for record in records[:_SAMPLE_ROWS]]
    if not counts:
        return 0
    usual = Counter(counts).most_common(1)[0][0]
    enough = min(usual, max(2, usual * _MIN_HEADER))
    first = next(index for index, count in enumerate(counts) if count >= enough)
    wanted = columns.text or "text"
    named = (index for index in range(first + 1) if find_column(records[index], wanted))
    index = next(named, first)
    return index if index <= _MAX_PREAMBLE else 0


def _has_header(records: Sequence[Sequence[str]], columns: Columns) -> bool:
    """Return whether the first record names the columns, rather than being a row like those below."""
    if not records or find_column(records[0], columns.text or "text"):
        return bool(records)
    first, *below = records
    if not below:
        return False
    if max(map(len, records)) == 1:
        return not first[0].rstrip().endswith(_SENTENCE_END)
    return not any(
        _is_value(cell, [row[column] for row in below[:_SAMPLE_ROWS] if column < len(row)])
        for column, cell in enumerate(first)
    )


def _names_groups(above: Sequence[str], header: Sequence[str], columns: Columns) -> bool:
    """Return whether the row above a header names groups of columns, as in exports of surveys."""
    return sum(map(bool, map(str.strip, above))) >= _MIN_GROUPS and not find_column(header, columns.text or "text")


def _completes(row: Sequence[str], header: Sequence[str], columns: Columns) -> bool:
    """Return whether a row names the columns that the header above it leaves blank, because it names groups."""
    if not _names_groups(header, header, columns) or len(row) > len(header):
        return False
    pairs = [(name.strip(), cell.strip()) for name, cell in zip_longest(header, row, fillvalue="")]
    is_complete = all(cell for name, cell in pairs if not name)
    has_blanks = any(not name for name, _ in pairs) and any(not cell for _, cell in pairs)
    return is_complete and has_blanks and not any(_NUMBER.fullmatch(cell) for _, cell in pairs)


def _join_names(above: Sequence[str], header: Sequence[str]) -> list[str]:
    """Return the names of columns, each after the name of its group, which is in the first column of the group."""
    names, group = [], ""
    for upper, lower in zip_longest(above, header, fillvalue=""):
        group = upper.strip() or group
        names.append(f"{group} {lower}" if upper.strip() or lower.strip() else "")
    return names


def _is_value(cell: str, below: Sequence[str]) -> bool:
    """Return whether a cell is a number or date above others; the name of a column may be a year."""
    below = [value for value in below if value.strip()]
    if not below or not _NUMBER.fullmatch(cell.strip()):
        return False
    numbers = sum(1 for value in below if _NUMBER.fullmatch(value.strip()))
    years = sum(1 for value in below if _YEAR.fullmatch(value.strip()))
    is_name = bool(_YEAR.fullmatch(cell.strip())) and years < _MIN_ALIKE * len(below)
    return numbers >= _MIN_ALIKE * len(below) and not is_name


def _name_columns(
    header: Sequence[Sequence[str]], body: Sequence[Sequence[str]], columns: Columns, name: str
) -> list[str]:
    if not header:
        return [f"Column {number}" for number in range(1, max(map(len, body), default=0) + 1)]
    cells = [cell.strip() for cell in header[0]]
    wanted = {columns.text or "text", columns.title, columns.id}
    if duplicates := [cell for cell, count in Counter(cells).items() if count > 1 and cell in wanted]:
        raise InvalidInput(f"{name}: two columns are named {duplicates[0]!r}; rename one", field=name)
    return unique_names(cells)


def _make_row(record: Sequence[str], names: Sequence[str], columns: Columns, dialect: Dialect, place: str) -> Row:
    """Return a row; one with more cells than columns is kept whole, as no cell can be trusted to be in its column."""
    surplus = record[len(names) :]
    if any(map(str.strip, surplus)):
        wanted = columns.text or "text"
        if find_column(names, wanted) != names[-1]:
            return Row(place, {}, whole=dialect.delimiter.join(record).strip())
        # A text in the last column contains delimiters that its writer did not quote.
        record = [*record[: len(names) - 1], dialect.delimiter.join(record[len(names) - 1 :])]
    return Row(place, {name: cell.strip() for name, cell in zip(names, record, strict=False)})


def _convert_columns(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """Convert columns to numbers or truth values if all their texts are, and converting loses nothing."""
    columns = {name: _convert({str(text) for row in rows if (text := row.values.get(name))}) for name in names}
    converted = {name: values for name, values in columns.items() if values}
    if not converted:
        return list(rows)
    return [
        replace(
            row,
            values={
                name: converted[name].get(str(cell), cell) if name in converted else cell
                for name, cell in row.values.items()
            },
        )
        for row in rows
    ]


def _convert(texts: Iterable[str]) -> Mapping[str, int | float | bool]:
    """Return the value of each text of a column; none if the column stays text."""
    values: dict[str, int | float | bool] = {}
    for text in texts:
        value = _parse_scalar(text)
        if value is None or json.dumps(value) != text:
            return {}
        values[text] = value
    return values if len({isinstance(value, bool) for value in values.values()}) == 1 else {}


def _parse_scalar(text: str) -> int | float | bool | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, int | float | bool) and abs(value) < _MAX_EXACT else None
