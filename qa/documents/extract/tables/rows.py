"""Rows of a table as documents (pure): each row with its text, or with a line for each of its values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median

from qa.documents.extract.tables.columns import Columns, find_column
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput
from qa.types import Meta, Unread
from qa.validation import MAX_META_FIELDS, MAX_META_VALUE, MAX_TITLE, check_document_id, check_meta

# Columns that hold the text of most tables that have no column named "text", if their values are sentences.
_OTHER_TEXT_COLUMNS = ("content", "body")
_MIN_WORDS = 4
# Of a table without a text column: the part of rows whose first text must be distinct to name them.
_MIN_DISTINCT = 0.8
# Rows and columns that a message names, and characters of their names.
_MAX_NAMED, _MAX_LIST = 10, 500
# Leave room for metadata that the caller adds. Fields beside a text column are not in its text, so more are kept.
_MAX_FIELDS, _MAX_FIELDS_BESIDE_TEXT = MAX_META_FIELDS // 2, MAX_META_FIELDS - 10


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        place: the row's name in error messages.
        values: the value of each column.
        whole: the text of a row whose cells do not fit the columns; None for others.
    """

    place: str
    values: Mapping[str, object]
    whole: str | None = None


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The table's own names of the columns; None for those that it does not have."""

    text: str | None
    title: str | None
    id: str | None


def extract_rows(
    rows: Sequence[Row],
    columns: Columns,
    name: str,
    *,
    names: Sequence[str] = (),
    heading: str | None = None,
    unread: Sequence[Unread] = (),
) -> list[ExtractedText]:
    """Return the document of each row.

    With a text column, the row's text is the document and the other values are its metadata; rows without text and
    values that cannot be metadata are reported. Without one, the document has a line `column: value` for each value,
    that of the row's name first.

    Args:
        rows: the rows, with their values in the order of the columns.
        columns: the columns that the caller named.
        name: the file's name in error messages.
        names: the table's columns; those that the rows have if empty.
        heading: the title of the table.
        unread: what could not be read, for the first document.

    Raises:
        InvalidInput: no row has text; the table lacks the text column that the caller named, or has a list or an object
            as text; an id in the column that the caller named is used twice. The message names the row.
    """
    names = names or list(dict.fromkeys(column for row in rows for column in row.values))
    chosen = _choose_columns(names, rows, columns, name)
    if chosen.text is None:
        documents = _extract_values(rows, names, chosen, heading)
        reports: list[Unread] = []
    else:
        documents, reports = _extract_texts(rows, chosen.text, chosen, columns, name)
    if not documents:
        if chosen.text is None or not rows:
            raise InvalidInput(f"{name}: the table has no rows with text; add rows below the header", field=name)
        raise InvalidInput(
            f"{name}: no row has text in column {chosen.text!r}; name the column that holds the text", field=name
        )
    _check_ids(documents, rows, name)
    if heading:
        documents = [_with_heading(document, heading) for document in documents]
    documents[0] = replace(documents[0], unread=(*unread, *reports, *_report_whole(rows)))
    return documents


def _choose_columns(names: Sequence[str], rows: Sequence[Row], columns: Columns, name: str) -> _Chosen:
    id = find_column(names, columns.id or "id")
    title = find_column(names, columns.title or "title")
    if columns.text is not None:
        text = find_column(names, columns.text)
        if text is None:
            place = rows[0].place if rows else name
            raise InvalidInput(
                f"{place}: no column {columns.text!r}; name the text column, one of: {_list(names)}", field=name
            )
    else:
        text = find_column(names, "text") or next(
            (column for wanted in _OTHER_TEXT_COLUMNS if (column := _find_prose(names, wanted, rows))), None
        )
    if text is None and title is None and columns.title is None:
        title = find_column(names, "name")
    return _Chosen(text, title, id)


def _find_prose(names: Sequence[str], wanted: str, rows: Sequence[Row]) -> str | None:
    """Return a column whose values are sentences."""
    column = find_column(names, wanted)
    values = [row.values.get(column) for row in rows] if column else []
    lengths = [len(value.split()) if isinstance(value, str) else 0 for value in values if value not in (None, "")]
    return column if lengths and median(lengths) >= _MIN_WORDS else None


def _extract_texts(
    rows: Sequence[Row], column: str, chosen: _Chosen, columns: Columns, name: str
) -> tuple[list[ExtractedText], list[Unread]]:
    """Return the documents of rows whose text is in a column, and a report of the rows and values that are not kept."""
    documents: list[ExtractedText] = []
    without_text: list[str] = []
    unfit: dict[str, None] = {}
    id_column = chosen.id if columns.id is not None or _has_fit_ids(rows, chosen.id, text_column=column) else None
    reserved = {column, chosen.title, id_column}
    for number, row in enumerate(rows, 1):
        if row.whole is not None:
            documents.append(ExtractedText(row.whole, row=number))
            continue
        text, title, id = (row.values.get(key) if key else None for key in (column, chosen.title, id_column))
        if isinstance(text, int | float):
            text = to_text(text)
        if not isinstance(text, str | None):
            raise InvalidInput(f"{row.place}: column {column!r} must hold text, got {type(text).__name__}", field=name)
        if not text or not text.strip():
            if any(value not in (None, "") for value in row.values.values()):
                without_text.append(f"{number}")
            continue
        values = {key: value for key, value in row.values.items() if key not in reserved and _is_filled(value)}
        meta = _fit_meta(values, _MAX_FIELDS_BESIDE_TEXT)
        unfit |= dict.fromkeys(key for key in values if key not in meta)
        documents.append(ExtractedText(text, to_text(title) or None, meta, id=to_text(id) or None, row=number))
    reports = []
    if without_text:
        reports.append(f"rows without text in column {column!r} ({len(without_text):,}): {_list(without_text)}")
    if unfit:
        reports.append(
            f"columns with values that are too many, too long or not finite: {_list(list(unfit))[:_MAX_LIST]}"
        )
    return documents, [Unread(None, reason) for reason in reports]


def _extract_values(
    rows: Sequence[Row], names: Sequence[str], chosen: _Chosen, heading: str | None
) -> list[ExtractedText]:
    """Return the documents of rows that have no text column."""
    label = chosen.title or _find_label(names, rows)
    order = [*([label] if label else []), *(name for name in names if name != label)]
    has_ids = _has_fit_ids(rows, chosen.id)
    documents: list[ExtractedText] = []
    for number, row in enumerate(rows, 1):
        if row.whole is not None:
            documents.append(ExtractedText(row.whole, heading, row=number))
            continue
        values = {name: value for name in order if _is_filled(value := row.values.get(name))}
        lines = [f"{name}: {to_text(value)}" for name, value in values.items()]
        if lines:
            title = to_text(row.values.get(chosen.title)) if chosen.title else ""
            id = to_text(row.values.get(chosen.id)) if chosen.id and has_ids else None
            meta = _fit_meta(values)
            documents.append(ExtractedText("\n".join(lines), title[:MAX_TITLE] or None, meta, id=id, row=number))
    return documents


def _find_label(names: Sequence[str], rows: Sequence[Row]) -> str | None:
    """Return the first column whose texts name the rows, because they differ; two rows differ in any column."""
    if len(rows) <= 2:
        return None
    for name in names:
        values = [value for row in rows if _is_filled(value := row.values.get(name))]
        texts = {value for value in values if isinstance(value, str) and any(map(str.isalpha, value))}
        if len(texts) >= _MIN_DISTINCT * len(rows):
            return name
    return None


def _has_fit_ids(rows: Sequence[Row], column: str | None, *, text_column: str | None = None) -> bool:
    """Return whether a column identifies each row and can be an id; else it is a value like others.

    Beside a text column, a row may lack an id, and one without text needs none.
    """
    if column is None:
        return False
    ids = [to_text(row.values.get(column)) for row in rows if row.whole is None]
    if text_column is not None:
        texts = [row.values.get(text_column) for row in rows if row.whole is None]
        ids = [id for id, text in zip(ids, texts, strict=True) if id and to_text(text)]
    try:
        return all(map(check_document_id, ids)) and len(set(ids)) == len(ids)
    except InvalidInput:
        return False


def _check_ids(documents: Sequence[ExtractedText], rows: Sequence[Row], name: str) -> None:
    seen: set[str] = set()
    for document in documents:
        if document.id in seen:
            place = rows[(document.row or 1) - 1].place
            raise InvalidInput(
                f"{place}: id {document.id!r} is already used by an earlier row; make ids unique", field=name
            )
        if document.id:
            seen.add(document.id)


def _with_heading(document: ExtractedText, heading: str) -> ExtractedText:
    """Return a document with the title of its table, which is metadata if the row has its own title."""
    if not document.title:
        return replace(document, title=heading[:MAX_TITLE])
    return replace(document, meta={"table": heading[:MAX_META_VALUE], **document.meta})


def _report_whole(rows: Sequence[Row]) -> list[Unread]:
    numbers = [str(number) for number, row in enumerate(rows, 1) if row.whole is not None]
    return [Unread(None, f"rows with more cells than columns, read as they are: {_list(numbers)}")] if numbers else []


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:_MAX_NAMED]) + (", …" if len(names) > _MAX_NAMED else "")


def _is_filled(value: object) -> bool:
    return value is not None and value != ""


def _to_scalar(value: object) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else json.dumps(value, ensure_ascii=False)


def to_text(value: object) -> str:
    """Return a value as text: numbers as in JSON, nothing for None."""
    if isinstance(value, str | None):
        return (value or "").strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def _fit_meta(values: Mapping[str, object], limit: int = _MAX_FIELDS) -> Meta:
    """Return the values that can be metadata, at most `limit`."""
    scalars = {name: _to_scalar(value) for name, value in islice(values.items(), limit)}
    return scalars if _is_fit(scalars) else {name: value for name, value in scalars.items() if _is_fit({name: value})}


def _is_fit(meta: Meta) -> bool:
    try:
        check_meta(meta)
    except InvalidInput:
        return False
    return True
