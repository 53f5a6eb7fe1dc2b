from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa.errors import InvalidInput
from qa.index.local import LocalIndex, Prepared
from qa.search.filters import AnyOf, Bound, Bounds, Condition, Filter, matches, parse_filter
from tests.conftest import prepare_document, put

METAS: dict[str, dict[str, Any]] = {
    "a": {"year": 2020, "kind": "report", 'odd "name"': "x", "open": True},
    "b": {"year": 2020.0, "kind": "news", "open": False},
    "c": {"year": "2020", "open": 1, "kind": None},
}
UNSUPPORTED: list[object] = [None, [1, [2]], {"gt": {}}, 2**70, float("inf"), float("nan"), {"gt": None}]


def with_meta(id: str, meta: dict[str, Any]) -> Prepared:
    return prepare_document(id, f"Text of {id}.", title=f"Title of {id}", uri=f"file:///{id}", meta=meta)


def matching_in_sql(index: LocalIndex, filter: Filter) -> set[str]:
    with index.catalog.read() as transaction:
        ids = transaction.passages_matching(1, filter)
        return {stored.passage.document_id for stored in transaction.passages(ids).values()}


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
def test_selects_documents_that_match_every_field(
    index: LocalIndex, filters: dict[str, Any], expected: set[str]
) -> None:
    put(index, *(with_meta(id, meta) for id, meta in METAS.items()))
    filter = parse_filter(filters)
    assert filter is not None
    assert matching_in_sql(index, filter) == expected
    assert {
        id for id, meta in METAS.items() if matches(filter, id, f"Title of {id}", f"file:///{id}", meta)
    } == expected


NUMBERS = st.sampled_from([0, 1, -1, 1.0, 0.5, -0.0, 2**53, 2**53 + 1, float(2**53), 2**63 - 1, 1e300]) | st.integers(
    -3, 3
)
TEXTS = st.sampled_from(["", "a", "B", "b", "é", "é", "1", "1.0", "true", "\U0001f600", "\uffff", "a'b", 'a"\\\n'])
SCALARS = NUMBERS | TEXTS | st.booleans()
FIELDS = st.sampled_from(["n", "kind", 'odd "name"', "titled"])
BOUNDS = st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), NUMBERS | TEXTS, min_size=1)
TEXT_BOUNDS = st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), TEXTS, min_size=1)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "n": SCALARS | st.lists(SCALARS, min_size=1) | BOUNDS,
        "kind": SCALARS | st.lists(SCALARS, min_size=1) | BOUNDS,
        'odd "name"': SCALARS | st.lists(SCALARS, min_size=1) | BOUNDS,
        "document_id": st.lists(st.sampled_from(["d0", "d1", "d2"]), min_size=1) | TEXT_BOUNDS,
        "title": TEXTS | TEXT_BOUNDS,
        "uri": TEXTS | TEXT_BOUNDS,
    },
)
METADATA = st.dictionaries(FIELDS, SCALARS | st.none())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS, METADATA), min_size=1, max_size=4),
    st.lists(FILTERS, min_size=1, max_size=5),
)
def test_sql_agrees_with_the_definition(
    index: LocalIndex, documents: list[tuple[str | None, str | None, dict[str, Any]]], filters: list[dict[str, object]]
) -> None:
    index.remove([info.id for info in index.documents(None, 100)])
    described = [(f"d{n}", title, uri, meta) for n, (title, uri, meta) in enumerate(documents)]
    put(index, *(prepare_document(id, "A text.", title=t, uri=u, meta=meta) for id, t, u, meta in described))
    for filter in filter_trees(filters):
        expected = {id for id, title, uri, meta in described if matches(filter, id, title, uri, meta)}
        assert matching_in_sql(index, filter) == expected, filter


def filter_trees(filters: list[dict[str, object]]) -> list[Filter]:
    return [filter for one in filters if (filter := parse_filter(one)) is not None]


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
