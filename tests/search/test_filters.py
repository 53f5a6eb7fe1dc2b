from __future__ import annotations

from typing import Any

import pytest

from qa.errors import InvalidInput
from qa.index.local import LocalIndex, Prepared
from qa.search.filters import compile_filter
from tests.conftest import prepared, put

METAS: dict[str, dict[str, Any]] = {
    "a": {"year": 2020, "kind": "report", 'odd "name"': "x", "open": True},
    "b": {"year": 2020.0, "kind": "news", "open": False},
    "c": {"year": "2020", "open": 1, "kind": None},
}


UNFIT: list[object] = [None, [1, [2]], {"gt": {}}, 2**70, float("inf"), float("nan"), {"gt": None}]


def _stored(id: str, meta: dict[str, Any]) -> Prepared:
    return prepared(id, f"Text of {id}.", title=f"Title of {id}", uri=f"file:///{id}", meta=meta)


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
        ({"kind": ["news", "report", "x"]}, {"a", "b"}),
        ({"year": [2020, "2020"]}, {"a", "b", "c"}),
        ({"open": [False, 1]}, {"b", "c"}),
        ({"year": {"gte": 2020}}, {"a", "b"}),
        ({"year": {"gt": 2020}}, set()),
        ({"year": {"gt": 2019.5, "lt": 2021}}, {"a", "b"}),
        ({"year": {"gte": "2019", "lte": "2020"}}, {"c"}),
        ({"kind": {"lt": "o"}}, {"b"}),
        ({"document_id": ["a", "c", "zz"]}, {"a", "c"}),
        ({"document_id": "b", "kind": "news"}, {"b"}),
        ({"document_id": {"gt": "a"}}, {"b", "c"}),
        ({"kind": [str(n) for n in range(999)] + ["news"]}, {"b"}),
        ({"document_id": [str(n) for n in range(999)] + ["c"]}, {"c"}),
        ({"title": "Title of a", "uri": {"gte": "file:"}}, {"a"}),
    ],
)
def test_only_what_passes_is_allowed(index: LocalIndex, filters: dict[str, Any], expected: set[str]) -> None:
    put(index, *(_stored(id, meta) for id, meta in METAS.items()))
    compiled = compile_filter(filters)
    assert compiled is not None
    with index.catalog.read() as transaction:
        numbers = transaction.allowed(1, compiled)
        assert {s.passage.document_id for s in transaction.passages(numbers).values()} == expected


def test_no_filter_is_none() -> None:
    assert compile_filter({}) is None


@pytest.mark.parametrize(
    ("value", "says"),
    [
        *((value, "not with") for value in UNFIT),
        ({"near": 3}, "'near' is none of gt, gte, lt, lte"),
        ({"gt": True}, "true and false have no order"),
        ([], "from 1 to 1,000 values"),
        ({}, "from 1 to 1,000 values"),
        (["x"] * 1001, "from 1 to 1,000 values"),
    ],
)
def test_anything_else_is_refused(value: object, says: str) -> None:
    for field in ("year", "document_id"):
        with pytest.raises(InvalidInput, match=says) as caught:
            compile_filter({field: value})
        assert caught.value.field == f"filters.{field}"


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 20 fields"):
        compile_filter({str(i): i for i in range(21)})
