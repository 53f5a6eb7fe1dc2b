from __future__ import annotations

from typing import Any

import pytest

from qa.errors import InvalidInput
from qa.index.filters import compile_filter
from qa.index.local import LocalIndex
from tests.conftest import prepared, put

METAS: dict[str, dict[str, Any]] = {
    "a": {"year": 2020, "kind": "report", 'odd "name"': "x", "open": True},
    "b": {"year": 2020.0, "kind": "news", "open": False},
    "c": {"year": "2020", "open": 1, "kind": None},
}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"year": 2020}, {"a", "b"}),
        ({"year": "2020"}, {"c"}),
        ({"open": True}, {"a"}),
        ({"open": 1}, {"c"}),
        ({"kind": "report", "year": 2020}, {"a"}),
        ({'odd "name"': "x"}, {"a"}),
        ({"missing": "x"}, set()),
        ({"kind": "x' OR 1=1 --"}, set()),
    ],
)
def test_equality(index: LocalIndex, filters: dict[str, Any], expected: set[str]) -> None:
    put(index, *(prepared(id, f"Text of {id}.", meta=meta) for id, meta in METAS.items()))
    compiled = compile_filter(filters)
    assert compiled is not None
    with index.catalog.read() as transaction:
        numbers = transaction.allowed(1, compiled)
        assert {s.passage.document_id for s in transaction.passages(numbers).values()} == expected


def test_no_filter_is_none() -> None:
    assert compile_filter({}) is None


@pytest.mark.parametrize("value", [None, [1], {"gt": 3}, 2**70, float("inf"), float("nan")])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match="only equality") as caught:
        compile_filter({"year": value})
    assert caught.value.field == "filters.year"


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 20 fields"):
        compile_filter({str(i): i for i in range(21)})
