from __future__ import annotations

import pytest

from qa.errors import InvalidInput
from qa.search.filters import AnyOf, Bound, Bounds, Condition, Filter, parse_filter

UNSUPPORTED: list[object] = [None, [1, [2]], {"gt": {}}, 2**70, float("inf"), float("nan"), {"gt": None}]


def test_parses_values_by_type() -> None:
    assert parse_filter({"a": ["x", 1, True, 1.0], "title": "T", "b": {"gte": 2, "lt": 3}}) == Filter(
        (
            Condition("a", AnyOf(texts=("x",), numbers=(1, 1.0), booleans=(True,))),
            Condition("title", AnyOf(texts=("T",))),
            Condition("b", Bounds((Bound("gte", 2), Bound("lt", 3)))),
        )
    )
    assert parse_filter({"a": True}) != parse_filter({"a": 1})


def test_returns_none_without_filters() -> None:
    assert parse_filter({}) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        *((value, "must be text, .* got ") for value in UNSUPPORTED),
        ({"near": 3}, "unknown bound 'near'; use one of gt, gte, lt, lte"),
        ({"gt": True}, "true and false have no order"),
        ([], "from 1 to 1,000 values, got 0"),
        ({}, "from 1 to 1,000 values, got 0"),
        (["x"] * 1001, "from 1 to 1,000 values, got 1,001"),
    ],
)
def test_rejects_unsupported_values(value: object, message: str) -> None:
    for field in ("year", "document_id"):
        with pytest.raises(InvalidInput, match=message) as raised:
            parse_filter({field: value})
        assert raised.value.field == f"filters.{field}"


def test_rejects_numbers_for_attributes() -> None:
    for value in (5, [True], {"lt": 5}):
        with pytest.raises(InvalidInput, match=r"must be text, a list of texts, or bounds, got (5|True)"):
            parse_filter({"title": value})


def test_rejects_too_many_fields() -> None:
    with pytest.raises(InvalidInput, match="at most 20 fields can be filtered on, got 21"):
        parse_filter({str(i): i for i in range(21)})
