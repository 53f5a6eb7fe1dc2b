"""Filters as SQL: a condition on the row `d` of the table `documents`, with its parameters."""

from __future__ import annotations

from collections.abc import Sequence

from qa.search.filters import AnyOf, Bounds, Condition, Filter, Scalar

_COLUMNS = {"document_id": "d.id", "title": "d.title", "uri": "d.uri"}
_OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
# What `json_each` calls the types of metadata values.
_TEXT = "'text'"
_NUMBER = "'integer', 'real'"
_BOOLEAN = "'true', 'false'"


def to_sql(filter: Filter) -> tuple[str, tuple[Scalar, ...]]:
    """Return the condition and its parameters. It accepts the same documents as `qa.search.filters.matches`."""
    conditions, parameters = [], list[Scalar]()
    for condition in filter.conditions:
        column = _COLUMNS.get(condition.field)
        sql, values = _on_attribute(column, condition.test) if column else _on_meta(condition)
        conditions.append(sql)
        parameters += values
    return " AND ".join(conditions), tuple(parameters)


def _on_attribute(column: str, test: AnyOf | Bounds) -> tuple[str, Sequence[Scalar]]:
    if isinstance(test, AnyOf):
        return f"{column} IN ({_placeholders(test.texts)})", test.texts
    limits = [bound.limit for bound in test.bounds]
    return " AND ".join(f"{column} {_OPERATORS[bound.operator]} ?" for bound in test.bounds), limits


def _on_meta(condition: Condition) -> tuple[str, Sequence[Scalar]]:
    test = condition.test
    values: list[Scalar]
    if isinstance(test, AnyOf):
        groups = ((_TEXT, test.texts), (_NUMBER, test.numbers), (_BOOLEAN, test.booleans))
        sql = " OR ".join(
            f"m.type IN ({types}) AND m.value IN ({_placeholders(group)})" for types, group in groups if group
        )
        values = [value for _, group in groups for value in group]
    else:
        sql = " AND ".join(
            f"m.type IN ({_TEXT if isinstance(bound.limit, str) else _NUMBER})"
            f" AND m.value {_OPERATORS[bound.operator]} ?"
            for bound in test.bounds
        )
        values = [bound.limit for bound in test.bounds]
    return f"EXISTS (SELECT 1 FROM json_each(d.meta) m WHERE m.key = ? AND ({sql}))", [condition.field, *values]


def _placeholders(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
