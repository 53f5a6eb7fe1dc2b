"""A filter on metadata, compiled once to SQL. What is not understood is refused, never ignored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qa.errors import InvalidInput
from qa.limits import checked_characters

MAX_FIELDS = 20


@dataclass(frozen=True, slots=True)
class CompiledFilter:
    """A condition on the row `d` of `documents`, with its parameters."""

    condition: str
    parameters: tuple[str | int | float, ...]


def compile_filter(filters: Mapping[str, object]) -> CompiledFilter | None:
    """Compile `{field: value}`: every field must be in the document's metadata and equal to its value.

    Text equals text, number equals number (1 equals 1.0), true and false equal themselves only.

    Returns:
        None for no filter.

    Raises:
        InvalidInput: a value is not text, a number, true or false, or there are too many fields.
    """
    if not filters:
        return None
    if len(filters) > MAX_FIELDS:
        raise InvalidInput(f"at most {MAX_FIELDS} fields can be filtered on, not {len(filters)}", field="filters")
    conditions, parameters = [], list[str | int | float]()
    for name, value in filters.items():
        checked_characters(name, "filters")
        if isinstance(value, bool):
            types = "'true', 'false'"
        elif isinstance(value, int | float) and abs(value) < 2**63:
            types = "'integer', 'real'"
        elif isinstance(value, str):
            checked_characters(value, f"filters.{name}")
            types = "'text'"
        else:
            raise InvalidInput(
                f"only equality with text, a number, true or false is supported, not {value!r}", field=f"filters.{name}"
            )
        conditions.append(
            f"EXISTS (SELECT 1 FROM json_each(d.meta) m WHERE m.key = ? AND m.type IN ({types}) AND m.value = ?)"
        )
        parameters += [name, value]
    return CompiledFilter(" AND ".join(conditions), tuple(parameters))
