"""Filters on documents: parsed once into a tree, which the store evaluates (pure).

An invalid filter is rejected, never ignored.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from qa.errors import InvalidInput
from qa.types import Meta
from qa.validation import check_characters

MAX_FIELDS = 20
MAX_VALUES = 1_000
# Fields that every document has. All others are metadata fields.
ATTRIBUTES = ("document_id", "title", "uri")

Operator = Literal["gt", "gte", "lt", "lte"]
Scalar = str | int | float

_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Accepts a value that equals one of these. Types are separate because in Python 1 equals True."""

    texts: tuple[str, ...] = ()
    numbers: tuple[int | float, ...] = ()
    booleans: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """Accepts a value of the limit's type, text or number, that compares with the limit as the operator says."""

    operator: Operator
    limit: Scalar


@dataclass(frozen=True, slots=True)
class Bounds:
    """Accepts a value within all bounds."""

    bounds: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one field. A document without the field, or with null in it, fails."""

    field: str
    test: AnyOf | Bounds


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that a document must all meet."""

    conditions: tuple[Condition, ...]


def parse_filter(filters: Mapping[str, object]) -> Filter | None:
    """Parse `{field: value}`; a document must match every field.

    A field is a metadata field, or `document_id`, `title` or `uri`. A value is text, a number, true or false; a list
    of these, one of which must be equal; or bounds such as `{"gte": "2020-01-01", "lt": "2021-01-01"}`. Text compares
    with text by code point, which is also the order of ISO dates. Numbers compare with numbers (1 equals 1.0). True
    and false equal only themselves.

    Returns:
        None if there are no filters.

    Raises:
        InvalidInput: a value has another type, a bound is unknown, or there are too many fields or values.
    """
    if not filters:
        return None
    if len(filters) > MAX_FIELDS:
        raise InvalidInput(f"at most {MAX_FIELDS} fields can be filtered on, got {len(filters)}", field="filters")
    return Filter(tuple(_parse_condition(check_characters(name, "filters"), value) for name, value in filters.items()))


def restrict(filter: Filter | None, document_ids: Sequence[str]) -> Filter:
    """Return a filter that only documents with one of these ids pass, and only if they pass the given one."""
    condition = Condition("document_id", AnyOf(texts=tuple(document_ids)))
    return Filter((*(filter.conditions if filter else ()), condition))


def matches(filter: Filter, document_id: str, title: str | None, uri: str | None, meta: Meta) -> bool:
    """Return whether a document passes a filter. Every store must agree with this definition."""
    attributes = {"document_id": document_id, "title": title, "uri": uri}
    return all(
        _accepts(condition.test, (attributes if condition.field in attributes else meta).get(condition.field))
        for condition in filter.conditions
    )


def _accepts(test: AnyOf | Bounds, value: Scalar | None) -> bool:
    if isinstance(test, Bounds):
        return all(
            not isinstance(value, bool | None)
            and isinstance(value, str) == isinstance(bound.limit, str)
            and _COMPARE[bound.operator](value, bound.limit)
            for bound in test.bounds
        )
    if isinstance(value, bool):
        return value in test.booleans
    return value in (test.texts if isinstance(value, str) else test.numbers)


def _parse_condition(name: str, value: object) -> Condition:
    field = f"filters.{name}"
    if isinstance(value, Mapping):
        _check_count(len(value), field)
        return Condition(name, Bounds(tuple(_parse_bound(name, *item, field) for item in value.items())))
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    _check_count(len(values), field)
    scalars = [_check_scalar(name, scalar, field) for scalar in values]
    return Condition(
        name,
        AnyOf(
            texts=tuple(scalar for scalar in scalars if isinstance(scalar, str)),
            numbers=tuple(scalar for scalar in scalars if not isinstance(scalar, str | bool)),
            booleans=tuple(scalar for scalar in scalars if isinstance(scalar, bool)),
        ),
    )


def _parse_bound(name: str, operator: object, limit: object, field: str) -> Bound:
    if operator not in _COMPARE:
        raise InvalidInput(f"{field}: unknown bound {operator!r}; use one of {', '.join(_COMPARE)}", field=field)
    if isinstance(limit, bool):
        raise InvalidInput(f"{field}: true and false have no order; use text or a number as a bound", field=field)
    return Bound(operator, _check_scalar(name, limit, field))


def _check_count(count: int, field: str) -> None:
    if not 1 <= count <= MAX_VALUES:
        raise InvalidInput(f"{field} takes from 1 to {MAX_VALUES:,} values, got {count:,}", field=field)


def _check_scalar(name: str, value: object, field: str) -> Scalar:
    if isinstance(value, str):
        return check_characters(value, field)
    if name in ATTRIBUTES:
        raise InvalidInput(f"{field} must be text, a list of texts, or bounds, got {value!r}", field=field)
    # Integers are stored in 64 bits. The comparison also rejects NaN.
    if isinstance(value, bool) or (isinstance(value, int | float) and abs(value) < 2**63):
        return value
    raise InvalidInput(
        f"{field} must be text, a number below 2^63, true or false, a list of these, or bounds, got {value!r}",
        field=field,
    )
