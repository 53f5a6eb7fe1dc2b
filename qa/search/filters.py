"""A filter on documents, compiled once to SQL. What is not understood is refused, never ignored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qa.errors import InvalidInput
from qa.validation import check_characters

MAX_FIELDS = 20
MAX_VALUES = 1_000
# What every document has, beside its metadata.
_COLUMNS = {"document_id": "d.id", "title": "d.title", "uri": "d.uri"}
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

Scalar = str | int | float


@dataclass(frozen=True, slots=True)
class CompiledFilter:
    """A condition on the row `d` of `documents`, with its parameters."""

    condition: str
    parameters: tuple[Scalar, ...]


def compile_filter(filters: Mapping[str, object]) -> CompiledFilter | None:
    """Compile `{field: wanted}`; a document must pass for every field.

    A field is one of the metadata, or `document_id`, `title` or `uri`. Wanted is a value; a list, of which one must be
    it; or bounds such as `{"gte": "2020-01-01", "lt": "2021-01-01"}`. Text compares with text, in the order of its code
    points (which is that of ISO dates), number with number (1 equals 1.0), true and false equal themselves only.

    Returns:
        None for no filter.

    Raises:
        InvalidInput: a value is of another kind, a bound has no such name, or there are too many fields or values.
    """
    if not filters:
        return None
    if len(filters) > MAX_FIELDS:
        raise InvalidInput(f"at most {MAX_FIELDS} fields can be filtered on, not {len(filters)}", field="filters")
    compiled = [_compiled(check_characters(name, "filters"), wanted) for name, wanted in filters.items()]
    return CompiledFilter(
        " AND ".join(one.condition for one in compiled), tuple(p for one in compiled for p in one.parameters)
    )


def _compiled(name: str, wanted: object) -> CompiledFilter:
    where = f"filters.{name}"
    if isinstance(wanted, Mapping):
        tests = [_bound(operator, value, where) for operator, value in wanted.items()]
    else:
        values = list(wanted) if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [wanted]
        tests = [("IN", values)]
    if not 1 <= sum(len(values) for _, values in tests) <= MAX_VALUES:
        raise InvalidInput(f"from 1 to {MAX_VALUES:,} values", field=where)
    if column := _COLUMNS.get(name):
        for _, values in tests:
            for value in values:
                _text(value, where)
        condition = " AND ".join(f"{column} {sign} ({_places(values)})" for sign, values in tests)
        return CompiledFilter(condition, tuple(_scalar(value) for _, values in tests for value in values))
    # A bound and what it bounds are of one kind; so are a list's values that one part of the condition is about.
    parts = [(sign, kind, of_kind) for sign, values in tests for kind, of_kind in _by_kind(values, where).items()]
    joined = " AND " if isinstance(wanted, Mapping) else " OR "
    condition = joined.join(f"m.type IN ({kind}) AND m.value {sign} ({_places(of)})" for sign, kind, of in parts)
    return CompiledFilter(
        f"EXISTS (SELECT 1 FROM json_each(d.meta) m WHERE m.key = ? AND ({condition}))",
        (name, *(_scalar(value) for _, _, of in parts for value in of)),
    )


def _bound(operator: object, value: object, where: str) -> tuple[str, list[object]]:
    if operator not in _COMPARISONS:
        raise InvalidInput(f"{operator!r} is none of {', '.join(_COMPARISONS)}", field=where)
    if isinstance(value, bool):
        raise InvalidInput("true and false have no order", field=where)
    return _COMPARISONS[str(operator)], [value]


def _by_kind(values: Sequence[object], where: str) -> dict[str, list[object]]:
    kinds: dict[str, list[object]] = {}
    for value in values:
        kinds.setdefault(_types(value, where), []).append(value)
    return kinds


def _places(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _types(value: object, where: str) -> str:
    """Return the kinds of metadata that a value can be compared with, as SQLite calls them."""
    if isinstance(value, bool):
        return "'true', 'false'"
    if isinstance(value, int | float) and abs(value) < 2**63:
        return "'integer', 'real'"
    _text(value, where)
    return "'text'"


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(
            f"compares with text, a number below 2^63, true or false, a list of them, or bounds; not with {value!r}",
            field=where,
        )
    return check_characters(value, where)


def _scalar(value: object) -> Scalar:
    assert isinstance(value, str | int | float)
    return value
